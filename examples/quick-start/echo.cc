// SPDX-License-Identifier: MIT
// Meets the other member of a room and sends back whatever it sends.
#include <wdc/wdc.h>

wdc::Task<wdc::Result<void>> echo(wdc::DataChannel& channel) {
  auto messages = channel.message_stream();
  while (auto message = co_await messages.next())                       // ends when the channel does
    if (auto sent = co_await channel.send(std::move(*message)); !sent)  // waits while the send buffer is full
      co_return std::unexpected(sent.error());
  co_return messages.end_reason();  // a clean close, or what broke
}

int main() {
  return wdc::run_main([](wdc::EventLoop& loop) -> wdc::Task<wdc::Result<void>> {
    auto connection = co_await wdc::connect(loop, "broadcast:", "echo");  // or "wss://your.host/ws"
    if (!connection) co_return std::unexpected(connection.error());
    co_return co_await echo(connection->channel);
  });
}

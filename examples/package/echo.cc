// SPDX-License-Identifier: MIT
// echo URL ROOM: meets the other member of a room and sends back whatever it sends, until it closes.
#include <wdc/wdc.h>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: echo URL ROOM\n";
    return 2;
  }
  return wdc::run_main([&](wdc::EventLoop& loop) -> wdc::Task<wdc::Result<void>> {
    auto connection = co_await wdc::connect(loop, argv[1], argv[2]);
    if (!connection) co_return std::unexpected(connection.error());
    auto messages = connection->channel.message_stream();
    while (auto message = co_await messages.next())
      if (auto sent = co_await connection->channel.send(std::move(*message)); !sent)
        co_return std::unexpected(sent.error());
    co_return messages.end_reason();
  });
}

// SPDX-License-Identifier: MIT
#include "wdc/c_api.h"

#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "wdc/wdc.h"

// NOLINTBEGIN(readability-identifier-naming): the types that wdc/c_api.h names

/// A loop, and the sentence of what failed last on it.
struct wdc_loop {
  wdc::EventLoop loop;
  std::string error;

  int fail(const wdc::Error& what) {
    error = what.message();
    return static_cast<int>(what.code());
  }
  int fail(const wdc::Result<void>& result) { return result ? wdc_ok : fail(result.error()); }
};

struct wdc_message {
  wdc::Message message;
};

/// One end. Its tasks end when it is freed, also in the middle of a callback: after each they ask `is_freed` of their
/// own frame before they touch this again.
struct wdc_connection {
  wdc_connection(wdc_loop& owner, const wdc_callbacks* told, void* theirs) : loop(owner), user(theirs) {
    if (told != nullptr) callbacks = *told;
  }
  wdc_connection(const wdc_connection&) = delete;
  wdc_connection& operator=(const wdc_connection&) = delete;
  ~wdc_connection() { *is_freed = true; }

  wdc::DataChannel& channel() { return connection->channel; }

  wdc::Task<> live(std::string url, std::string room, wdc::ConnectOptions options);
  wdc::Task<> give_up();
  wdc::Task<> send_waiting(wdc::Message message);
  int send(wdc::Result<void> tried, wdc::Message (*copy)(const void*, std::size_t), const void* data, std::size_t size);
  void finish(const wdc::Result<void>& result);

  wdc_loop& loop;
  wdc_callbacks callbacks{};
  void* user;
  std::shared_ptr<bool> is_freed = std::make_shared<bool>(false);
  std::optional<wdc::Connection> connection;
  bool is_open = false;
  bool is_finished = false;
  bool has_waiting = false;     // a message was taken that waits for room
  bool wants_to_write = false;  // and another was refused meanwhile
  wdc::Spawned<void> living;
  wdc::Spawned<void> sending;
};

// NOLINTEND(readability-identifier-naming)

namespace {

wdc::Message binary_copy(const void* data, std::size_t size) {
  return wdc::Message::binary({static_cast<const std::byte*>(data), size});
}
wdc::Message text_copy(const void* data, std::size_t size) {
  return wdc::Message::text({static_cast<const char*>(data), size});
}

wdc::ConnectOptions options_of(const wdc_connect_options* given) {
  wdc::ConnectOptions options;
  if (given == nullptr) return options;
  if (given->label != nullptr) options.label = given->label;
  if (given->protocol != nullptr) options.channel.protocol = given->protocol;
  options.channel.ordered = given->unordered == 0;
  if (given->limits_retransmits != 0) options.channel.max_retransmits = given->max_retransmits;
  if (given->max_life_time_ms != 0)
    options.channel.max_packet_life_time = std::chrono::milliseconds(given->max_life_time_ms);
  if (given->timeout_ms != 0) options.timeout = std::chrono::milliseconds(given->timeout_ms);
  return options;
}

}  // namespace

wdc::Task<> wdc_connection::live(std::string url, std::string room, wdc::ConnectOptions options) {
  auto connecting = wdc::connect(loop.loop, std::move(url), std::move(room), std::move(options));
  auto met = co_await connecting;
  if (!met) {
    finish(std::unexpected(met.error()));
    co_return;
  }
  connection.emplace(std::move(*met));
  is_open = true;
  const auto freed = is_freed;
  if (callbacks.opened != nullptr) callbacks.opened(this, user);
  if (*freed) co_return;
  if (callbacks.message != nullptr) {
    auto messages = channel().message_stream();
    for (;;) {
      auto next = messages.next();
      const auto message = co_await next;
      if (!message) break;
      const auto bytes = message->bytes();
      callbacks.message(this, bytes.data(), bytes.size(), message->is_text() ? 1 : 0, user);
      if (*freed) co_return;
    }
  }
  auto closing = channel().wait_closed();
  const auto result = co_await closing;
  finish(result);
}

wdc::Task<> wdc_connection::give_up() {
  finish(wdc::fail(wdc::Errc::cancelled));
  co_return;
}

wdc::Task<> wdc_connection::send_waiting(wdc::Message message) {
  auto operation = channel().send(std::move(message));
  (void)co_await operation;  // what breaks the channel is told by `closed`
  has_waiting = false;
  if (std::exchange(wants_to_write, false) && callbacks.writable != nullptr) callbacks.writable(this, user);
}

int wdc_connection::send(wdc::Result<void> tried, wdc::Message (*copy)(const void*, std::size_t), const void* data,
                         std::size_t size) {
  if (tried) return wdc_ok;
  if (tried.error().code() != wdc::Errc::would_block) return loop.fail(tried);
  if (has_waiting) {
    wants_to_write = true;
    return loop.fail(tried);
  }
  auto message = copy(data, size);
  if (message.size() != size) return loop.fail(wdc::Error(wdc::Errc::out_of_memory));
  has_waiting = true;
  sending = wdc::spawn(loop.loop, send_waiting(std::move(message)));
  return wdc_ok;
}

void wdc_connection::finish(const wdc::Result<void>& result) {
  if (std::exchange(is_finished, true) || callbacks.closed == nullptr) return;
  const auto text = result ? std::string() : result.error().message();
  callbacks.closed(this, result ? 0 : static_cast<int>(result.error().code()), text.c_str(), user);
}

extern "C" {

const char* wdc_version(void) { return WDC_VERSION; }

// The table's names are literals: they end in NUL.
const char* wdc_code_name(int code) { return wdc::name(static_cast<wdc::Errc>(code)).data(); }

wdc_loop* wdc_loop_new(void) { return new (std::nothrow) wdc_loop; }
void wdc_loop_free(wdc_loop* loop) { delete loop; }
void wdc_loop_run(wdc_loop* loop) { loop->loop.run(); }
size_t wdc_loop_poll(wdc_loop* loop) { return loop->loop.poll(); }
void wdc_loop_stop(wdc_loop* loop) { loop->loop.stop(); }
int wdc_loop_post(wdc_loop* loop, void (*function)(void* user), void* user) {
  const auto posted = loop->loop.post([function, user] { function(user); });
  return posted ? wdc_ok : static_cast<int>(posted.error().code());
}
const char* wdc_loop_error(const wdc_loop* loop) { return loop->error.c_str(); }

int wdc_connect(wdc_loop* loop, const char* url, const char* room, const wdc_connect_options* options,
                const wdc_callbacks* callbacks, void* user, wdc_connection** connection) {
  *connection = nullptr;
  auto made = std::unique_ptr<wdc_connection>(new (std::nothrow) wdc_connection(*loop, callbacks, user));
  if (!made) return loop->fail(wdc::Error(wdc::Errc::out_of_memory));
  made->living = wdc::spawn(loop->loop, made->live(url, room, options_of(options)));
  *connection = made.release();
  return wdc_ok;
}

void wdc_connection_free(wdc_connection* connection) { delete connection; }

int wdc_send_bytes(wdc_connection* connection, const void* data, size_t size) {
  if (!connection->is_open) return connection->loop.fail(wdc::Error(wdc::Errc::not_open));
  return connection->send(connection->channel().try_send_bytes({static_cast<const std::byte*>(data), size}),
                          &binary_copy, data, size);
}

int wdc_send_text(wdc_connection* connection, const char* text, size_t size) {
  if (!connection->is_open) return connection->loop.fail(wdc::Error(wdc::Errc::not_open));
  return connection->send(connection->channel().try_send_text({text, size}), &text_copy, text, size);
}

int wdc_receive(wdc_connection* connection, wdc_message** message) {
  *message = nullptr;
  if (!connection->is_open) return connection->loop.fail(wdc::Error(wdc::Errc::not_open));
  auto received = connection->channel().try_receive();
  if (!received) return connection->loop.fail(received.error());
  *message = new (std::nothrow) wdc_message{std::move(*received)};
  return *message != nullptr ? wdc_ok : connection->loop.fail(wdc::Error(wdc::Errc::out_of_memory));
}

const void* wdc_message_data(const wdc_message* message) { return message->message.bytes().data(); }
size_t wdc_message_size(const wdc_message* message) { return message->message.size(); }
int wdc_message_is_text(const wdc_message* message) { return message->message.is_text() ? 1 : 0; }
void wdc_message_free(wdc_message* message) { delete message; }

void wdc_close(wdc_connection* connection) {
  if (connection->is_open) {
    (void)connection->channel().close();
    return;
  }
  if (connection->is_finished) return;
  connection->living = wdc::spawn(connection->loop.loop, connection->give_up());
}

uint64_t wdc_buffered_amount(const wdc_connection* connection) {
  return connection->is_open ? connection->connection->channel.buffered_amount() : 0;
}
uint64_t wdc_max_message_size(const wdc_connection* connection) {
  return connection->is_open ? connection->connection->channel.max_message_size() : 0;
}

}  // extern "C"

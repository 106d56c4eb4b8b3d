// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "routine.h"
#include "wdc/data_channel.h"
#include "wdc/event_loop.h"

namespace wdc::js {

/// A channel whose owner is JavaScript: tells it what happens, and hands it the messages it asks for.
class JsChannel {
 public:
  /// Asks for every message that will ever arrive.
  static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

  JsChannel(std::int32_t number, EventLoop& loop, DataChannel channel);
  JsChannel(const JsChannel&) = delete;
  JsChannel& operator=(const JsChannel&) = delete;

  [[nodiscard]] DataChannel& channel() noexcept { return channel_; }

  /// Asks for `count` more messages, now if they are here: imports::deliver() for each, imports::ended() at the end.
  void pull(std::uint32_t count);
  /// Asks for all messages, from the loop's next turn on, so that none is delivered from inside the call.
  void listen();
  /// Nothing is delivered any more; what was not delivered stays for the next reader. May be called from inside
  /// deliver().
  void stop();
  /// Closes; imports::close_ended() follows. Once.
  void close(std::optional<std::chrono::milliseconds> timeout);

 private:
  struct Reader {
    explicit Reader(MessageStream messages) noexcept : stream(std::move(messages)) {}
    std::optional<MessageStream> stream;  // none: stopped
    std::uint32_t wanted = 0;
    bool running = false;           // its routine is on the stack
    std::unique_ptr<Reader> below;  // stopped before it and on the stack below it
    Routine routine;                // last: destroyed first
  };
  Reader& reader();
  Routine watch();
  enum class Start : std::uint8_t { now, next_turn };
  Routine read(Reader& self, Start start);
  Routine wait_for_close(std::optional<std::chrono::milliseconds> timeout);

  const std::int32_t number_;
  EventLoop& loop_;
  DataChannel channel_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Reader> stopped_;  // it was stopped while it was on the stack
  Routine closing_;
  Routine watch_;
};

}  // namespace wdc::js

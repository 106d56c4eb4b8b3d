// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "incoming.h"
#include "routine.h"
#include "wdc/data_channel.h"
#include "wdc/event_loop.h"

namespace wdc::core::framed {
class ReceivedFrame;
}

namespace wdc::js {

/// A channel whose owner is JavaScript: tells it what happens, and hands it the messages it asks for.
class JsChannel {
 public:
  /// Asks for every message that will ever arrive.
  static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

  JsChannel(std::int32_t number, EventLoop& loop, DataChannel channel, IncomingPool& incoming);
  JsChannel(const JsChannel&) = delete;
  JsChannel& operator=(const JsChannel&) = delete;

  [[nodiscard]] DataChannel& channel() noexcept { return channel_; }

  /// Asks for `count` more messages, now if they are here: imports::deliver() for each, imports::ended() at the end.
  void pull(std::uint32_t count);
  /// The same for messages that are read in parts: imports::incoming() for each.
  void pull_incoming(std::uint32_t count);
  /// Asks for all messages. Those of a frame that are read whole come by imports::deliver_batch().
  void listen();
  /// Bytes of the largest message that would be delivered at once to whoever listens; 0: none would. Of a framed
  /// channel: core::framed::Receiver::room_elsewhere().
  [[nodiscard]] std::uint64_t direct_limit() const noexcept;
  /// From inside of deliver_batch(): so many of its messages are read, before anything else happens.
  void taken(std::uint32_t count);
  /// Nothing is delivered any more; what was not delivered stays for the next reader. May be called from inside
  /// deliver().
  void stop();
  /// Closes; imports::close_ended() follows. Once.
  void close(std::optional<std::chrono::milliseconds> timeout);

 private:
  struct Reader {
    std::optional<MessageStream> messages;
    std::optional<IncomingStream> incoming;  // neither: stopped
    std::uint32_t wanted = 0;
    bool running = false;           // its routine is on the stack
    std::unique_ptr<Reader> below;  // stopped before it and on the stack below it
    Routine routine;                // last: destroyed first
  };
  Reader& reader();
  void ask(Reader& current, std::uint32_t count, Routine (JsChannel::*read)(Reader& self));
  void end(Reader& self, const Result<void>& reason);
  Routine watch();
  Routine read(Reader& self);
  Routine read_frames(Reader& self);
  Routine read_incoming(Reader& self);
  void deliver(Message&& message);
  void deliver_batch(core::framed::ReceivedFrame& frame);
  Routine wait_for_close(std::optional<std::chrono::milliseconds> timeout);

  const std::int32_t number_;
  EventLoop& loop_;
  IncomingPool& incoming_;
  DataChannel channel_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<Reader> stopped_;  // it was stopped while it was on the stack
  Routine closing_;
  Routine watch_;
};

}  // namespace wdc::js

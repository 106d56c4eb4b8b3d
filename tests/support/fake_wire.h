// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "src/core/backend.h"
#include "tests/support/buffer_pool.h"

namespace wdc::test {

class FakeBackend;
class FakeChannel;

/// Two ends of a channel and what is on its way between them. By default everything arrives in the backend's next turn;
/// with `automatic` off the test says when. The test may keep it to look at after the channels are gone.
class FakeWire : public std::enable_shared_from_this<FakeWire> {
 public:
  struct End {
    core::ChannelEvents* events = nullptr;
    FakeChannel* channel = nullptr;
    ReadyState state = ReadyState::open;
    bool exists = false;  // a backend object stands for it
    bool ended = false;   // on_closed was reported
    std::vector<Message> outbox;
    std::size_t first = 0;
    std::uint64_t buffered = 0;
    std::uint64_t low_threshold = 0;
    bool close_wanted = false;

    // The script.
    std::optional<Error> next_send_error;
    std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max();  // would_block beyond
    bool deaf_to_close = false;                                          // close() never ends

    // What was seen.
    std::uint64_t sends = 0;
    std::uint64_t forwarded = 0;
    std::uint64_t closes = 0;
    std::uint64_t aborts = 0;
    mutable std::uint64_t buffered_amount_calls = 0;
  };

  FakeWire(FakeBackend& backend, core::ChannelInfo info, ReadyState state);
  ~FakeWire();

  /// The backend object of one end; once each.
  [[nodiscard]] std::unique_ptr<core::ChannelBackend> take(std::size_t side);
  [[nodiscard]] End& end(std::size_t side) { return ends_[side]; }
  [[nodiscard]] BufferPool& pool() { return *pool_; }
  [[nodiscard]] const core::ChannelInfo& info() const { return info_; }

  void open();
  /// Puts the first end of `other` at this wire's second: both sides made a negotiated channel before they met.
  void join(FakeWire& other);
  /// Moves up to `messages` from one end to the other.
  void deliver(std::size_t from, std::size_t messages = std::numeric_limits<std::size_t>::max());
  /// What a connection that goes away does.
  void break_both(const Error& error);
  /// A message from nowhere arrives at one end.
  void inject(std::size_t to, Message message);
  /// As the browser home reports it: who waits for it is resumed at once.
  void inject_directly(std::size_t to, Message message);
  void report_closed(std::size_t side, std::optional<Error> error);

  bool automatic = true;
  std::uint64_t max_message_size = 262'144;
  std::optional<std::uint16_t> id;

 private:
  friend class FakeChannel;
  Result<void> send(std::size_t side, std::span<const std::byte> bytes, MessageType type);
  void schedule_delivery();
  void close(std::size_t side);
  void finish_close(std::size_t side);
  void abandon(std::size_t side);

  FakeBackend& backend_;
  core::ChannelInfo info_;
  std::array<End, 2> ends_;
  BufferPool* pool_;
  bool delivery_scheduled_ = false;
};

}  // namespace wdc::test

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/native/sctp/received_message.h"
#include "src/native/sctp/slab.h"

namespace wdc::sctp {

/// Whole ordered messages that wait for an earlier one of their stream: an open-addressing table by stream and number,
/// as the peer may leave any gaps on any streams and must not make us search.
class WaitingMessages {
 public:
  explicit WaitingMessages(std::uint64_t seed) : seed_(seed) {}

  /// False where there is one with this number already.
  [[nodiscard]] bool insert(std::int64_t number, ReceivedMessage message);
  [[nodiscard]] std::optional<ReceivedMessage> take(StreamId stream, std::int64_t number);
  /// The lowest number waiting on a stream that is at least `from`.
  [[nodiscard]] std::optional<std::int64_t> lowest(StreamId stream, std::int64_t from) const;
  /// Drops the stream's messages; returns their bytes.
  std::size_t drop_stream(StreamId stream);
  void clear();
  /// Room for so many at once.
  void reserve(std::size_t count);
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  using Index = Slab<ReceivedMessage>::Index;
  struct Slot {
    Index message = Slab<ReceivedMessage>::kNone;
    std::int64_t number = 0;
  };

  [[nodiscard]] std::size_t home(StreamId stream, std::int64_t number) const;
  [[nodiscard]] std::size_t find(StreamId stream, std::int64_t number) const;
  [[nodiscard]] bool is_free(std::size_t at) const { return slots_[at].message == Slab<ReceivedMessage>::kNone; }
  void erase(std::size_t at);
  void grow_to(std::size_t slots);

  std::uint64_t seed_;
  Slab<ReceivedMessage> messages_;
  std::vector<Slot> slots_;  // a power of two, at most half of them used
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "src/native/sctp/data_kind.h"
#include "src/native/sctp/paged_array.h"
#include "src/native/sctp/queue.h"
#include "src/native/sctp/tx/outgoing_message.h"

namespace wdc::sctp {

/// Messages that were not yet cut into fragments to their end, by stream, and the order in which streams have their
/// turn: weighted fair queueing (RFC 8260 section 3.6). Every stream has a virtual time, which advances by the bytes it
/// sends over its weight; the one that is behind has its turn. Equal weights make that fair queueing.
class SendQueue {
 public:
  /// A stream's weight unless set otherwise: the priority "low" of the W3C's four (128, 256, 512, 1024 in RFC 8831).
  static constexpr std::uint16_t kDefaultWeight = 256;

  explicit SendQueue(MessageSlab& messages) : messages_(messages) {}

  void push(MessageIndex message);

  /// The message whose next fragment is to be sent; kNoMessage if there is none. Drops messages that expired before
  /// anything of them was sent.
  [[nodiscard]] MessageIndex front(TimePoint now, DataKind kind);
  /// `bytes` of the front message were cut off. REQUIRES: front() named it last.
  void advance(std::size_t bytes);
  /// Takes a message away that is partly sent, where it is still in the queue.
  void remove_partly_sent(MessageIndex message);
  /// Takes away a stream's messages of which nothing was sent, but for those of one PPID. Returns the one that is
  /// partly sent, which stays, or kNoMessage.
  MessageIndex discard(StreamId stream, Ppid kept);

  /// Gives the front message the number of its place on its stream.
  void assign_number(OutgoingMessage& message, DataKind kind);
  /// The streams' numbers start anew (RFC 6525 section 5.2.7).
  void reset_numbers(StreamId stream);

  [[nodiscard]] bool is_idle(StreamId stream) const;

  void set_weight(StreamId stream, std::uint16_t weight);
  /// An event is due whenever a stream's bytes fall to this.
  void set_low_threshold(StreamId stream, std::size_t bytes);
  [[nodiscard]] std::size_t buffered(StreamId stream) const;
  [[nodiscard]] std::size_t buffered() const { return buffered_; }
  [[nodiscard]] bool empty() const { return turns_.empty() && current_ == kNoStream; }
  [[nodiscard]] std::uint64_t expired() const { return expired_; }
  /// Streams whose bytes have fallen to their threshold since.
  [[nodiscard]] std::optional<StreamId> poll_low();
  /// Drops every message and every number.
  void clear();

 private:
  struct Stream {
    MessageIndex head = kNoMessage;
    MessageIndex tail = kNoMessage;
    std::size_t buffered = 0;
    std::size_t low_threshold = 0;
    std::uint64_t virtual_time = 0;
    std::uint32_t next_ordered = 0;
    std::uint32_t next_unordered = 0;
    std::uint16_t weight = kDefaultWeight;
    bool has_turn = false;  // it is in turns_
    bool watched = false;   // its bytes were above the threshold
  };
  struct Turn {
    std::uint64_t virtual_time;
    StreamId stream;
  };
  static constexpr std::int32_t kNoStream = -1;

  void give_turn(StreamId id, Stream& stream);
  void take_turn_back(StreamId id, Stream& stream);
  void drop_head(Stream& stream);
  void count_sent(StreamId id, Stream& stream, std::size_t bytes);
  [[nodiscard]] bool head_expired(const Stream& stream, TimePoint now) const;

  MessageSlab& messages_;
  PagedArray<Stream> streams_;
  std::vector<Turn> turns_;           // a heap, the smallest virtual time first
  std::int32_t current_ = kNoStream;  // the stream that has its turn; it is not in turns_
  std::uint64_t virtual_now_ = 0;
  std::size_t buffered_ = 0;
  std::uint64_t expired_ = 0;
  Queue<StreamId> low_;
};

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "src/native/sctp/packet/i_data_chunk.h"
#include "src/native/sctp/packet/sack_chunk.h"
#include "src/native/sctp/tx/outgoing_message.h"

namespace wdc::sctp {

/// One fragment with a TSN.
struct OutstandingChunk {
  MessageIndex message = kNoMessage;
  std::uint32_t offset = 0;
  std::uint32_t fragment = 0;  // its number within its message
  std::uint16_t length = 0;
  std::uint16_t transmissions = 0;
  DataFlags flags;
  std::uint8_t misses = 0;  // SACKs that acknowledged something sent later
  std::uint64_t order = 0;  // counts transmissions of all chunks
};

/// What a SACK changed.
struct SackOutcome {
  bool valid = false;  // false: it lies, or is old; nothing was changed
  bool cumulative_advanced = false;
  std::size_t acked_bytes = 0;
  std::size_t in_flight_before = 0;
  std::size_t lost_chunks = 0;  // found missing for the third time
  bool reneged = false;
  std::optional<Duration> round_trip;
};

/// The chunks between the cumulative TSN the peer acknowledged and the next TSN, in a ring indexed by TSN.
///
///     sent            acked by a gap block       cumulative ack
///   in_flight <------------------------> acked --------> (gone)
///      |  ^   reneging                     ^
///  3rd |  | retransmit                     |
///  miss v |                                |
///     lost --------------------------------+
///      |  given up
///      v
///   abandoned -----> (gone, by FORWARD-TSN)
class Outstanding {
 public:
  /// A gap block could not name more (RFC 9260 section 3.3.4).
  static constexpr std::int64_t kMaxChunks = 65'535;
  /// SACKs that must report a chunk missing before it counts as lost (RFC 9260 section 7.2.4).
  static constexpr std::uint8_t kMissesForLoss = 3;

  Outstanding(MessageSlab& messages, Tsn initial, std::size_t chunk_header_size);

  [[nodiscard]] UnwrappedTsn next_tsn() const { return next_; }
  [[nodiscard]] UnwrappedTsn cumulative() const { return cumulative_; }
  [[nodiscard]] bool empty() const { return cumulative_.next() == next_; }
  [[nodiscard]] bool full() const { return next_.since(cumulative_) > kMaxChunks; }
  /// Bytes of chunks that are neither acknowledged nor thought lost, headers included.
  [[nodiscard]] std::size_t in_flight_bytes() const { return in_flight_; }
  /// The same in user data, which is what the peer's window counts (RFC 9260 section 6.2.1).
  [[nodiscard]] std::size_t in_flight_payload() const { return in_flight_payload_; }
  [[nodiscard]] bool has_lost() const { return lost_count_ > 0; }

  /// Gives a new fragment the next TSN. REQUIRES: !full().
  UnwrappedTsn add(MessageIndex message, std::uint32_t offset, std::uint16_t length, std::uint32_t fragment,
                   DataFlags flags, TimePoint now);
  /// Gives the unsent rest of an abandoned message a TSN, so that a FORWARD-TSN can name the message's end.
  void add_abandoned(MessageIndex message);

  /// The lost chunk with the lowest TSN. Messages that were given up in the meantime are abandoned on the way.
  struct Lost {
    UnwrappedTsn tsn;
    const OutstandingChunk* chunk;
  };
  [[nodiscard]] std::optional<Lost> next_lost(TimePoint now);
  void mark_retransmitted(UnwrappedTsn tsn);
  /// Takes the last chunk in flight as lost, so that it is sent again as a probe; not where that would use up one of a
  /// message's retransmissions. Its TSN, or none.
  std::optional<UnwrappedTsn> lose_last();
  /// What was written last is a probe: sent so late that what was sent before it is lost if it arrives first.
  void note_probe() { probe_order_ = order_; }

  [[nodiscard]] SackOutcome handle_sack(const SackChunk& sack, TimePoint now);
  /// SHUTDOWN carries a cumulative TSN too (RFC 9260 section 9.2).
  [[nodiscard]] SackOutcome handle_cumulative(Tsn cumulative, TimePoint now);
  /// Takes everything in flight as lost (RFC 9260 section 6.3.3, rule E3).
  void handle_timeout();

  /// Messages abandoned since, to be taken out of the send queue where they are only partly cut.
  [[nodiscard]] MessageIndex poll_abandoned();
  void abandon(MessageIndex message);

  /// How far a FORWARD-TSN may go: the end of the abandoned chunks that follow the cumulative TSN (RFC 3758
  /// section 3.5).
  [[nodiscard]] UnwrappedTsn forward_point() const;
  [[nodiscard]] const OutgoingMessage& message_at(UnwrappedTsn tsn) const { return messages_[chunk(tsn).message]; }
  [[nodiscard]] std::uint64_t abandoned_messages() const { return abandoned_count_; }

  /// Drops everything.
  void clear();

 private:
  enum class State : std::uint8_t { in_flight, acked, lost, abandoned };

  [[nodiscard]] std::size_t slot(UnwrappedTsn tsn) const {
    return static_cast<std::size_t>(tsn.value()) & (chunks_.size() - 1);
  }
  [[nodiscard]] const OutstandingChunk& chunk(UnwrappedTsn tsn) const { return chunks_[slot(tsn)]; }
  /// With so many chunks a connection is busy, and has room for more than a few in flight, and messages of them.
  static constexpr std::uint64_t kBusyAfter = 256;
  static constexpr std::size_t kBusyChunks = 1'024;
  static constexpr std::size_t kBusyMessages = 256;

  void grow();
  void grow_to(std::size_t size);
  void leave_flight(const OutstandingChunk& chunk);
  void enter_flight(const OutstandingChunk& chunk);
  void acknowledge(UnwrappedTsn tsn, SackOutcome& outcome, TimePoint now);
  void advance(UnwrappedTsn to, SackOutcome& outcome, TimePoint now);
  void mark_gaps(const SackChunk& sack, SackOutcome& outcome, TimePoint now);
  void count_misses(UnwrappedTsn highest, SackOutcome& outcome);
  void lose(UnwrappedTsn tsn);
  [[nodiscard]] bool given_up(const OutstandingChunk& chunk, TimePoint now) const;

  MessageSlab& messages_;
  std::size_t header_size_;
  UnwrappedTsn next_;
  UnwrappedTsn cumulative_;
  std::vector<OutstandingChunk> chunks_;  // a power of two
  std::vector<State> states_;
  std::size_t in_flight_ = 0;
  std::size_t in_flight_payload_ = 0;
  std::size_t lost_count_ = 0;
  UnwrappedTsn lowest_lost_;    // no lost chunk is below
  UnwrappedTsn highest_acked_;  // by a gap block; no acked chunk is above
  std::uint64_t order_ = 0;
  std::uint64_t newest_acked_order_ = 0;
  std::uint64_t probe_order_ = 0;
  UnwrappedTsn timed_tsn_;       // the chunk whose round trip is measured
  TimePoint timed_at_ = kNever;  // kNever: none is
  std::vector<MessageIndex> abandoned_;
  std::uint64_t abandoned_count_ = 0;
};

}  // namespace wdc::sctp

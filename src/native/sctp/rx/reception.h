// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "src/native/sctp/packet/packet.h"
#include "src/native/sctp/rx/reassembly.h"
#include "src/native/sctp/rx/received_tsns.h"
#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// How often to acknowledge.
enum class SackRate : std::uint8_t {
  /// RFC 9260 section 6.2. dcSCTP's window grows with every SACK: fewer would starve it.
  every_second_packet,
  /// One for each call of Association::handle_packets, for a peer whose window grows by bytes.
  every_burst,
};

/// The receiving half of an association: TSNs, acknowledgements, reassembly.
class Reception {
 public:
  struct Terms {
    Tsn initial_tsn;
    DataKind kind = DataKind::data;
    SackRate sack_rate = SackRate::every_second_packet;
    ReassemblyLimits limits;
  };
  enum class Outcome { fine, inconsistent, too_large };

  Reception(const Terms& terms, BufferPool& pool, std::uint64_t seed);

  template <class Chunk>
  [[nodiscard]] Outcome handle_data(const Chunk& chunk) {
    return handle_fragment(Fragment::of(chunk, tsns_.unwrap(chunk.tsn)));
  }
  void handle_forward(const ForwardTsnChunk& chunk);
  void handle_forward(const IForwardTsnChunk& chunk);
  /// The packet the chunks were in has ended: acknowledgements are counted by packets.
  void handle_packet_end(TimePoint now);
  void handle_timeout();
  void reset_stream(StreamId stream) { reassembly_.reset_stream(stream); }
  void reset_all_streams() { reassembly_.reset_all_streams(); }

  [[nodiscard]] std::optional<ReceivedMessage> poll_message() { return reassembly_.poll_message(); }
  void consumed(std::size_t bytes);

  [[nodiscard]] bool wants_sack() const { return !due_.empty(); }
  /// Something came that no SACK has told of yet.
  [[nodiscard]] bool has_unacknowledged() const { return packets_unacknowledged_ > 0; }
  /// Writes the SACKs that are due, as many as fit.
  void write_sacks(PacketWriter& packet);
  void request_sack();
  [[nodiscard]] TimePoint deadline() const { return delayed_; }

  [[nodiscard]] DataKind kind() const { return kind_; }
  [[nodiscard]] UnwrappedTsn unwrap(Tsn tsn) const { return tsns_.unwrap(tsn); }
  [[nodiscard]] UnwrappedTsn cumulative() const { return tsns_.cumulative(); }
  [[nodiscard]] const Reassembly& reassembly() const { return reassembly_; }
  [[nodiscard]] std::uint64_t duplicates() const { return duplicate_count_; }

  /// A lone packet is acknowledged after this long; RFC 9260 section 6.2 allows 500 ms. Shorter than any peer's minimal
  /// retransmission timeout by far, long enough to save every second SACK.
  static constexpr Duration kSackDelay = std::chrono::milliseconds(40);

 private:
  /// SACKs of one burst that are kept apart; more are merged.
  static constexpr std::size_t kMostDue = 64;
  static constexpr std::size_t kMostDuplicates = 16;
  static constexpr std::size_t kMostGapBlocks = 280;

  /// With so many fragments a connection is busy, and what its next loss of packets will want is allocated: 150 KB, for
  /// so many messages, and runs of parts of them, behind a gap. More would make it grow then.
  static constexpr std::size_t kBusyAfter = 256;
  static constexpr std::size_t kMessagesBehindGap = 1'024;
  static constexpr std::size_t kRunsBehindGap = 128;

  [[nodiscard]] Outcome handle_fragment(const Fragment& fragment);
  void count_until_busy();
  [[nodiscard]] bool may_forward_to(UnwrappedTsn tsn);
  void owe_sack();

  DataKind kind_;
  SackRate sack_rate_;
  ReassemblyLimits limits_;
  ReceivedTsns tsns_;
  Reassembly reassembly_;
  /// One for each SACK that is owed: the highest TSN received when it became due. Acknowledging up to there tells the
  /// peer what it would have been told at that moment.
  std::vector<UnwrappedTsn> due_;
  std::vector<Tsn> duplicates_;
  std::vector<GapBlock> gap_blocks_;
  TimePoint delayed_ = kNever;
  std::size_t packets_unacknowledged_ = 0;
  std::size_t fragments_ = 0;  // up to kBusyAfter
  bool packet_had_data_ = false;
  bool at_once_ = true;  // the first packet is acknowledged without delay (RFC 9260 section 5.1)
  std::size_t advertised_;
  std::uint64_t duplicate_count_ = 0;
};

}  // namespace wdc::sctp

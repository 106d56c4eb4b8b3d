// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "src/native/sctp/packet/forward_tsn_chunk.h"
#include "src/native/sctp/packet/i_forward_tsn_chunk.h"
#include "src/native/sctp/packet/packet.h"
#include "src/native/sctp/tx/congestion_controller.h"
#include "src/native/sctp/tx/outstanding.h"
#include "src/native/sctp/tx/pacer.h"
#include "src/native/sctp/tx/path_limit.h"
#include "src/native/sctp/tx/retransmission_timeout.h"
#include "src/native/sctp/tx/send_queue.h"

namespace wdc::sctp {

/// What both ends agreed on, as far as sending goes.
struct TransmissionTerms {
  Tsn initial_tsn;
  std::uint32_t peer_window = 0;
  DataKind kind = DataKind::data;
  bool partial_reliability = false;
};

/// The sending half of an association: queued messages, outstanding chunks, retransmission and the congestion window
/// (RFC 9260 sections 6 and 7, RFC 3758).
class Transmission {
 public:
  Transmission(std::size_t packet_size, const RetransmissionTimeoutOptions& timeouts,
               std::unique_ptr<CongestionController> congestion);
  ~Transmission();

  /// The association is set up. Messages may have been queued before.
  void start(const TransmissionTerms& terms);
  /// Drops every message; after this it may be started again.
  void stop();

  /// REQUIRES: the payload is not empty and smaller than 4 GiB.
  void send(StreamId stream, Ppid ppid, Payload payload, const SendOptions& options, TimePoint now);
  /// Drops a stream's messages that were not sent, but for those of one PPID. One that is partly sent is given up where
  /// the peer takes a FORWARD-TSN, and otherwise goes on.
  void discard(StreamId stream, Ppid kept);
  /// Fills one packet with chunks as far as the windows allow; false if it wrote none.
  [[nodiscard]] bool fill(PacketWriter& packet, TimePoint now);
  /// Writes a FORWARD-TSN if one is due.
  void write_forward(PacketWriter& packet, TimePoint now);

  /// False where the SACK is a lie or out of date.
  bool handle_sack(const SackChunk& sack, TimePoint now);
  bool handle_cumulative(Tsn cumulative, TimePoint now);
  /// The retransmission timer T3 has run out (RFC 9260 section 6.3.3): true; or it is time for a probe.
  bool handle_timeout(TimePoint now);
  [[nodiscard]] TimePoint deadline() const { return std::min({t3_, probe_at_, pace_at_}); }

  /// Everything that was sent is acknowledged, and nothing waits.
  [[nodiscard]] bool is_done() const { return queue_.empty() && (!outstanding_ || outstanding_->empty()); }
  [[nodiscard]] bool wants_forward() const { return forward_due_; }
  /// The last TSN given to a chunk.
  [[nodiscard]] Tsn last_assigned_tsn() const { return outstanding_->next_tsn().previous().wire(); }
  [[nodiscard]] bool peer_has_room() const {
    return outstanding_ && outstanding_->in_flight_payload() + packet_size_ <= peer_window_;
  }
  /// While held, nothing is sent that was not sent before.
  void hold(bool held) { is_held_ = held; }
  /// Ask for acknowledgements without delay from now on (RFC 7053 section 4.1).
  void hurry() { hurried_ = true; }

  [[nodiscard]] SendQueue& queue() { return queue_; }
  [[nodiscard]] const SendQueue& queue() const { return queue_; }
  [[nodiscard]] RetransmissionTimeout& timeout() { return timeout_; }
  [[nodiscard]] const RetransmissionTimeout& timeout() const { return timeout_; }
  [[nodiscard]] const CongestionController& congestion() const { return *congestion_; }
  [[nodiscard]] std::size_t in_flight_bytes() const { return outstanding_ ? outstanding_->in_flight_bytes() : 0; }
  [[nodiscard]] std::size_t messages() const { return messages_.used(); }
  [[nodiscard]] std::uint64_t abandoned_messages() const {
    return queue_.expired() + (outstanding_ ? outstanding_->abandoned_messages() : 0);
  }
  [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }
  [[nodiscard]] std::uint64_t timeouts() const { return timeouts_; }
  [[nodiscard]] std::uint64_t probes() const { return probes_; }
  void set_packet_size(std::size_t bytes);

 private:
  /// Shorter waits would only tell that a thread was not scheduled.
  static constexpr Duration kLeastProbeWait = std::chrono::milliseconds(10);
  /// RFC 9260 section 6.2 allows 500 ms; browsers wait up to 200 with the SACK of a lone packet.
  static constexpr Duration kLongestSackDelay = std::chrono::milliseconds(200);

  [[nodiscard]] std::size_t header_size() const {
    return terms_.kind == DataKind::i_data ? IDataChunk::kHeaderSize : DataChunk::kHeaderSize;
  }
  [[nodiscard]] bool window_open() const {
    return !is_paced_ && outstanding_->in_flight_bytes() < std::min(congestion_->window(), path_limit_.bytes());
  }
  [[nodiscard]] Pacer::Path path() const;
  void pace(TimePoint now);
  [[nodiscard]] bool write_lost(PacketWriter& packet, const Outstanding::Lost& lost);
  [[nodiscard]] bool write_new(PacketWriter& packet, TimePoint now);
  [[nodiscard]] std::size_t fragment_size(const OutgoingMessage& message, const PacketWriter& packet) const;
  void write_chunk(PacketWriter& packet, const OutgoingMessage& message, UnwrappedTsn tsn,
                   const OutstandingChunk& chunk);
  void take_abandoned();
  void apply(const SackOutcome& outcome, TimePoint now);
  void judge_probe(const SackChunk& sack, TimePoint now);
  void arm_t3(TimePoint now);
  void arm_probe(TimePoint now);
  void handle_t3(TimePoint now);
  [[nodiscard]] bool may_send_new(TimePoint now);
  template <class Chunk, class ToSend>
  [[nodiscard]] bool write_forward_as(PacketWriter& packet, std::vector<typename Chunk::Skip>& skips);

  std::size_t packet_size_;
  TransmissionTerms terms_;
  MessageSlab messages_;
  SendQueue queue_;
  std::optional<Outstanding> outstanding_;
  RetransmissionTimeout timeout_;
  std::unique_ptr<CongestionController> congestion_;
  PathLimit path_limit_;
  std::uint32_t peer_window_ = 0;  // as last advertised, what is in flight included
  TimePoint t3_ = kNever;
  /// Where nothing is acknowledged for two round trips, the last packets may be lost, of which no SACK will ever tell.
  /// So one more packet goes, whatever the window says, to get a SACK that shows what is missing (as RFC 8985 section
  /// 7).
  TimePoint probe_at_ = kNever;
  bool probe_due_ = false;
  bool probed_ = false;                            // since something was acknowledged
  std::optional<UnwrappedTsn> repeated_by_probe_;  // until it is known whether the first one was lost
  Pacer pacer_;
  bool is_paced_ = false;       // nothing new may leave now
  TimePoint pace_at_ = kNever;  // but something is to leave then
  bool in_recovery_ = false;
  UnwrappedTsn recovery_end_;
  bool fast_retransmit_ = false;  // one packet may go whatever the window says (RFC 9260 section 7.2.4)
  bool is_held_ = false;
  bool hurried_ = false;
  bool forward_due_ = false;
  UnwrappedTsn forwarded_to_;
  TimePoint forwarded_at_{};
  std::uint64_t retransmissions_ = 0;
  std::uint64_t timeouts_ = 0;
  std::uint64_t probes_ = 0;
  std::vector<ForwardTsnChunk::Skip> skips_;
  std::vector<IForwardTsnChunk::Skip> i_skips_;
};

}  // namespace wdc::sctp

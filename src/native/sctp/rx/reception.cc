// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/reception.h"

#include <algorithm>

namespace wdc::sctp {

Reception::Reception(const Terms& terms, BufferPool& pool, std::uint64_t seed)
    : kind_(terms.kind),
      sack_rate_(terms.sack_rate),
      limits_(terms.limits),

      tsns_(terms.initial_tsn),
      reassembly_(terms.kind, terms.limits, pool, seed),
      gap_blocks_(kMostGapBlocks),
      advertised_(terms.limits.window) {
  due_.reserve(kMostDue);
  duplicates_.reserve(kMostDuplicates);
}

Reception::Outcome Reception::handle_fragment(const Fragment& fragment) {
  packet_had_data_ = true;
  switch (tsns_.judge(fragment.tsn)) {
    case ReceivedTsns::Arrival::too_far:
      at_once_ = true;
      return Outcome::fine;
    case ReceivedTsns::Arrival::duplicate:
      ++duplicate_count_;
      at_once_ = true;  // RFC 9260 section 6.2: our SACK may have been lost
      if (duplicates_.size() < kMostDuplicates) duplicates_.push_back(fragment.tsn.wire());
      return Outcome::fine;
    case ReceivedTsns::Arrival::fresh:
      break;
  }
  switch (reassembly_.add(fragment, fragment.tsn == tsns_.cumulative().next())) {
    case Reassembly::Outcome::taken:
      break;
    case Reassembly::Outcome::no_room:
      at_once_ = true;
      return Outcome::fine;
    case Reassembly::Outcome::inconsistent:
      return Outcome::inconsistent;
    case Reassembly::Outcome::too_large:
      return Outcome::too_large;
  }
  // RFC 9260 section 6.7: at once while there is a gap, and when the last one closes.
  if (tsns_.has_gap()) at_once_ = true;
  tsns_.record(fragment.tsn);
  if (tsns_.has_gap() || fragment.flags.immediate_sack) at_once_ = true;
  if (fragments_ < kBusyAfter) count_until_busy();
  return Outcome::fine;
}

void Reception::count_until_busy() {
  ++fragments_;
  if (fragments_ < kBusyAfter) return;
  tsns_.reserve();
  reassembly_.reserve(kMessagesBehindGap, kRunsBehindGap);
}

/// Neither backwards nor farther than TSNs are kept.
bool Reception::may_forward_to(UnwrappedTsn tsn) {
  packet_had_data_ = true;
  at_once_ = true;
  return tsn > tsns_.cumulative() && tsn.since(tsns_.cumulative()) <= ReceivedTsns::kMaxAhead;
}

void Reception::handle_forward(const ForwardTsnChunk& chunk) {
  const UnwrappedTsn tsn = tsns_.unwrap(chunk.new_cumulative_tsn);
  if (!may_forward_to(tsn)) return;
  tsns_.advance_to(tsn);
  reassembly_.forward(tsn, chunk);
}

void Reception::handle_forward(const IForwardTsnChunk& chunk) {
  const UnwrappedTsn tsn = tsns_.unwrap(chunk.new_cumulative_tsn);
  if (!may_forward_to(tsn)) return;
  tsns_.advance_to(tsn);
  reassembly_.forward(chunk);
}

void Reception::handle_packet_end(TimePoint now) {
  if (!std::exchange(packet_had_data_, false)) return;
  ++packets_unacknowledged_;
  if (at_once_ || packets_unacknowledged_ >= 2) {
    owe_sack();
  } else if (delayed_ == kNever) {
    delayed_ = now + kSackDelay;
  }
}

void Reception::owe_sack() {
  if (sack_rate_ == SackRate::every_burst || due_.size() == kMostDue) {
    if (!due_.empty()) due_.pop_back();
  }
  due_.push_back(tsns_.highest());
  packets_unacknowledged_ = 0;
  at_once_ = false;
  delayed_ = kNever;
}

void Reception::request_sack() {
  if (due_.empty()) owe_sack();
}

void Reception::handle_timeout() { owe_sack(); }

void Reception::consumed(std::size_t bytes) {
  reassembly_.consumed(bytes);
  // A peer that was told of a small window hears when there is room again (RFC 9260 section 6.2).
  const std::size_t window = reassembly_.window();
  const std::size_t step = limits_.window / (advertised_ < limits_.window / 8 ? 8 : 4);
  if (window >= advertised_ + step) request_sack();
}

void Reception::write_sacks(PacketWriter& packet) {
  std::size_t written = 0;
  advertised_ = reassembly_.window();
  for (const UnwrappedTsn highest : due_) {
    if (packet.room() < SackChunk::kHeaderSize) break;
    const std::size_t most =
        std::min(gap_blocks_.size(), (packet.room() - SackChunk::kHeaderSize) / SackChunk::kGapBlockSize);
    const UnwrappedTsn cumulative = std::min(tsns_.cumulative(), highest);
    const std::size_t gaps =
        highest > tsns_.cumulative() ? tsns_.gap_blocks(std::span(gap_blocks_).first(most), highest) : 0;
    SackToSend sack{cumulative.wire(),
                    static_cast<std::uint32_t>(std::min<std::size_t>(advertised_, 0xffffffff)),
                    std::span(gap_blocks_).first(gaps),
                    {}};
    if (const SackToSend whole{sack.cumulative_tsn, sack.a_rwnd, sack.gap_blocks, duplicates_};
        whole.size() <= packet.room()) {
      sack = whole;
    }
    if (!packet.append(sack)) break;
    if (!sack.duplicates.empty()) duplicates_.clear();
    ++written;
  }
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(written));
  if (due_.empty()) duplicates_.clear();
}

}  // namespace wdc::sctp

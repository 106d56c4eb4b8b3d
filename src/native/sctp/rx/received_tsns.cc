// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/received_tsns.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace wdc::sctp {

bool ReceivedTsns::test(UnwrappedTsn tsn) const {
  const std::size_t index = static_cast<std::size_t>(tsn.value()) & (bits() - 1);
  return ((words_[index / kWordBits] >> (index % kWordBits)) & 1) != 0;
}

ReceivedTsns::Arrival ReceivedTsns::judge(UnwrappedTsn tsn) const {
  if (tsn <= cumulative_) return Arrival::duplicate;
  if (tsn.since(cumulative_) > kMaxAhead) return Arrival::too_far;
  return tsn <= highest_ && test(tsn) ? Arrival::duplicate : Arrival::fresh;
}

void ReceivedTsns::record(UnwrappedTsn tsn) {
  if (tsn == cumulative_.next() && !has_gap()) {  // the usual case touches no bit
    cumulative_ = highest_ = tsn;
    return;
  }
  grow(tsn.since(cumulative_));
  const std::size_t index = static_cast<std::size_t>(tsn.value()) & (bits() - 1);
  words_[index / kWordBits] |= std::uint64_t{1} << (index % kWordBits);
  highest_ = std::max(highest_, tsn);
  slide();
}

void ReceivedTsns::advance_to(UnwrappedTsn tsn) {
  assert(tsn.since(cumulative_) <= kMaxAhead);
  if (tsn <= cumulative_) return;
  for (UnwrappedTsn at = cumulative_.next(); at <= std::min(tsn, highest_); at = at.next()) {
    const std::size_t index = static_cast<std::size_t>(at.value()) & (bits() - 1);
    words_[index / kWordBits] &= ~(std::uint64_t{1} << (index % kWordBits));
  }
  cumulative_ = tsn;
  highest_ = std::max(highest_, tsn);
  slide();
}

/// Moves the cumulative TSN over the bits that follow it, and clears them.
void ReceivedTsns::slide() {
  while (cumulative_ < highest_ && test(cumulative_.next())) {
    cumulative_ = cumulative_.next();
    const std::size_t index = static_cast<std::size_t>(cumulative_.value()) & (bits() - 1);
    words_[index / kWordBits] &= ~(std::uint64_t{1} << (index % kWordBits));
  }
}

void ReceivedTsns::grow(std::int64_t ahead) {
  if (static_cast<std::size_t>(ahead) < bits()) return;
  std::vector<std::uint64_t> larger(std::bit_ceil(static_cast<std::size_t>(ahead) / kWordBits + 1));
  larger.swap(words_);
  if (larger.empty()) return;
  const std::size_t old_bits = larger.size() * kWordBits;
  for (UnwrappedTsn at = cumulative_.next(); at <= highest_; at = at.next()) {
    const std::size_t old_index = static_cast<std::size_t>(at.value()) & (old_bits - 1);
    if (((larger[old_index / kWordBits] >> (old_index % kWordBits)) & 1) == 0) continue;
    const std::size_t index = static_cast<std::size_t>(at.value()) & (bits() - 1);
    words_[index / kWordBits] |= std::uint64_t{1} << (index % kWordBits);
  }
}

UnwrappedTsn ReceivedTsns::find(UnwrappedTsn from, bool value) const {
  while (from <= highest_) {
    const std::size_t index = static_cast<std::size_t>(from.value()) & (bits() - 1);
    const std::uint64_t word = value ? words_[index / kWordBits] : ~words_[index / kWordBits];
    const std::uint64_t rest = word >> (index % kWordBits);
    if (rest != 0) return std::min(from.plus(std::countr_zero(rest)), highest_.next());
    from = from.plus(static_cast<std::int64_t>(kWordBits - index % kWordBits));
  }
  return highest_.next();
}

std::size_t ReceivedTsns::gap_blocks(std::span<GapBlock> blocks, UnwrappedTsn limit) const {
  std::size_t count = 0;
  UnwrappedTsn at = cumulative_.next();
  while (count < blocks.size()) {
    const UnwrappedTsn start = find(at, true);
    if (start > highest_ || start > limit) break;
    at = find(start, false);
    const UnwrappedTsn end = std::min(at.previous(), limit);
    blocks[count++] = {static_cast<std::uint16_t>(start.since(cumulative_)),
                       static_cast<std::uint16_t>(end.since(cumulative_))};
  }
  return count;
}

}  // namespace wdc::sctp

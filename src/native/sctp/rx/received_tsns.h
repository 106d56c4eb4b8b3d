// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/packet/sack_chunk.h"

namespace wdc::sctp {

/// Which TSNs have arrived: all up to the cumulative one, and a bit for each above it, in a ring indexed by TSN.
class ReceivedTsns {
 public:
  /// A gap block's offsets have 16 bits: nothing farther ahead could be acknowledged (RFC 9260 section 3.3.4).
  static constexpr std::int64_t kMaxAhead = 65'535;

  enum class Arrival { fresh, duplicate, too_far };

  explicit ReceivedTsns(Tsn initial) : cumulative_(UnwrappedTsn(initial).previous()), highest_(cumulative_) {}

  [[nodiscard]] UnwrappedTsn unwrap(Tsn tsn) const { return UnwrappedTsn::near(cumulative_, tsn); }
  /// What recording it would say.
  [[nodiscard]] Arrival judge(UnwrappedTsn tsn) const;
  /// REQUIRES: judge(tsn) == fresh.
  void record(UnwrappedTsn tsn);
  /// Takes everything up to `tsn` as received (FORWARD-TSN). REQUIRES: at most kMaxAhead above cumulative().
  void advance_to(UnwrappedTsn tsn);

  /// All the room that gaps can ever need.
  void reserve() { grow(kMaxAhead); }

  [[nodiscard]] UnwrappedTsn cumulative() const { return cumulative_; }
  /// The highest TSN received.
  [[nodiscard]] UnwrappedTsn highest() const { return highest_; }
  [[nodiscard]] bool has_gap() const { return highest_ > cumulative_; }
  /// The blocks above the cumulative TSN up to `limit`, lowest first, at most `blocks.size()` of them; returns how
  /// many.
  [[nodiscard]] std::size_t gap_blocks(std::span<GapBlock> blocks, UnwrappedTsn limit) const;

 private:
  static constexpr std::size_t kWordBits = 64;
  [[nodiscard]] std::size_t bits() const { return words_.size() * kWordBits; }
  [[nodiscard]] bool test(UnwrappedTsn tsn) const;
  void grow(std::int64_t ahead);
  void slide();
  /// The first TSN from `from` on, up to highest_, whose bit is `value`; highest_ + 1 if there is none.
  [[nodiscard]] UnwrappedTsn find(UnwrappedTsn from, bool value) const;

  UnwrappedTsn cumulative_;
  UnwrappedTsn highest_;
  std::vector<std::uint64_t> words_;  // a power of two; a bit per TSN above cumulative_
};

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace wdc::dtls {

/// Which of the latest sequence numbers were seen (RFC 6347 section 4.1.2.6): a ring of bits, moved a word at a time.
class ReplayWindow {
 public:
  /// Several bursts of 64, so that paths which reorder whole trains lose nothing.
  static constexpr std::uint64_t kSize = 1'024;

  /// Neither seen nor too old.
  [[nodiscard]] bool fresh(std::uint64_t sequence) const {
    if (sequence >= next_) return true;
    if (next_ - sequence > kSize) return false;
    return (words_[word_of(sequence)] & bit_of(sequence)) == 0;
  }

  /// REQUIRES: fresh(sequence), and that its record's tag has verified.
  void mark(std::uint64_t sequence) {
    if (sequence >= next_) {
      const std::uint64_t first = next_ == 0 ? 0 : (next_ - 1) / 64 + 1;
      const std::uint64_t last = sequence / 64;
      const std::uint64_t count = last >= first ? std::min<std::uint64_t>(last - first + 1, kWords) : 0;
      for (std::uint64_t i = 0; i < count; ++i) words_[(last - i) % kWords] = 0;
      next_ = sequence + 1;
    }
    words_[word_of(sequence)] |= bit_of(sequence);
  }

 private:
  // One more than the window needs: the word of the newest number is shared with numbers yet to come.
  static constexpr std::size_t kWords = kSize / 64 + 1;
  [[nodiscard]] static std::size_t word_of(std::uint64_t sequence) { return (sequence / 64) % kWords; }
  [[nodiscard]] static std::uint64_t bit_of(std::uint64_t sequence) { return std::uint64_t{1} << (sequence % 64); }

  std::uint64_t next_ = 0;  // one above the highest number that was seen
  std::array<std::uint64_t, kWords> words_{};
};

}  // namespace wdc::dtls

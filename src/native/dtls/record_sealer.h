// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/dtls/aead.h"
#include "src/native/dtls/record.h"

namespace wdc::dtls {

/// The first four bytes of every nonce of a key (RFC 5288 section 3).
using Salt = std::array<std::byte, 4>;

/// How long a key may serve. Blocks are AES blocks of 16 bytes, one more a record than its text has.
struct RecordLimits {
  /// 2^36 blocks, a tebibyte: the chance to tell GCM from a random function stays below blocks^2 / 2^129 = 2^-57, the
  /// margin of RFC 8446 section 5.5, which counts records of full size only.
  std::uint64_t sealed_blocks = std::uint64_t{1} << 36;
  /// RFC 9147 section 4.5.3, for AEAD_AES_128_GCM and AEAD_AES_256_GCM.
  std::uint64_t failed_tags = std::uint64_t{1} << 36;
  /// DTLS 1.2 cannot go on behind it.
  std::uint64_t last_sequence = kMostSequence;
};

/// Makes records of epoch 1 out of texts, in place. The only user of its key and of its sequence numbers.
class RecordSealer {
 public:
  RecordSealer(std::unique_ptr<Aead> aead, Salt salt, const RecordLimits& limits = {})
      : aead_(std::move(aead)), salt_(salt), limits_(limits) {}

  /// Each text has kHeadRoom bytes before it and kTailRoom behind it, which are written; the views become whole
  /// records. False, with nothing usable, where the key may protect no more: the session is at its end.
  /// REQUIRES: no text is longer than kMostText.
  [[nodiscard]] bool seal(ContentType type, std::span<MutableByteView> texts);

  [[nodiscard]] std::uint64_t next_sequence() const { return next_sequence_; }
  [[nodiscard]] std::uint64_t sealed_blocks() const { return sealed_blocks_; }

 private:
  [[nodiscard]] bool seal_some(ContentType type, std::span<MutableByteView> texts);

  std::unique_ptr<Aead> aead_;
  Salt salt_;
  RecordLimits limits_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t sealed_blocks_ = 0;
};

}  // namespace wdc::dtls

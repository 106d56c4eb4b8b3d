// SPDX-License-Identifier: MIT
#include "src/native/dtls/record_sealer.h"

#include <cassert>

#include "src/native/dtls/record_job.h"

namespace wdc::dtls {

bool RecordSealer::seal(ContentType type, std::span<MutableByteView> texts) {
  while (!texts.empty()) {
    const std::size_t count = std::min(texts.size(), kMostJobs);
    if (!seal_some(type, texts.first(count))) return false;
    texts = texts.subspan(count);
  }
  return true;
}

bool RecordSealer::seal_some(ContentType type, std::span<MutableByteView> texts) {
  std::array<AeadJob, kMostJobs> jobs;
  std::uint64_t blocks = sealed_blocks_;
  std::uint64_t sequence = next_sequence_;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const MutableByteView text = texts[i];
    assert(text.size() <= kMostText);
    blocks += text.size() / 16 + 2;  // a partial block, and the one that masks the tag
    if (blocks > limits_.sealed_blocks || sequence > limits_.last_sequence) return false;
    const RecordHeader header{type, kDtls12, 1, sequence++,
                              static_cast<std::uint16_t>(kExplicitNonceSize + text.size() + kTagSize)};
    std::byte* const start = text.data() - kHeadRoom;
    header.write(start);
    // Epoch and sequence number never repeat under a key. Random numbers might.
    store_big_endian(start + kHeaderSize, header.epoch_and_sequence());
    fill_job(jobs[i], header, salt_, start + kHeaderSize, text);
    texts[i] = {start, kHeaderSize + header.length};
  }
  // Spent, even where the rest fails.
  next_sequence_ = sequence;
  sealed_blocks_ = blocks;
  return aead_->seal(std::span(jobs).first(texts.size()));
}

}  // namespace wdc::dtls

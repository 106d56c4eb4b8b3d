// SPDX-License-Identifier: MIT
#include "src/native/dtls/record_opener.h"

#include "src/native/dtls/record_job.h"

namespace wdc::dtls {

void RecordOpener::open(std::span<ArrivedRecord> records) {
  while (!records.empty()) {
    const std::size_t count = std::min(records.size(), kMostJobs);
    open_some(records.first(count));
    records = records.subspan(count);
  }
}

void RecordOpener::open_some(std::span<ArrivedRecord> records) {
  std::array<AeadJob, kMostJobs> jobs;
  std::array<std::size_t, kMostJobs> owners;  // of the jobs, by place
  std::size_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    ArrivedRecord& arrived = records[i];
    const RecordHeader& header = arrived.record.header;
    const MutableByteView fragment = arrived.record.fragment();
    constexpr std::size_t kOverhead = kExplicitNonceSize + kTagSize;
    if (header.version != kDtls12 || fragment.size() < kOverhead || fragment.size() > kMostText + kOverhead) {
      arrived.status = OpenStatus::malformed;
      continue;
    }
    if (!window_.fresh(header.sequence)) {
      arrived.status = OpenStatus::replayed;
      continue;
    }
    arrived.text = fragment.subspan(kExplicitNonceSize, fragment.size() - kOverhead);
    fill_job(jobs[count], header, salt_, fragment.data(), arrived.text);
    owners[count++] = i;
  }
  aead_->open(std::span(jobs).first(count));
  for (std::size_t i = 0; i < count; ++i) {
    ArrivedRecord& arrived = records[owners[i]];
    const std::uint64_t sequence = arrived.record.header.sequence;
    if (!jobs[i].verified) {
      ++failed_tags_;
      arrived.status = OpenStatus::forged;
    } else if (!window_.fresh(sequence)) {  // twice in this burst
      arrived.status = OpenStatus::replayed;
    } else {
      window_.mark(sequence);
      arrived.status = OpenStatus::opened;
    }
    if (arrived.status != OpenStatus::opened) arrived.text = {};
  }
}

}  // namespace wdc::dtls

// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "src/native/dtls/aead.h"
#include "src/native/dtls/record.h"
#include "src/native/dtls/record_sealer.h"

namespace wdc::dtls {

/// As many as one train has.
inline constexpr std::size_t kMostJobs = 64;

/// The nonce is the salt and what travels with the record, the additional data is
/// epoch | sequence | type | version | length of the text (RFC 5246 section 6.2.3.3).
inline void fill_job(AeadJob& job, const RecordHeader& header, const Salt& salt, const std::byte* explicit_nonce,
                     MutableByteView text) {
  job.text = text.data();
  job.size = text.size();
  std::memcpy(job.nonce.data(), salt.data(), salt.size());
  std::memcpy(job.nonce.data() + salt.size(), explicit_nonce, kExplicitNonceSize);
  std::byte* const data = job.additional_data.data();
  store_big_endian(data, header.epoch_and_sequence());
  data[8] = static_cast<std::byte>(header.type);
  store_big_endian(data + 9, header.version);
  store_big_endian(data + 11, static_cast<std::uint16_t>(text.size()));
}

}  // namespace wdc::dtls

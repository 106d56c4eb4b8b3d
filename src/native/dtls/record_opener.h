// SPDX-License-Identifier: MIT
#pragma once

#include "src/native/dtls/record_sealer.h"
#include "src/native/dtls/replay_window.h"

namespace wdc::dtls {

enum class OpenStatus : std::uint8_t { opened, malformed, replayed, forged };

struct ArrivedRecord {
  Record record{};
  OpenStatus status{};
  MutableByteView text{};  // where opened: inside the record
};

/// Opens records of epoch 1, in place, a burst at a time, each sequence number once.
class RecordOpener {
 public:
  RecordOpener(std::unique_ptr<Aead> aead, Salt salt, const RecordLimits& limits = {})
      : aead_(std::move(aead)), salt_(salt), limits_(limits) {}

  /// Sets the status and the text of each.
  void open(std::span<ArrivedRecord> records);

  [[nodiscard]] std::uint64_t failed_tags() const { return failed_tags_; }
  /// So many records were forged that the key is not to be trusted any more: end the session.
  [[nodiscard]] bool exhausted() const { return failed_tags_ >= limits_.failed_tags; }

 private:
  void open_some(std::span<ArrivedRecord> records);

  std::unique_ptr<Aead> aead_;
  Salt salt_;
  RecordLimits limits_;
  ReplayWindow window_;
  std::uint64_t failed_tags_ = 0;
};

}  // namespace wdc::dtls

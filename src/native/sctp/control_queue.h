// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "src/native/sctp/packet/packet.h"
#include "src/native/sctp/packet_train.h"

namespace wdc::sctp {

/// Whole packets that answer something at once and have their own tag: INIT ACK, ABORT and the like.
class ControlQueue {
 public:
  /// Answers kept until they are sent; what provokes more goes unanswered.
  static constexpr std::size_t kMostPackets = 16;

  [[nodiscard]] bool empty() const { return sizes_.empty(); }
  /// Adds a packet of one chunk, if there is room and it fits `packet_size`.
  template <class Chunk>
  void push(const CommonHeader& header, const Chunk& chunk, std::size_t packet_size) {
    if (sizes_.size() == kMostPackets) return;
    const std::size_t start = bytes_.size();
    bytes_.resize(start + packet_size);
    PacketWriter writer(MutableByteView(bytes_).subspan(start), header);
    if (!writer.append(chunk)) {
      bytes_.resize(start);
      return;
    }
    sizes_.push_back(writer.finish(Checksum::crc32c));
    bytes_.resize(start + sizes_.back());
  }
  /// Moves as many as fit to the train.
  void drain_to(PacketTrain& train) {
    std::size_t taken = 0;
    std::size_t start = 0;
    for (; taken < sizes_.size() && !train.full(); ++taken) {
      if (sizes_[taken] <= train.packet_size()) {
        copy_bytes(train.slot().data(), std::span(bytes_).subspan(start, sizes_[taken]));
        train.push(sizes_[taken]);
      }
      start += sizes_[taken];
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(start));
    sizes_.erase(sizes_.begin(), sizes_.begin() + static_cast<std::ptrdiff_t>(taken));
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> sizes_;
};

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cassert>
#include <cstdint>

#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

/// Packets in slots of one contiguous block, ready to be sealed in place and sent by one call:
///
///   | head room | packet 0 (full) | tail room | head room | packet 1 (full) | tail room | head room | packet 2 | ...
///
/// Those with data are all full, only the last may be shorter; control packets have trains of their own.
class PacketTrain {
 public:
  /// As many as one UDP_SEGMENT send takes.
  static constexpr std::size_t kMostPackets = 64;

  /// `memory` outlives the train. Slots are as many as fit it, at most kMostPackets.
  PacketTrain(MutableByteView memory, std::size_t packet_size, std::size_t head_room = 0, std::size_t tail_room = 0)
      : memory_(memory),
        packet_size_(packet_size),
        head_room_(head_room),
        stride_(head_room + packet_size + tail_room) {
    capacity_ = memory.size() / stride_;
    if (capacity_ > kMostPackets) capacity_ = kMostPackets;
  }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t packet_size() const { return packet_size_; }
  [[nodiscard]] std::size_t stride() const { return stride_; }
  /// REQUIRES: index < count().
  [[nodiscard]] MutableByteView packet(std::size_t index) const {
    assert(index < count_);
    return memory_.subspan(index * stride_ + head_room_, sizes_[index]);
  }

  void clear() { count_ = 0; }
  [[nodiscard]] bool full() const { return count_ == capacity_; }
  /// Where a packet that is `ahead` places behind the last one goes. REQUIRES: there is such a slot.
  [[nodiscard]] MutableByteView slot(std::size_t ahead = 0) const {
    assert(count_ + ahead < capacity_);
    return memory_.subspan((count_ + ahead) * stride_ + head_room_, packet_size_);
  }
  void push(std::size_t size) {
    assert(!full() && size <= packet_size_);
    sizes_[count_++] = static_cast<std::uint16_t>(size);
  }

 private:
  MutableByteView memory_;
  std::size_t packet_size_;
  std::size_t head_room_;
  std::size_t stride_;
  std::size_t capacity_ = 0;
  std::size_t count_ = 0;
  std::array<std::uint16_t, kMostPackets> sizes_{};
};

}  // namespace wdc::sctp

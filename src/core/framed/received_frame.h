// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "src/core/framed/codec.h"
#include "src/core/intrusive_list.h"
#include "src/core/message_access.h"
#include "wdc/message.h"

namespace wdc::core::framed {

class FramePool;

/// Something that a reader comes to in its turn: a batch, or a message in parts.
class ReceiveItem : public ListLink<ReceiveItem> {
 public:
  enum class Kind : std::uint8_t { batch, incoming };
  explicit ReceiveItem(Kind kind) noexcept : kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// An arrived frame. Messages and parts are views into it that share it; it goes back to its pool with the last one.
/// Its reference count is that of MessageSource; who makes it has the first reference.
class ReceivedFrame final : public MessageSource, public ReceiveItem, public ListLink<ReceivedFrame> {
 public:
  explicit ReceivedFrame(FramePool& pool) noexcept : ReceiveItem(Kind::batch), pool_(pool) {}
  ~ReceivedFrame() override = default;

  [[nodiscard]] std::span<const std::byte> bytes() const { return frame_.bytes(); }
  /// A view of `size` bytes from `offset`, as a message.
  [[nodiscard]] Message view(std::size_t offset, std::size_t size, MessageType type) noexcept {
    return size == 0 ? MessageAccess::empty(type) : MessageAccess::make(*this, offset, size, type);
  }

  BatchCursor batch;            // what was not read yet
  std::size_t overhead = 0;     // credit that is given back with the last message of it
  std::size_t part_offset = 0;  // of a part's bytes
  [[nodiscard]] std::size_t part_size() const { return frame_.size() - part_offset; }
  /// These bytes, and then the part's, in the place of its head. REQUIRES: as many as that is long.
  void put_before_part(std::span<const std::byte> bytes) noexcept {
    // The home's buffer, which nobody else looks at.
    std::memcpy(const_cast<std::byte*>(frame_.bytes().data()), bytes.data(), bytes.size());
    part_offset = 0;
  }

  const std::byte* materialise(std::uintptr_t& token, std::size_t) override { return frame_.bytes().data() + token; }
  void release(std::uintptr_t, std::size_t, bool) noexcept override {}

 private:
  friend class FramePool;
  void destroy() noexcept override;

  FramePool& pool_;
  Message frame_;
  ReceivedFrame* next_free_ = nullptr;
};

/// Frames to be used again. Lives until its owner and the last of its frames are gone.
class FramePool {
 public:
  struct Close {
    void operator()(FramePool* pool) const noexcept { pool->close(); }
  };
  using Owner = std::unique_ptr<FramePool, Close>;
  [[nodiscard]] static Owner create() { return Owner(new FramePool); }

  [[nodiscard]] ReceivedFrame& make(Message&& frame);

 private:
  friend class ReceivedFrame;
  FramePool() = default;
  ~FramePool();
  void close() noexcept;
  void give(ReceivedFrame& frame) noexcept;
  void take_in_advance();

  /// Kept for later; more than a reader is behind with, seldom.
  static constexpr std::size_t kKept = 256;
  static constexpr std::size_t kFirst = 16;

  ReceivedFrame* free_ = nullptr;
  std::size_t free_count_ = 0;
  std::size_t out_ = 0;
  bool closed_ = false;
};

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

class BufferPool;

/// Bytes that go back to their pool. `size` bytes of `capacity` are in use.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        is_of_slab_(other.is_of_slab_) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      pool_ = std::exchange(other.pool_, nullptr);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, 0);
      is_of_slab_ = other.is_of_slab_;
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { reset(); }

  [[nodiscard]] ByteView bytes() const { return {data_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t room() const { return capacity_ - size_; }
  /// REQUIRES: bytes.size() <= room().
  void append(ByteView bytes) {
    copy_bytes(data_ + size_, bytes);
    size_ += bytes.size();
  }
  void reset() noexcept;

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, std::byte* data, std::size_t capacity, bool is_of_slab)
      : pool_(pool), data_(data), capacity_(capacity), is_of_slab_(is_of_slab) {}

  BufferPool* pool_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool is_of_slab_ = false;
};

/// Memory for messages, in blocks of powers of two, kept for reuse up to a limit. Small ones are taken from the system
/// in advance and many at once, as a slab, which stays; a larger one may stand in for a smaller: a load that varies
/// soon needs none. One for all associations of a loop. It must outlive its buffers.
class BufferPool {
 public:
  /// Keeps at most `retained_limit` bytes of unused blocks, and in slabs.
  explicit BufferPool(std::size_t retained_limit = kDefaultRetainedLimit) : retained_limit_(retained_limit) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  /// An empty buffer with at least this capacity.
  [[nodiscard]] Buffer take(std::size_t capacity);
  /// Bytes in blocks that are in use.
  [[nodiscard]] std::size_t used_bytes() const { return used_; }
  [[nodiscard]] std::size_t retained_bytes() const { return retained_; }

  /// Enough for a few messages of a megabyte, or as many of 64 bytes as a full window and a full queue hold.
  static constexpr std::size_t kDefaultRetainedLimit = std::size_t{16} << 20;

 private:
  friend class Buffer;
  static constexpr std::size_t kSmallestShift = 6;
  static constexpr std::size_t kSmall = 1'024;  // up to this, twice as many are taken when three quarters are in use
  static constexpr std::size_t kFirstSmall = 16;
  static constexpr std::size_t kMedium = 65'536;  // up to this, one may stand in for a smaller one
  static constexpr std::size_t kFirstMedium = 4;
  static constexpr std::size_t kClasses = 20;  // up to 32 MiB; larger ones are not kept
  struct FreeBlock {
    FreeBlock* next;
    bool is_of_slab;
  };

  [[nodiscard]] static std::size_t class_of(std::size_t capacity);
  [[nodiscard]] static std::size_t size_of(std::size_t index) { return std::size_t{1} << (index + kSmallestShift); }
  void give_back(std::byte* data, std::size_t capacity, bool is_of_slab) noexcept;
  void take_first();
  void add(std::size_t index, std::size_t count);
  void keep(std::byte* data, std::size_t index, bool is_of_slab) noexcept;
  [[nodiscard]] std::size_t bound_bytes() const { return slab_bytes_ + single_bytes_; }

  std::array<FreeBlock*, kClasses> free_{};
  std::array<std::size_t, kClasses> in_use_{};
  std::array<std::size_t, kClasses> spare_{};
  std::vector<std::unique_ptr<std::byte[]>> slabs_;
  std::size_t retained_limit_;
  std::size_t slab_bytes_ = 0;    // used or not
  std::size_t single_bytes_ = 0;  // unused, in blocks that are no part of a slab
  std::size_t retained_ = 0;      // unused, in either
  std::size_t used_ = 0;
  bool is_in_use_ = false;
};

inline void Buffer::reset() noexcept {
  if (data_ != nullptr) pool_->give_back(data_, capacity_, is_of_slab_);
  pool_ = nullptr;
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

}  // namespace wdc::sctp

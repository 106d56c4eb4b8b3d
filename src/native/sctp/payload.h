// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "src/native/sctp/buffer_pool.h"
#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

/// The bytes of a message to be sent, by reference: fragments are cut from them straight into packets. Whoever owns
/// them is told once, when the peer has acknowledged them all or nobody waits for them any more.
class Payload {
 public:
  using Release = void (*)(void* owner, ByteView bytes) noexcept;

  Payload() = default;
  Payload(ByteView bytes, void* owner, Release release) : bytes_(bytes), owner_(owner), release_(release) {}
  /// Bytes that live until the association ends.
  [[nodiscard]] static Payload forever(ByteView bytes) { return {bytes, nullptr, nullptr}; }
  Payload(Payload&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})),
        owner_(other.owner_),
        release_(std::exchange(other.release_, nullptr)) {}
  Payload& operator=(Payload&& other) noexcept {
    if (this != &other) {
      reset();
      bytes_ = std::exchange(other.bytes_, {});
      owner_ = other.owner_;
      release_ = std::exchange(other.release_, nullptr);
    }
    return *this;
  }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  ~Payload() { reset(); }

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  void reset() noexcept {
    if (release_ != nullptr) std::exchange(release_, nullptr)(owner_, bytes_);
    bytes_ = {};
  }

 private:
  ByteView bytes_;
  void* owner_ = nullptr;
  Release release_ = nullptr;
};

}  // namespace wdc::sctp

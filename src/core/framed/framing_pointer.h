// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "src/core/framed/framing.h"

namespace wdc::core::framed {

/// Whether this program has framed mode. A program that has no use for it, and is linked as a whole, defines this to be
/// false and leaves everything behind it out: see js/module/without_framed_mode.cc.
[[nodiscard]] bool is_linked() noexcept;

/// Owns a channel's Framing; null in programs without framed mode, which the linker can see.
class FramingPointer {
 public:
  FramingPointer& operator=(std::unique_ptr<Framing> framing) noexcept {
    framing_ = std::move(framing);
    return *this;
  }
  [[nodiscard]] Framing* get() const noexcept { return *this ? framing_.get() : nullptr; }
  // A plain channel is asked first: its way costs no call where programs are not linked as a whole.
  [[nodiscard]] explicit operator bool() const noexcept { return framing_ != nullptr && is_linked(); }
  [[nodiscard]] Framing* operator->() const noexcept { return framing_.get(); }
  [[nodiscard]] Framing& operator*() const noexcept { return *framing_; }

 private:
  std::unique_ptr<Framing> framing_;
};

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#include "src/core/framed/received_frame.h"

#include <algorithm>
#include <utility>

namespace wdc::core::framed {

void ReceivedFrame::destroy() noexcept { pool_.give(*this); }

FramePool::~FramePool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next_free_);
}

ReceivedFrame& FramePool::make(Message&& message) {
  if (free_ == nullptr) take_in_advance();
  ReceivedFrame* const frame = std::exchange(free_, free_->next_free_);
  --free_count_;
  frame->add_reference();
  ++out_;
  frame->frame_ = std::move(message);
  return *frame;
}

/// As many as are out, so that a load that varies soon needs none.
void FramePool::take_in_advance() {
  for (std::size_t count = std::clamp(out_, kFirst, kKept); count > 0; --count) {
    auto* const frame = new ReceivedFrame(*this);
    ++out_;
    frame->drop_reference();
  }
}

void FramePool::give(ReceivedFrame& frame) noexcept {
  frame.frame_ = Message();
  frame.ListLink<ReceiveItem>::unlink();
  frame.ListLink<ReceivedFrame>::unlink();
  --out_;
  if (closed_ || free_count_ >= kKept) {
    delete &frame;
    if (closed_ && out_ == 0) delete this;
    return;
  }
  frame.next_free_ = std::exchange(free_, &frame);
  ++free_count_;
}

void FramePool::close() noexcept {
  closed_ = true;
  if (out_ == 0) delete this;
}

}  // namespace wdc::core::framed

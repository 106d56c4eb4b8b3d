// SPDX-License-Identifier: MIT
#include "src/core/framed/received_frame.h"

#include <utility>

namespace wdc::core::framed {

void ReceivedFrame::destroy() noexcept { pool_.give(*this); }

FramePool::~FramePool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next_free_);
}

ReceivedFrame& FramePool::make(Message&& message) {
  ReceivedFrame* frame = free_;
  if (frame != nullptr) {
    free_ = frame->next_free_;
    --free_count_;
    frame->add_reference();
  } else {
    frame = new ReceivedFrame(*this);
  }
  ++out_;
  frame->frame_ = std::move(message);
  return *frame;
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

// SPDX-License-Identifier: MIT
#include "src/core/loop.h"

#include <algorithm>
#include <utility>

#include "wdc/task.h"

namespace wdc {

namespace core {

Loop::Loop(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) { backend_->attach(*this); }

Loop::~Loop() { shut_down(); }

void Loop::shut_down() noexcept {
  if (std::exchange(shut_down_, true)) return;
  cancel_tasks();
  while (auto* channel = channels_.front()) {
    channel->unlink();
    channel->on_loop_closed();
  }
  while (auto* owner = owners_.front()) {
    owner->unlink();
    owner->on_loop_closed();
  }
  timers_.clear();
  posted_.clear();
}

std::size_t Loop::pump() {
  if (pumping_ || shut_down_) return 0;
  pumping_ = true;
  pump_requested_ = false;
  std::size_t budget = kPumpBudget;
  run_timers(budget);
  run_posted(budget);
  run_ready(budget);
  pumping_ = false;
  if (!backend_->driven_by_host()) end_turn();
  if (has_work()) request_pump();
  update_deadline();
  return kPumpBudget - budget;
}

void Loop::run() {
  if (pumping_ || backend_->driven_by_host()) return;
  running_ = true;
  stopped_ = false;
  for (;;) {
    pump();
    if (stopped_) break;
    const bool idle = !has_work();
    if (!backend_->turn(idle) && idle && !has_work()) break;
  }
  running_ = false;
  stopped_ = false;
}

std::size_t Loop::poll() {
  if (pumping_) return 0;
  if (!backend_->driven_by_host()) backend_->turn(false);
  return pump();
}

void Loop::stop() noexcept { stopped_ = running_; }

void Loop::make_ready(detail::WaitNode& node) noexcept {
  ready_.push_back(node);
  request_pump();
}

void Loop::run_now(detail::WaitNode& node) {
  if (pumping_ || shut_down_ || !ready_.empty()) return make_ready(node);
  pumping_ = true;
  node.unlink();
  node.resume(node);
  pumping_ = false;
  if (!ready_.empty()) request_pump();
  update_deadline();
}

void Loop::at_turn_end(TurnNode& node) noexcept {
  if (shut_down_) return;
  auto& nodes = turn_ends_[this_turn_];
  const bool first = nodes.empty();
  nodes.push_back(node);
  if (first && !(pumping_ && !backend_->driven_by_host())) backend_->request_turn_end();
}

void Loop::end_turn() {
  auto& nodes = turn_ends_[this_turn_];
  if (nodes.empty()) return;
  this_turn_ = 1 - this_turn_;
  while (auto* node = nodes.front()) {
    node->unlink();
    node->on_turn_end();
  }
}

void Loop::arm(detail::TimerNode& timer, std::chrono::nanoseconds delay) {
  timer.cancel();
  if (shut_down_) return;
  const TimePoint now = backend_->now();
  delay = std::clamp(delay, std::chrono::nanoseconds::zero(), TimePoint::max() - now);
  timers_.push(timer, *this, now + delay);
  if (!pumping_) update_deadline();
}

void Loop::cancel(detail::TimerNode& timer) noexcept {
  timers_.remove(timer);
  // A deadline that comes too early only costs an empty pump; the next one tells the backend.
}

Result<void> Loop::post(std::unique_ptr<detail::Posted> function) {
  auto first = posted_.push(std::move(function));
  if (!first) return std::unexpected(std::move(first.error()));
  if (*first) backend_->wake();
  return {};
}

void Loop::adopt(detail::TaskContext& context) noexcept {
  context.loop = this;
  context.previous = nullptr;
  context.next = tasks_;
  if (tasks_ != nullptr) tasks_->previous = &context;
  tasks_ = &context;
  make_ready(context.start);
}

void Loop::forget(detail::TaskContext& context) noexcept {
  (context.previous != nullptr ? context.previous->next : tasks_) = context.next;
  if (context.next != nullptr) context.next->previous = context.previous;
  context.loop = nullptr;
}

void Loop::run_timers(std::size_t& budget) {
  const auto deadline = timers_.deadline();
  if (!deadline) return;
  const TimePoint now = backend_->now();
  while (budget > 0 && !stopped_) {
    auto* timer = timers_.pop_due(now);
    if (timer == nullptr) return;
    --budget;
    timer->fire(*timer);
  }
}

void Loop::run_posted(std::size_t& budget) {
  while (budget > 0 && !stopped_) {
    auto function = posted_.pop();
    if (!function) return;
    --budget;
    function->run();
  }
}

void Loop::run_ready(std::size_t& budget) {
  while (budget > 0 && !stopped_) {
    auto* node = ready_.front();
    if (node == nullptr) return;
    node->unlink();
    --budget;
    node->resume(*node);
  }
}

void Loop::request_pump() noexcept {
  if (pumping_ || shut_down_ || std::exchange(pump_requested_, true)) return;
  backend_->request_pump();
}

void Loop::update_deadline() {
  const auto deadline = timers_.deadline();
  if (deadline == told_deadline_) return;
  told_deadline_ = deadline;
  backend_->set_deadline(deadline);
}

void Loop::cancel_tasks() noexcept {
  while (tasks_ != nullptr) {
    detail::TaskContext& context = *tasks_;
    forget(context);
    if (context.detached)
      context.root.destroy();
    else
      context.drop_body(context);  // its Spawned still points to the root; this may destroy it and `context` with it
  }
}

}  // namespace core

namespace detail {

namespace {

void destroy_tree(TaskContext& context) noexcept {
  if (context.loop != nullptr) context.loop->forget(context);
  context.root.destroy();
}

}  // namespace

void TimerNode::cancel() noexcept {
  if (loop_ != nullptr) loop_->cancel(*this);
}

void make_ready(core::Loop& loop, WaitNode& node) noexcept { loop.make_ready(node); }

void arm_timer(core::Loop& loop, TimerNode& timer, std::chrono::nanoseconds delay) { loop.arm(timer, delay); }

void adopt(core::Loop& loop, TaskContext& context) noexcept { loop.adopt(context); }

void release(TaskContext& context) noexcept {
  if (context.running)
    context.destroy_when_idle = true;
  else
    destroy_tree(context);
}

void finish(TaskContext& context) noexcept {
  context.finished = true;
  if (context.loop == nullptr) return;
  while (auto* joiner = context.joiners.front()) context.loop->make_ready(*joiner);
  if (!context.detached) return;
  // Not from here: the coroutine that ended is still on the stack.
  context.start.resume = [](WaitNode& node) { destroy_tree(*node.context); };
  context.loop->make_ready(context.start);
}

void resume_coroutine(WaitNode& node) {
  TaskContext* context = node.context;
  if (context == nullptr) return node.handle.resume();
  context->running = true;
  node.handle.resume();
  context->running = false;
  if (context->destroy_when_idle) destroy_tree(*context);
}

bool driven_by_host(const core::Loop& loop) noexcept { return loop.backend().driven_by_host(); }

int report_failure(core::Loop& loop, const Error& error) {
  loop.backend().report(error.message());
  return 1;
}

Result<void> post(core::Loop& loop, std::unique_ptr<Posted> function) { return loop.post(std::move(function)); }

}  // namespace detail

EventLoop::EventLoop(std::unique_ptr<core::Backend> backend)
    : loop_(std::make_unique<core::Loop>(std::move(backend))) {}

// What is destroyed with the tasks may still use this loop: it must be whole until the end of shut_down().
EventLoop::~EventLoop() { loop_->shut_down(); }

void EventLoop::run() { loop_->run(); }

std::size_t EventLoop::poll() { return loop_->poll(); }

void EventLoop::stop() noexcept { loop_->stop(); }

TimePoint EventLoop::now() const { return loop_->now(); }

}  // namespace wdc

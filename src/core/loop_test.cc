// SPDX-License-Identifier: MIT
#include "src/core/loop.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;
using Loops = test::LoopTest;

Task<> spin(int& turns) {
  for (;;) {
    co_await sleep_for(0ns);
    ++turns;
  }
}

struct Yield {
  explicit Yield(core::Loop& on) : loop(on) {}
  core::Loop& loop;
  detail::WaitNode node;
  bool await_ready() const noexcept { return false; }
  template <class Caller>
  void await_suspend(std::coroutine_handle<Caller> caller) noexcept {
    detail::prepare(node, caller);
    detail::make_ready(loop, node);
  }
  void await_resume() const noexcept {}
};

TEST_F(Loops, PollReturnsThoughATaskNeverWaits) {
  std::size_t turns = 0;
  auto body = [&]() -> Task<> {
    for (;;) {
      Yield yield(loop->internal());
      co_await yield;
      ++turns;
    }
  };
  auto busy = spawn(*loop, body());
  EXPECT_EQ(loop->poll(), core::Loop::kPumpBudget);
  EXPECT_EQ(turns, core::Loop::kPumpBudget - 1);
  const auto requests = backend->pump_requests;
  EXPECT_EQ(loop->poll(), core::Loop::kPumpBudget);
  EXPECT_GT(backend->pump_requests, requests);  // asks for its next turn each time
}

TEST_F(Loops, RunReturnsWhenStopped) {
  int turns = 0;
  auto spinning = spawn(*loop, spin(turns));
  ASSERT_TRUE(loop->post([&] { loop->stop(); }));
  loop->run();
  EXPECT_LE(turns, 1);
  ASSERT_TRUE(loop->post([&] { loop->stop(); }));
  loop->run();
}

TEST_F(Loops, RunReturnsWhenThereIsNothingToWaitFor) {
  loop->run();
  auto sleeping = start(sleep_for(1h));
  const TimePoint begin = loop->now();
  loop->run();
  EXPECT_TRUE(sleeping.done());
  EXPECT_EQ(loop->now() - begin, 1h);
}

TEST_F(Loops, RunReturnsAtOnceWhereTheHostDrives) {
  backend->host_drives = true;
  auto sleeping = start(sleep_for(1h));
  loop->run();
  EXPECT_FALSE(sleeping.done());
}

TEST_F(Loops, AsksForOnePumpForManyThingsThatBecomeReady) {
  settle();
  const auto before = backend->pump_requests;
  std::vector<Spawned<void>> tasks;
  int turns = 0;
  for (int i = 0; i < 10; ++i) tasks.push_back(spawn(*loop, spin(turns)));
  EXPECT_EQ(backend->pump_requests, before + 1);
}

TEST_F(Loops, FiresTimersByDeadlineWhateverIsCancelledBetween) {
  struct Timer : detail::TimerNode {
    std::vector<int>* fired = nullptr;
    int delay = 0;
  };
  std::mt19937 random(20240601);
  std::vector<int> fired;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 1'000; ++i) {
    auto timer = std::make_unique<Timer>();
    timer->fired = &fired;
    timer->delay = static_cast<int>(random() % 500);
    timer->fire = [](detail::TimerNode& node) {
      auto& self = static_cast<Timer&>(node);
      self.fired->push_back(self.delay);
    };
    loop->internal().arm(*timer, std::chrono::milliseconds(timer->delay));
    timers.push_back(std::move(timer));
  }
  std::shuffle(timers.begin(), timers.end(), random);
  for (std::size_t i = 0; i < 300; ++i) timers[i]->cancel();
  for (std::size_t i = 300; i < 500; ++i) timers[i].reset();
  for (std::size_t i = 500; i < 600; ++i) loop->internal().arm(*timers[i], std::chrono::milliseconds(timers[i]->delay));
  pass(600ms);
  EXPECT_EQ(fired.size(), 500U);
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
  EXPECT_FALSE(timers.back()->armed());
}

TEST_F(Loops, DisarmTimersThatOutliveThem) {
  detail::TimerNode timer;
  timer.fire = [](detail::TimerNode&) { ADD_FAILURE(); };
  loop->internal().arm(timer, 1h);
  EXPECT_TRUE(timer.armed());
  loop.reset();
  EXPECT_FALSE(timer.armed());
}

TEST_F(Loops, TakeDelaysOfAnyLength) {
  detail::TimerNode timer;
  timer.fire = [](detail::TimerNode&) { ADD_FAILURE(); };
  loop->internal().arm(timer, std::chrono::nanoseconds::max());
  settle();
  EXPECT_TRUE(timer.armed());
}

}  // namespace
}  // namespace wdc

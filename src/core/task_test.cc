// SPDX-License-Identifier: MIT
#include "wdc/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {

namespace {
std::string* reported = nullptr;
bool host_drives = false;
EventLoop* hosted = nullptr;  // lives on, as in a page

/// Tells the test what run_main() reported before the backend went.
class ReportingBackend final : public core::Backend {
 public:
  TimePoint now() const override { return fake_.now(); }
  void request_pump() override { fake_.request_pump(); }
  void set_deadline(std::optional<TimePoint> deadline) override { fake_.set_deadline(deadline); }
  void wake() noexcept override { fake_.wake(); }
  bool driven_by_host() const noexcept override { return host_drives; }
  bool turn(bool may_wait) override { return fake_.turn(may_wait); }
  void report(std::string_view text) override { *reported = text; }
  Result<std::unique_ptr<core::PeerBackend>> create_peer(const PeerConnectionOptions& options) override {
    return fake_.create_peer(options);
  }
  Result<std::unique_ptr<core::SignalingBackend>> open_signaling(std::string_view url, std::string_view room) override {
    return fake_.open_signaling(url, room);
  }

 private:
  test::FakeBackend fake_;
};
}  // namespace

std::unique_ptr<core::Backend> core::make_default_backend() { return std::make_unique<ReportingBackend>(); }

namespace {

using namespace std::chrono_literals;
using Tasks = test::LoopTest;

static_assert(!std::is_copy_constructible_v<Task<int>> && !std::is_copy_assignable_v<Task<int>>);
static_assert(!std::is_copy_constructible_v<Spawned<int>> && !std::is_copy_assignable_v<Spawned<int>>);
// The ABI tag: a Task of code without exceptions is another type, so passing one to the other does not compile or link.
static_assert(std::is_same_v<Task<int>, with_exceptions::Task<int>>);

/// Counts its own life.
struct Guard {
  explicit Guard(int& counter) : count(&counter) { ++*count; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { --*count; }
  int* count;
};

Task<int> give(int value) { co_return value; }
Task<> nothing() { co_return; }
Task<int> sleep_and_give(std::chrono::milliseconds time, int value, int& alive) {
  const Guard guard(alive);
  co_await sleep_for(time);
  co_return value;
}
Task<int> sum(int a, int b) {
  const int first = co_await give(a);
  const int second = co_await give(b);
  co_return first + second;
}

TEST_F(Tasks, GiveTheirValue) { EXPECT_EQ(run(sum(40, 2)), 42); }

TEST_F(Tasks, GiveValuesThatOnlyMove) {
  auto value = run([]() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }());
  EXPECT_EQ(*value, 7);
}

TEST_F(Tasks, AreLazyAndDoNotStartBeforeSpawnReturns) {
  bool ran = false;
  auto body = [&]() -> Task<> {
    ran = true;
    co_return;
  };
  auto task = body();
  EXPECT_FALSE(ran);
  auto spawned = spawn(*loop, std::move(task));
  EXPECT_FALSE(ran);
  settle();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(spawned.done());
}

TEST_F(Tasks, DestroyTheirLocalsWhenDestroyedInTheirSleep) {
  int alive = 0;
  {
    auto spawned = start(sleep_and_give(1h, 1, alive));
    settle();
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
  settle();
}

TEST_F(Tasks, NeverRunWhenDestroyedBeforeTheirStart) {
  int alive = 0;
  { auto spawned = start(sleep_and_give(1ms, 1, alive)); }
  settle();
  EXPECT_EQ(alive, 0);
}

TEST_F(Tasks, MayBeDestroyedWhenReadyButNotResumed) {
  int alive = 0;
  auto victim = start(sleep_and_give(5ms, 1, alive));
  settle();
  // Posted functions run after the timers have made the sleeper ready and before it is resumed.
  ASSERT_TRUE(loop->post([&] { victim.cancel(); }));
  backend->advance(5ms);
  loop->poll();
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(victim.done());
}

TEST_F(Tasks, MayDestroyTheirOwnSpawned) {
  int alive = 0;
  std::optional<Spawned<void>> own;
  bool went_on = false;
  auto body = [&]() -> Task<> {
    const Guard guard(alive);
    own.reset();
    went_on = true;  // until it suspends
    co_await sleep_for(1ms);
    ADD_FAILURE() << "resumed after its end";
  };
  own.emplace(spawn(*loop, body()));
  settle();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(alive, 0);
  pass(1s);
}

TEST_F(Tasks, MayDestroyTheirOwnSpawnedAndEnd) {
  std::optional<Spawned<void>> own;
  auto body = [&]() -> Task<> {
    own.reset();
    co_return;
  };
  own.emplace(spawn(*loop, body()));
  settle();
}

TEST_F(Tasks, MayDestroyAnotherTask) {
  int alive = 0;
  auto other = start(sleep_and_give(1h, 1, alive));
  settle();
  auto body = [&]() -> Task<> {
    other.cancel();
    co_return;
  };
  run(body());
  EXPECT_EQ(alive, 0);
}

TEST_F(Tasks, RunOnWhenDetached) {
  int alive = 0;
  start(sleep_and_give(5ms, 1, alive)).detach();
  settle();
  EXPECT_EQ(alive, 1);
  pass(5ms);
  EXPECT_EQ(alive, 0);
}

TEST_F(Tasks, AreCancelledWithTheirLoop) {
  int alive = 0;
  auto held = start(sleep_and_give(1h, 1, alive));
  start(sleep_and_give(1h, 1, alive)).detach();
  auto unstarted = start(give(3));
  settle();
  auto late = start(give(3));
  EXPECT_EQ(alive, 2);
  loop.reset();
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(held.done());
  EXPECT_FALSE(late.done());
  EXPECT_EQ(unstarted.take(), 3);  // ended before
}

TEST_F(Tasks, MayOwnThemselvesWhenTheirLoopGoes) {
  struct Holder {
    std::optional<Spawned<void>> own;
  };
  auto holder = std::make_shared<Holder>();
  auto body = [](std::shared_ptr<Holder> mine) -> Task<> {
    co_await sleep_for(1h);
    mine.reset();
  };
  holder->own.emplace(spawn(*loop, body(holder)));
  const std::weak_ptr<Holder> watch = std::exchange(holder, nullptr);
  settle();
  EXPECT_FALSE(watch.expired());
  loop.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(Tasks, CanBeJoined) {
  int alive = 0;
  auto body = [&]() -> Task<int> {
    auto child = spawn(*loop, sleep_and_give(5ms, 42, alive));
    const int early = co_await spawn(*loop, give(1));
    const int late = co_await std::move(child);
    co_return early + late;
  };
  EXPECT_EQ(run(body()), 43);
}

TEST_F(Tasks, MayEndWhileTheyJoinAnother) {
  int alive = 0;
  auto child = start(sleep_and_give(5ms, 42, alive));
  auto body = [&]() -> Task<int> { co_return co_await std::move(child); };
  {
    auto joining = start(body());
    settle();
  }
  EXPECT_EQ(alive, 1);
  pass(5ms);
  EXPECT_TRUE(child.done());
  EXPECT_EQ(child.take(), 42);
}

TEST_F(Tasks, SleepInTheOrderOfTheirDeadlines) {
  std::vector<int> order;
  auto body = [&](std::chrono::milliseconds time, int name) -> Task<> {
    co_await sleep_for(time);
    order.push_back(name);
  };
  std::vector<Spawned<void>> all;
  for (int i = 0; i < 50; ++i) all.push_back(spawn(*loop, body(std::chrono::milliseconds((i * 7) % 10), i)));
  loop->run();
  ASSERT_EQ(order.size(), 50U);
  for (std::size_t i = 1; i < order.size(); ++i) {
    const int before = (order[i - 1] * 7) % 10;
    const int after = (order[i] * 7) % 10;
    EXPECT_TRUE(before < after || (before == after && order[i - 1] < order[i])) << i;
  }
}

TEST_F(Tasks, SleepNoShorterThanAsked) {
  const TimePoint begin = loop->now();
  run(sleep_for(*loop, 1234us));
  EXPECT_EQ(loop->now() - begin, 1234us);
  run(sleep_for(*loop, -5s));
  EXPECT_EQ(loop->now() - begin, 1234us);
}

TEST_F(Tasks, GiveTheFirstOfSeveralAndCancelTheRest) {
  int alive = 0;
  auto body = [&]() -> Task<std::size_t> {
    auto first = co_await when_any(sleep_and_give(10ms, 1, alive), sleep_and_give(5ms, 2, alive), sleep_for(7ms));
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(std::get<1>(first), 2);
    co_return first.index();
  };
  EXPECT_EQ(run(body()), 1U);
}

TEST_F(Tasks, NeverStartWhatComesAfterTheRaceIsDecided) {
  bool ran = false;
  auto late = [&]() -> Task<> {
    ran = true;
    co_return;
  };
  auto body = [&]() -> Task<std::size_t> { co_return (co_await when_any(give(1), late())).index(); };
  EXPECT_EQ(run(body()), 0U);
  EXPECT_FALSE(ran);
}

TEST_F(Tasks, MayBeDestroyedWhileTheyRace) {
  int alive = 0;
  {
    auto racing = start(when_any(sleep_and_give(1h, 1, alive), sleep_and_give(2h, 2, alive)));
    settle();
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST_F(Tasks, TimeOutWithTheTimeInTheText) {
  int alive = 0;
  auto late = run(with_timeout(sleep_and_give(1h, 1, alive), 20ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message(), "timed_out: the operation did not finish in time: after 20 ms");
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(run(with_timeout(sleep_and_give(5ms, 9, alive), 20ms)), 9);
  EXPECT_TRUE(run(with_timeout(nothing(), 20ms)));
}

TEST_F(Tasks, LetAnExceptionLeaveAtTheAwait) {
  auto thrower = []() -> Task<int> {
    co_await sleep_for(1ms);
    throw std::runtime_error("out");
  };
  auto body = [&]() -> Task<std::string> {
    try {
      (void)co_await thrower();
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(run(body()), "out");
  auto spawned = start(thrower());
  loop->run();
  ASSERT_TRUE(spawned.done());
  EXPECT_THROW((void)spawned.take(), std::runtime_error);
  auto racing = start(when_any(thrower(), sleep_for(1h)));
  loop->run();
  EXPECT_THROW((void)racing.take(), std::runtime_error);
}

TEST_F(Tasks, MayPollTheirLoopWithoutEffect) {
  auto body = [&]() -> Task<std::size_t> { co_return loop->poll(); };
  EXPECT_EQ(run(body()), 0U);
}

TEST(RunMain, ReturnsWhatTheBodyGives) {
  std::string text;
  reported = &text;
  EXPECT_EQ(run_main([](EventLoop&) -> Task<int> { co_return 7; }), 7);
  EXPECT_EQ(run_main([](EventLoop&) -> Task<> { co_await sleep_for(5ms); }), 0);
  EXPECT_EQ(run_main([](EventLoop&) -> Task<Result<void>> { co_return Result<void>(); }), 0);
  EXPECT_EQ(text, "");
}

TEST(RunMain, ReportsAnErrorAndReturnsOne) {
  std::string text;
  reported = &text;
  EXPECT_EQ(run_main([](EventLoop&) -> Task<Result<void>> { co_return fail(Errc::room_full); }), 1);
  EXPECT_EQ(text, "room_full: the room has its two members already");
}

TEST(RunMain, SaysWhenNothingCanEverWakeTheBody) {
  std::string text;
  reported = &text;
  struct Never {
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<>) {}
    void await_resume() {}
  };
  EXPECT_EQ(run_main([](EventLoop&) -> Task<> { co_await Never(); }), 1);
  EXPECT_NE(text.find("waits for something that cannot happen"), std::string::npos) << text;
}

TEST(RunMain, ReturnsAtOnceWhereTheHostDrivesAndReportsALaterError) {
  std::string text;
  reported = &text;
  host_drives = true;
  const auto body = []() -> Task<Result<void>> {
    co_await sleep_for(0ms);
    co_return fail(Errc::room_full);
  };
  EXPECT_EQ(run_main([&](EventLoop& loop) {
              hosted = &loop;
              return body();
            }),
            0);
  EXPECT_EQ(text, "");
  for (int i = 0; i < 10; ++i) hosted->poll();
  host_drives = false;
  EXPECT_EQ(text, "room_full: the room has its two members already");
}

TEST(RunMain, EndsWithItsBodyWhateverElseRuns) {
  std::string text;
  reported = &text;
  int alive = 0;
  EXPECT_EQ(run_main([&](EventLoop& loop) -> Task<int> {
              spawn(loop, sleep_and_give(1h, 1, alive)).detach();
              co_await sleep_for(1ms);
              co_return 3;
            }),
            3);
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace wdc

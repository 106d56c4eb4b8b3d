// SPDX-License-Identifier: MIT
// Built without exceptions: the other of the two ABIs of Task.
#include "wdc/task.h"

#include <type_traits>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;
using TasksWithoutExceptions = test::LoopTest;

static_assert(std::is_same_v<Task<int>, without_exceptions::Task<int>>);

Task<int> give(int value) {
  co_await sleep_for(1ms);
  co_return value;
}

TEST_F(TasksWithoutExceptions, AwaitSpawnRaceAndTimeOut) {
  auto body = [&]() -> Task<int> {
    auto spawned = spawn(*loop, give(1));
    const int direct = co_await give(2);
    const int joined = co_await std::move(spawned);
    auto raced = co_await when_any(give(3), sleep_for(1h));
    auto timed = co_await with_timeout(give(4), 1h);
    co_return direct + joined + std::get<0>(raced) + *timed;
  };
  EXPECT_EQ(run(body()), 10);
}

}  // namespace
}  // namespace wdc

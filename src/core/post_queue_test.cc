// SPDX-License-Identifier: MIT
#include "src/core/post_queue.h"

#include <array>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc::core {
namespace {

using Post = test::LoopTest;

TEST_F(Post, RunsFunctionsInTheOrderTheyWerePosted) {
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(loop->post([&order, i] { order.push_back(i); }));
  EXPECT_TRUE(order.empty());
  settle();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(Post, RefusesMoreThanItsLimitAndRecovers) {
  std::size_t ran = 0;
  for (std::size_t i = 0; i < PostQueue::kLimit; ++i) ASSERT_TRUE(loop->post([&ran] { ++ran; }));
  const auto refused = loop->post([] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error(Errc::post_queue_full, PostQueue::kLimit, PostQueue::kLimit));
  settle();
  EXPECT_EQ(ran, PostQueue::kLimit);
  EXPECT_TRUE(loop->post([] {}));
}

TEST_F(Post, DropsWhatStillWaitsWhenTheLoopGoes) {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  ASSERT_TRUE(loop->post([alive] { ++*alive; }));
  alive.reset();
  EXPECT_FALSE(watch.expired());
  loop.reset();
  EXPECT_TRUE(watch.expired());
}

TEST_F(Post, TakesFunctionsFromFourThreadsEachInItsOrder) {
  constexpr int kThreads = 4;
  constexpr int kEach = 10'000;
  backend->wait_for_wakes = true;
  std::array<int, kThreads> next{};
  int wrong = 0;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto post = [&, t, i] {
          if (next[static_cast<std::size_t>(t)]++ != i) ++wrong;
          if (++ran == kThreads * kEach) loop->stop();
        };
        while (!loop->post(post)) std::this_thread::yield();
      }
    });
  }
  loop->run();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kEach);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace wdc::core

// SPDX-License-Identifier: MIT
// A million awaits of every kind in a thread with 256 KiB of stack.
#include <pthread.h>

#include <functional>

#include <gtest/gtest.h>

#include "src/core/channel.h"
#include "src/core/loop.h"
#include "tests/support/fake_backend.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

constexpr int kAwaits = 1'000'000;
constexpr std::size_t kStackBytes = 256 * 1024;

void on_small_stack(std::function<void()> body) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, kStackBytes), 0);
  pthread_t thread{};
  const auto entry = [](void* argument) -> void* {
    (*static_cast<std::function<void()>*>(argument))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, entry, &body), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

template <class Body>
int run_on_small_stack(Body body) {
  int result = 0;
  on_small_stack([&] {
    EventLoop loop(std::make_unique<test::FakeBackend>());
    auto spawned = spawn(loop, body(loop));
    loop.run();
    if (spawned.done()) result = spawned.take();
  });
  return result;
}

struct Ready {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  int await_resume() const noexcept { return 1; }
};

Task<int> one() { co_return 1; }
Task<int> one_after_a_turn() {
  co_await sleep_for(std::chrono::nanoseconds(0));
  co_return 1;
}

TEST(DeepStack, HoldsAMillionReadyAwaits) {
  EXPECT_EQ(run_on_small_stack([](EventLoop&) -> Task<int> {
              int sum = 0;
              for (int i = 0; i < kAwaits; ++i) sum += co_await Ready();
              co_return sum;
            }),
            kAwaits);
}

TEST(DeepStack, HoldsAMillionTasksThatEndAtOnce) {
  EXPECT_EQ(run_on_small_stack([](EventLoop&) -> Task<int> {
              int sum = 0;
              for (int i = 0; i < kAwaits; ++i) sum += co_await one();
              co_return sum;
            }),
            kAwaits);
}

TEST(DeepStack, HoldsAMillionTasksResumedByTheLoop) {
  EXPECT_EQ(run_on_small_stack([](EventLoop&) -> Task<int> {
              int sum = 0;
              for (int i = 0; i < kAwaits; ++i) sum += co_await one_after_a_turn();
              co_return sum;
            }),
            kAwaits);
}

TEST(DeepStack, HoldsAMillionSendsThatAreAcceptedAtOnce) {
  EXPECT_EQ(run_on_small_stack([](EventLoop& loop) -> Task<int> {
              auto& backend = static_cast<test::FakeBackend&>(loop.internal().backend());
              auto wire = backend.make_wire();
              FlowOptions discard;
              discard.discard_received = true;
              auto near = core::make_channel(loop.internal(), wire->take(0), {});
              auto far = core::make_channel(loop.internal(), wire->take(1), discard);
              int sum = 0;
              const std::byte data{7};
              for (int i = 0; i < kAwaits; ++i) {
                auto sent = co_await near->send_bytes(std::span(&data, 1));
                sum += sent ? 1 : 0;
              }
              co_return sum;
            }),
            kAwaits);
}

}  // namespace
}  // namespace wdc

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "src/core/channel.h"
#include "tests/support/fake_backend.h"
#include "tests/support/fake_peer.h"
#include "wdc/wdc.h"

namespace wdc::test {

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// What an await gives, kept for the test to look at.
template <class T>
struct Outcome {
  std::optional<T> value;
  [[nodiscard]] bool done() const { return value.has_value(); }
};

/// A loop over the fake home.
class LoopTest : public ::testing::Test {
 protected:
  LoopTest() : LoopTest(std::make_unique<FakeBackend>()) {}

  /// Everything that can happen without a message, a timer or a user doing something.
  void settle() {
    for (int turns = 0; turns < 100; ++turns) loop->poll();
  }
  /// Lets virtual time pass and what it brings happen.
  void pass(std::chrono::nanoseconds time) {
    backend->advance(time);
    settle();
  }
  template <class A, class T = task_detail::AwaitResult<A>>
  [[nodiscard]] Spawned<T> start(A awaitable) {
    return spawn(*loop, task_detail::as_task(std::move(awaitable)));
  }
  /// Awaits and gives the result, with time passing as far as needed.
  template <class A, class T = task_detail::AwaitResult<A>>
  T run(A awaitable) {
    auto spawned = start(std::move(awaitable));
    loop->run();
    EXPECT_TRUE(spawned.done());
    return spawned.take();
  }

  struct Pair {
    std::shared_ptr<FakeWire> wire;
    DataChannel near;
    DataChannel far;
  };
  [[nodiscard]] Pair make_pair(FlowOptions near = {}, FlowOptions far = {}, ReadyState state = ReadyState::open,
                               core::ChannelInfo info = {}) {
    auto wire = backend->make_wire(std::move(info), state);
    auto near_channel = core::make_channel(loop->internal(), wire->take(0), near);
    auto far_channel = core::make_channel(loop->internal(), wire->take(1), far);
    return {wire, std::move(near_channel.value()), std::move(far_channel.value())};
  }

 private:
  explicit LoopTest(std::unique_ptr<FakeBackend> fake)
      : backend(fake.get()), loop(std::make_unique<EventLoop>(std::move(fake))) {}

 protected:
  FakeBackend* backend;  // the loop's own: gone with it
  std::unique_ptr<EventLoop> loop;
};

}  // namespace wdc::test

// SPDX-License-Identifier: MIT
#include "src/native/udp/native_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

#include "src/core/loop.h"
#include "wdc/event_loop.h"
#include "wdc/task.h"

namespace wdc::udp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// The loop without peers.
class BareLoop final : public NativeLoop {
 public:
  using NativeLoop::NativeLoop;
  Result<std::unique_ptr<core::PeerBackend>> create_peer(const PeerConnectionOptions&) override {
    return fail(Errc::unsupported);
  }
  Result<std::unique_ptr<core::SignalingBackend>> open_signaling(std::string_view, std::string_view) override {
    return fail(Errc::unsupported);
  }
};

struct Fixture {
  Fixture() : backend(new BareLoop), loop(std::unique_ptr<core::Backend>(backend)) {}
  BareLoop* backend;
  EventLoop loop;
};

Address loopback() { return *Address::parse("127.0.0.1", 0); }

class Echo final : public SocketEvents {
 public:
  Echo(NativeLoop& loop, std::function<void(std::size_t)> on_bytes)
      : socket(UdpSocket::open(loopback()).value()), watch(loop.watch(socket, *this)), on_bytes_(std::move(on_bytes)) {}
  bool on_readable() override {
    std::array<ReceivedTrain, UdpSocket::kMostDatagrams> trains;
    bool any = false;
    while (const std::size_t count = socket.receive(memory_, trains)) {
      any = true;
      for (std::size_t i = 0; i < count; ++i) on_bytes_(trains[i].bytes.size());
      if (!watch) break;
    }
    return any;
  }
  void on_writable() override { ++writable; }

  UdpSocket socket;
  std::unique_ptr<Watch> watch;
  int writable = 0;

 private:
  std::function<void(std::size_t)> on_bytes_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(UdpSocket::kReceiveMemory);
};

TEST(NativeLoopTest, EndsWhereNothingCanHappenAnyMore) {
  Fixture fixture;
  fixture.loop.run();
  EXPECT_EQ(fixture.loop.poll(), 0U);
}

TEST(NativeLoopTest, RunsTimersInOrder) {
  Fixture fixture;
  std::vector<int> order;
  const auto wait = [&](int number, std::chrono::milliseconds delay) -> Task<void> {
    co_await sleep_for(delay);
    order.push_back(number);
  };
  const TimePoint start = fixture.loop.now();
  auto late = spawn(fixture.loop, wait(2, 20ms));
  auto early = spawn(fixture.loop, wait(1, 5ms));
  fixture.loop.run();
  EXPECT_THAT(order, ElementsAre(1, 2));
  EXPECT_GE(fixture.loop.now() - start, 20ms);
}

TEST(NativeLoopTest, PostFromOtherThreadsWakesAWaitingLoop) {
  Fixture fixture;
  auto keep = fixture.backend->make_alarm([] {});
  keep->set(fixture.backend->now() + 60s);  // something to wait for
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        while (!fixture.loop.post([&] {
          if (++ran == kThreads * kEach) fixture.loop.stop();
        })) {
          std::this_thread::yield();
        }
      }
    });
  }
  fixture.loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kEach);
}

TEST(NativeLoopTest, TellsThreadsApart) {
  Fixture fixture;
  EXPECT_TRUE(fixture.backend->on_owning_thread());
  bool there = true;
  std::thread([&] { there = fixture.backend->on_owning_thread(); }).join();
  EXPECT_FALSE(there);
}

TEST(NativeLoopTest, SocketsSayWhenTheyAreReadable) {
  Fixture fixture;
  std::size_t received = 0;
  Echo end(*fixture.backend, [&](std::size_t size) {
    received += size;
    if (received == 54 * 1'200) fixture.loop.stop();
  });
  auto other = UdpSocket::open(loopback()).value();
  ASSERT_EQ(other.send(std::vector<std::byte>(54 * 1'200), 1'200, end.socket.local()).sent, 54U);
  fixture.loop.run();
  EXPECT_EQ(received, 54U * 1'200);
}

TEST(NativeLoopTest, AWatchMayBeDestroyedByItsOwnEvent) {
  Fixture fixture;
  Echo* end = nullptr;
  Echo owner(*fixture.backend, [&](std::size_t) { end->watch.reset(); });
  end = &owner;
  auto other = UdpSocket::open(loopback()).value();
  ASSERT_EQ(other.send(std::vector<std::byte>(10), 10, owner.socket.local()).sent, 1U);
  fixture.loop.run();  // ends, since nothing is watched any more
  EXPECT_FALSE(owner.watch);
  EXPECT_GE(owner.socket.descriptor(), 0);
}

TEST(NativeLoopTest, SaysOnceWhenASocketIsWritable) {
  Fixture fixture;
  Echo end(*fixture.backend, [](std::size_t) {});
  end.watch->want_writable();
  end.watch->want_writable();
  while (end.writable == 0) fixture.loop.poll();
  fixture.loop.poll();
  EXPECT_EQ(end.writable, 1);
}

TEST(NativeLoopTest, AnAlarmRingsOnceForItsLatestTime) {
  Fixture fixture;
  int rung = 0;
  auto alarm = fixture.backend->make_alarm([&] { ++rung; });
  alarm->set(fixture.backend->now() + 1h);
  alarm->set(fixture.backend->now() + 1ms);
  fixture.loop.run();
  EXPECT_EQ(rung, 1);
  alarm->set(fixture.backend->now() + 1ms);
  alarm->set(Alarm::kNever);
  fixture.loop.run();
  EXPECT_EQ(rung, 1);
}

TEST(NativeLoopTest, LooksUpNames) {
  Fixture fixture;
  std::vector<Address> found;
  auto lookup = fixture.backend->look_up("localhost", 5'000, [&](Result<std::vector<Address>> result) {
    ASSERT_TRUE(result) << result.error().message();
    found = *result;
  });
  fixture.loop.run();
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(found[0].is_loopback());
  EXPECT_EQ(found[0].port, 5'000);
}

TEST(NativeLoopTest, NamesANameThatCannotBeResolved) {
  Fixture fixture;
  std::string said;
  auto lookup = fixture.backend->look_up("no such name", 1, [&](Result<std::vector<Address>> result) {
    ASSERT_FALSE(result);
    said = result.error().message();
  });
  fixture.loop.run();
  EXPECT_THAT(said, HasSubstr("the name no such name cannot be resolved"));
}

TEST(NativeLoopTest, ALookupThatIsDestroyedNeverAnswers) {
  Fixture fixture;
  bool answered = false;
  fixture.backend->look_up("localhost", 1, [&](auto&&) { answered = true; }).reset();
  fixture.loop.run();
  EXPECT_FALSE(answered);
}

TEST(NativeLoopTest, RunsOnAContextOfTheUsers) {
  boost::asio::io_context context;
  auto* const backend = new BareLoop(context);
  EventLoop loop{std::unique_ptr<core::Backend>(backend)};
  loop.run();  // returns: the user runs the context
  std::vector<int> order;
  const auto task = [&]() -> Task<void> {
    order.push_back(1);
    co_await sleep_for(1ms);
    order.push_back(2);
  };
  auto spawned = spawn(loop, task());
  EXPECT_TRUE(loop.post([&] { order.push_back(0); }));
  context.run();
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST(NativeLoopTest, WhatIsLeftInAUsersContextAfterTheLoopIsGoneDoesNothing) {
  boost::asio::io_context context;
  bool ran = false;
  {
    auto* const backend = new BareLoop(context);
    EventLoop loop{std::unique_ptr<core::Backend>(backend)};
    EXPECT_TRUE(loop.post([&] { ran = true; }));
    backend->request_pump();
    auto alarm = backend->make_alarm([&] { ran = true; });
    alarm->set(backend->now());
    Echo end(*backend, [&](std::size_t) { ran = true; });
    auto other = UdpSocket::open(loopback()).value();
    ASSERT_EQ(other.send(std::vector<std::byte>(10), 10, end.socket.local()).sent, 1U);
    auto lookup = backend->look_up("localhost", 1, [&](auto&&) { ran = true; });
  }
  context.run();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace wdc::udp

// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/native/home.h"
#include "benchmarks/native/peer_pair.h"

// Two threads, real UDP, DTLS: the whole way from send_bytes() to the reader.
namespace wdc::bench {
namespace {

using End = PeerPair::End;

struct Load {
  std::size_t size;      // of a message
  std::size_t warm_up;   // messages
  std::size_t measured;  // messages
};

Task<> send_all(End& self, const Load& load) {
  const std::vector<std::byte> bytes(load.size);
  for (std::size_t i = 0; i < load.warm_up + load.measured; ++i) check("send", co_await self.channel.send_bytes(bytes));
}

/// Of both threads while what is measured arrived.
struct Cost {
  std::uint64_t allocations;
  std::uint64_t copied_bytes;
};

/// The warm-up has losses in it: a thread that is held
/// up for so long finds its socket overrun, and what waits behind the gaps needs room.
Task<> receive_all(End& self, const Load& load, std::promise<Cost>& done) {
  auto messages = self.channel.message_stream();
  Cost before{};
  for (std::size_t i = 0; i < load.warm_up + load.measured; ++i) {
    if (i == load.warm_up) before = {allocations(), copied_bytes()};
    if (i < load.warm_up && i % (load.warm_up / 16) == 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto message = check("receive", co_await messages.next());
    if (message.bytes().size() != load.size) die("receive", "a wrong message");
  }
  done.set_value({allocations() - before.allocations, copied_bytes() - before.copied_bytes});
}

class SteadyLoadTest : public testing::TestWithParam<Load> {};

TEST_P(SteadyLoadTest, AllocatesNothingForAPacketAndCopiesAByteThreeTimes) {
  const Load load = GetParam();
  Home near({.core = 0});
  Home far({.core = 1});
  PeerPair pair(near, far, false);
  std::promise<Cost> done;
  auto measured = done.get_future();
  far.call([&] { pair.answerer().run(receive_all, load, done); });
  near.call([&] { pair.offerer().run(send_all, load); });
  ASSERT_EQ(measured.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  // A thread that had to wait longer for its core than ever before may make a queue grow; a packet does not.
  const std::size_t packets = load.measured * load.size / 1'200;
  const Cost cost = measured.get();
  EXPECT_LT(cost.allocations, packets / 10'000);
  // Into memory that lives until it is acknowledged, into its packet, and into its message; what is lost, once more.
  const double copies = static_cast<double>(cost.copied_bytes) / static_cast<double>(load.measured * load.size);
  RecordProperty("copies_per_byte", std::to_string(copies));
  EXPECT_GT(copies, 2.5);
  EXPECT_LT(copies, 3.5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, SteadyLoadTest,
                         testing::Values(Load{.size = 65'536, .warm_up = 8'000, .measured = 8'000},
                                         Load{.size = 64, .warm_up = 2'000'000, .measured = 2'000'000}),
                         [](const auto& load) { return "Of" + std::to_string(load.param.size) + "Bytes"; });

}  // namespace
}  // namespace wdc::bench

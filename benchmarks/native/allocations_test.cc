// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <future>
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

/// The allocations of both threads while what is measured arrived.
Task<> receive_all(End& self, const Load& load, std::promise<std::uint64_t>& done) {
  auto messages = self.channel.message_stream();
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < load.warm_up + load.measured; ++i) {
    if (i == load.warm_up) before = allocations();
    const auto message = check("receive", co_await messages.next());
    if (message.bytes().size() != load.size) die("receive", "a wrong message");
  }
  done.set_value(allocations() - before);
}

class AllocationsTest : public testing::TestWithParam<Load> {};

TEST_P(AllocationsTest, ASteadyLoadAllocatesNothingAtEitherEnd) {
  Home near({.core = 0});
  Home far({.core = 1});
  PeerPair pair(near, far, false);
  std::promise<std::uint64_t> done;
  auto allocated = done.get_future();
  far.call([&] { pair.answerer().run(receive_all, GetParam(), done); });
  near.call([&] { pair.offerer().run(send_all, GetParam()); });
  ASSERT_EQ(allocated.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(allocated.get(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, AllocationsTest,
                         testing::Values(Load{65'536, 8'000, 8'000}, Load{64, 1'500'000, 1'500'000}),
                         [](const auto& tested) { return "Of" + std::to_string(tested.param.size) + "Bytes"; });

}  // namespace
}  // namespace wdc::bench

// SPDX-License-Identifier: MIT
#include "src/native/engine/native_backend.h"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "src/core/peer.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

/// Two connections of one program, over real sockets on loopback.
class NativePeers : public ::testing::Test {
 protected:
  NativePeers() {
    native::BackendOptions options;
    options.loopback = LoopbackCandidates::always;
    loop = std::make_unique<EventLoop>(native::NativeBackend::make(std::move(options)).value());
    a = PeerConnection::create(*loop).value();
    b = PeerConnection::create(*loop).value();
  }

  static Task<> tell(PeerConnection& from, PeerConnection& to) {
    while (auto event = co_await from.next_negotiation_event()) {
      const auto* candidate = std::get_if<IceCandidate>(&*event);
      if (candidate != nullptr) (void)co_await to.add_ice_candidate(*candidate);  // some are of an offer taken back
    }
  }
  static Task<> negotiate(PeerConnection& offerer, PeerConnection& answerer) {
    auto offer = co_await offerer.set_local_description();
    EXPECT_TRUE(offer) << offer.error().message();
    auto taken = co_await answerer.set_remote_description(*offer);
    EXPECT_TRUE(taken) << taken.error().message();
    auto answer = co_await answerer.set_local_description();
    EXPECT_TRUE(answer) << answer.error().message();
    taken = co_await offerer.set_remote_description(*answer);
    EXPECT_TRUE(taken) << taken.error().message();
  }
  /// Runs until `task` is done, with the candidates passed on; fails after ten seconds.
  void run(Task<> task) {
    auto negotiating = spawn(*loop, negotiate(a, b));
    run_on(std::move(task));
  }
  void run_on(Task<> task) {
    auto there = spawn(*loop, tell(a, b));
    auto back = spawn(*loop, tell(b, a));
    auto main = spawn(*loop, [](EventLoop& on, Task<> inner) -> Task<> {
      EXPECT_TRUE(co_await with_timeout(std::move(inner), 10s)) << "it took longer than ten seconds";
      on.stop();
    }(*loop, std::move(task)));
    loop->run();
    EXPECT_TRUE(main.done());
  }

  std::unique_ptr<EventLoop> loop;
  PeerConnection a;
  PeerConnection b;
};

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 31 + seed);
  return bytes;
}

TEST_F(NativePeers, ADozenWithMuchToSendAllGetTheirTurnAndSmallMessagesDoNotWait) {
  static constexpr std::size_t kPairs = 12;
  static constexpr std::size_t kMessages = 40;  // of 100,000 bytes: several turns each
  struct Pair {
    PeerConnection near;
    PeerConnection far;
    DataChannel bulk;
    std::size_t arrived = 0;
  };
  std::vector<Pair> pairs(kPairs);
  std::vector<Spawned<void>> running;
  for (auto& pair : pairs) {
    pair.near = PeerConnection::create(*loop).value();
    pair.far = PeerConnection::create(*loop).value();
    pair.bulk = pair.near.create_data_channel("bulk").value();
    running.push_back(spawn(*loop, tell(pair.near, pair.far)));
    running.push_back(spawn(*loop, tell(pair.far, pair.near)));
    running.push_back(spawn(*loop, negotiate(pair.near, pair.far)));
    running.push_back(spawn(*loop, [](Pair& self) -> Task<> {
      EXPECT_TRUE(co_await self.bulk.wait_open());
      const auto bytes = pattern(100'000, 7);
      for (std::size_t i = 0; i < kMessages; ++i) EXPECT_TRUE(co_await self.bulk.send_bytes(bytes));
      EXPECT_TRUE(co_await self.bulk.send_text("the end"));
    }(pair)));
  }
  run([](std::vector<Pair>& all, EventLoop& on, PeerConnection& quiet, PeerConnection& far) -> Task<> {
    auto talk = quiet.create_data_channel("talk").value();
    auto heard = co_await far.accept_data_channel();
    EXPECT_TRUE(heard && co_await talk.wait_open());
    if (!heard) co_return;
    std::vector<Spawned<void>> readers;
    std::size_t ended = 0;
    for (auto& pair : all)
      readers.push_back(spawn(on, [](Pair& self, std::size_t& count) -> Task<> {
        auto channel = co_await self.far.accept_data_channel();
        EXPECT_TRUE(channel);
        if (!channel) co_return;
        const auto expected = pattern(100'000, 7);
        auto messages = channel->message_stream();
        while (auto message = co_await messages.next()) {
          if (message->is_text()) break;
          EXPECT_TRUE(std::ranges::equal(message->bytes(), expected));
          ++self.arrived;
        }
        ++count;
      }(pair, ended)));
    auto words = heard->message_stream();
    std::size_t spoken = 0;
    while (ended < all.size()) {
      EXPECT_TRUE(co_await talk.send_text("word"));
      EXPECT_TRUE(co_await words.next());
      ++spoken;
    }
    EXPECT_GT(spoken, 20U) << "a small message waits for no turn";
    for (const auto& pair : all) EXPECT_EQ(pair.arrived, kMessages);
  }(pairs, *loop, a, b));
}

TEST_F(NativePeers, ConnectAndTalkBothWays) {
  auto channel = a.create_data_channel("talk").value();
  run([](DataChannel& near, PeerConnection& far) -> Task<> {
    auto accepted = co_await far.accept_data_channel();
    EXPECT_TRUE(accepted);
    if (!accepted) co_return;
    EXPECT_EQ(accepted->label(), "talk");
    EXPECT_TRUE(co_await near.wait_open());
    EXPECT_TRUE(co_await near.send_text("hello"));
    auto messages = accepted->message_stream();
    auto hello = co_await messages.next();
    EXPECT_TRUE(hello && hello->is_text() && hello->as_text() == "hello");
    const auto sent = pattern(200'000, 1);
    EXPECT_TRUE(co_await accepted->send_bytes(sent));
    EXPECT_TRUE(co_await accepted->send_bytes({}));
    auto answers = near.message_stream();
    auto large = co_await answers.next();
    EXPECT_TRUE(large && std::ranges::equal(large->bytes(), sent));
    auto empty = co_await answers.next();
    EXPECT_TRUE(empty && empty->empty() && !empty->is_text());
    EXPECT_TRUE(co_await near.close());
    EXPECT_FALSE(co_await messages.next());
    EXPECT_TRUE(messages.end_reason());
  }(channel, b));
  EXPECT_EQ(a.connection_state(), ConnectionState::connected);
  EXPECT_EQ(b.connection_state(), ConnectionState::connected);
}

TEST_F(NativePeers, DeliverEverythingBeforeAClose) {
  auto channel = a.create_data_channel("bulk").value();
  run([](DataChannel& near, PeerConnection& far) -> Task<> {
    auto accepted = co_await far.accept_data_channel();
    EXPECT_TRUE(accepted);
    if (!accepted) co_return;
    EXPECT_TRUE(co_await near.wait_open());
    constexpr unsigned kMessages = 2'000;
    for (unsigned i = 0; i < kMessages; ++i) EXPECT_TRUE(co_await near.send_bytes(pattern(1'000, i)));
    auto closing = near.close();
    auto messages = accepted->message_stream();
    unsigned count = 0;
    while (auto message = co_await messages.next())
      EXPECT_TRUE(std::ranges::equal(message->bytes(), pattern(1'000, count++)));
    EXPECT_EQ(count, kMessages);
    EXPECT_TRUE(messages.end_reason());
    EXPECT_TRUE(co_await std::move(closing));
  }(channel, b));
}

/// Sends messages of 64 KB without end; returns how many were taken.
Task<std::size_t> send_until_closed(DataChannel& channel, std::size_t& taken) {
  std::vector<std::byte> bytes(std::size_t{64} << 10);
  for (;;) {
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(taken >> (8 * i));
    if (!co_await channel.send_bytes(bytes)) co_return taken;
    ++taken;
  }
}

std::size_t number_in(const Message& message) {
  std::size_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number |= std::to_integer<std::size_t>(message.bytes()[i]) << (8 * i);
  return number;
}

/// At full rate: nobody reads for a while, then slowly, then as fast as it goes.
class ReadersAtFullRate : public NativePeers, public ::testing::WithParamInterface<const char*> {
 protected:
  /// The receive window, what is in the channels' own queues and buffers at both ends, and not a byte that grows.
  static constexpr std::size_t kMostMessages = (std::size_t{24} << 20) / (std::size_t{64} << 10);
};
INSTANTIATE_TEST_SUITE_P(Both, ReadersAtFullRate, testing::Values("", "wdc.framed.v1"),
                         [](const auto& which) { return *which.param == '\0' ? "Plain" : "Framed"; });

TEST_P(ReadersAtFullRate, StopTheSenderAndLoseNothing) {
  auto channel = a.create_data_channel("slow", {.protocol = GetParam()}).value();
  run([](EventLoop& on, DataChannel& near, PeerConnection& far) -> Task<> {
    auto accepted = co_await far.accept_data_channel();
    EXPECT_TRUE(accepted && co_await near.wait_open());
    std::size_t taken = 0;
    auto sending = spawn(on, send_until_closed(near, taken));
    std::size_t before = 1;
    while (before != taken) {  // stalled: the sender comes to a stop
      before = taken;
      co_await sleep_for(50ms);
    }
    EXPECT_GT(taken, 0U);
    EXPECT_LE(taken, kMostMessages);
    auto messages = accepted->message_stream();
    std::size_t read = 0;
    for (; read < 40; ++read) {  // slow: it goes on no faster than it is read
      auto message = co_await messages.next();
      EXPECT_TRUE(message && number_in(*message) == read);
      co_await sleep_for(1ms);
      EXPECT_LE(taken - read, kMostMessages);
    }
    for (; read < 2'000; ++read) {
      auto message = co_await messages.next();
      EXPECT_TRUE(message && number_in(*message) == read);
      if (!message) co_return;
    }
  }(*loop, channel, b));
}

TEST_P(ReadersAtFullRate, MayBeDestroyedInTheMidst) {
  auto channel = a.create_data_channel("cut short", {.protocol = GetParam()}).value();
  run([](EventLoop& on, DataChannel& near, PeerConnection& far) -> Task<> {
    EXPECT_TRUE(co_await near.wait_open());
    std::size_t taken = 0;
    {
      auto accepted = co_await far.accept_data_channel();
      EXPECT_TRUE(accepted);
      auto sending = spawn(on, send_until_closed(near, taken));
      Message kept;
      {
        auto messages = accepted->message_stream();
        for (int i = 0; i < 100; ++i) {
          auto message = co_await messages.next();
          EXPECT_TRUE(message);
          if (message) kept = std::move(*message);
        }
      }
      auto again = accepted->message_stream();  // another reader goes on where that one was
      auto next = co_await again.next();
      EXPECT_TRUE(next && number_in(*next) == 100);
      EXPECT_EQ(number_in(kept), 99U);
      accepted->abort();
    }
    const auto end = co_await with_timeout(near.wait_closed(), 5s);  // in framed mode it is told that it was an abort
    EXPECT_TRUE(end || end.error().code() != Errc::timed_out) << "the sender was not told";
  }(*loop, channel, b));
}

TEST_F(NativePeers, OpenNegotiatedChannels) {
  auto here = a.create_data_channel("x", {.negotiated = true, .id = 7}).value();
  auto there = b.create_data_channel("x", {.negotiated = true, .id = 7}).value();
  EXPECT_EQ(a.create_data_channel("y", {.negotiated = true, .id = 7}).error().code(), Errc::invalid_state);
  run([](DataChannel& near, DataChannel& far) -> Task<> {
    EXPECT_TRUE(co_await near.wait_open());
    EXPECT_TRUE(co_await far.wait_open());
    EXPECT_TRUE(co_await near.send_text("over seven"));
    auto messages = far.message_stream();
    auto message = co_await messages.next();
    EXPECT_TRUE(message && message->as_text() == "over seven");
  }(here, there));
  EXPECT_EQ(here.id(), 7);
}

TEST_F(NativePeers, TellTheirChannelsWhenTheOtherSideClosesTheConnection) {
  auto channel = a.create_data_channel("left alone").value();
  run([](DataChannel& near, PeerConnection& far) -> Task<> {
    EXPECT_TRUE(co_await near.wait_open());
    far.close();
    const auto reason = co_await near.wait_closed();
    EXPECT_FALSE(reason);
    EXPECT_EQ(reason.error().code(), Errc::connection_closed) << reason.error().message();
  }(channel, b));
}

TEST_F(NativePeers, SettleGlare) {
  auto from_a = a.create_data_channel("of a").value();
  auto from_b = b.create_data_channel("of b").value();
  run_on([](PeerConnection& polite, PeerConnection& impolite, DataChannel& one, DataChannel& other) -> Task<> {
    auto offer = co_await polite.set_local_description();
    auto stronger = co_await impolite.set_local_description();
    EXPECT_TRUE(offer && stronger);
    const SessionDescription rubbish{SdpType::answer, offer->sdp + "rubbish"};
    EXPECT_FALSE(co_await impolite.set_remote_description(rubbish));
    const auto taken = co_await polite.set_remote_description(*stronger);
    EXPECT_TRUE(taken) << taken.error().message();
    auto answer = co_await polite.set_local_description();
    EXPECT_TRUE(answer) << answer.error().message();
    EXPECT_TRUE(co_await impolite.set_remote_description(*answer));
    EXPECT_TRUE(co_await one.wait_open());
    EXPECT_TRUE(co_await other.wait_open());
  }(a, b, from_a, from_b));
}

TEST_F(NativePeers, GoOnThroughAnIceRestart) {
  auto channel = a.create_data_channel("restarted").value();
  run([](PeerConnection& here, PeerConnection& there, DataChannel& near) -> Task<> {
    EXPECT_TRUE(co_await near.wait_open());
    auto accepted = co_await there.accept_data_channel();
    here.restart_ice();
    co_await negotiate(here, there);
    co_await sleep_for(200ms);
    EXPECT_TRUE(co_await near.send_text("still here"));
    auto messages = accepted->message_stream();
    auto message = co_await messages.next();
    EXPECT_TRUE(message && message->as_text() == "still here");
  }(a, b, channel));
}

TEST_F(NativePeers, RefuseRubbishWithAReason) {
  run_on([](PeerConnection& here, PeerConnection& other) -> Task<> {
    const SessionDescription rubbish{SdpType::offer, "v=0\r\nnonsense"};
    const auto nonsense = co_await here.set_remote_description(rubbish);
    EXPECT_EQ(nonsense.error().code(), Errc::negotiation_failed) << nonsense.error().message();
    const IceCandidate candidate{.candidate = "candidate:1 1 udp 1 127.0.0.1 9 typ host"};
    const auto early = co_await here.add_ice_candidate(candidate);
    EXPECT_EQ(early.error().code(), Errc::negotiation_failed);
    const SessionDescription unasked{SdpType::answer, ""};
    const auto answer = co_await here.set_remote_description(unasked);
    EXPECT_EQ(answer.error().code(), Errc::negotiation_failed);
    auto channel = here.create_data_channel("works all the same").value();
    co_await negotiate(here, other);
    EXPECT_TRUE(co_await channel.wait_open());
    const IceCandidate malformed{.candidate = "candidate:what", .sdp_mid = "0"};
    const auto bad = co_await here.add_ice_candidate(malformed);
    EXPECT_EQ(bad.error().code(), Errc::negotiation_failed);
  }(a, b));
}

}  // namespace
}  // namespace wdc

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

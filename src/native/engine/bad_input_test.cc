// SPDX-License-Identifier: MIT
// What users and peers may get wrong: every mistake has an error that names the thing.
#include <sched.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "src/native/dtls/certificate.h"
#include "wdc/native.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<EventLoop> make_loop(NativeOptions options = {}) {
  options.loopback = LoopbackCandidates::always;
  return make_native_loop(std::move(options)).value();
}

template <class Body>
void run(EventLoop& loop, Body body) {
  auto running = spawn(loop, [](EventLoop& on, Body inner) -> Task<> {
    EXPECT_TRUE(co_await with_timeout(inner(on), 10s)) << "it took longer than ten seconds";
    on.stop();
  }(loop, std::move(body)));
  loop.run();
  EXPECT_TRUE(running.done());
}

TEST(BadInput, AMachineWithoutNetworkIsNamed) {
  std::optional<Error> error;
  bool may_hide = true;
  // A thread may leave the network alone: its new one has nothing but a loopback interface that is down.
  std::thread([&] {
    may_hide = ::unshare(CLONE_NEWNET) == 0;
    if (!may_hide) return;
    const auto loop = make_native_loop().value();
    run(*loop, [&](EventLoop& on) -> Task<> {
      auto peer = PeerConnection::create(on).value();
      auto channel = peer.create_data_channel("x");
      const auto offer = co_await peer.set_local_description();
      if (!offer) error = offer.error();
    });
  }).join();
  if (!may_hide) GTEST_SKIP() << "only root may make a network namespace";
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::transport_error);
  EXPECT_NE(error->detail().find("no network"), std::string::npos) << error->detail();
}

TEST(BadInput, AnExpiredCertificateIsNamedWithItsDate) {
  const dtls::WallTime long_ago{std::chrono::days(18'000)};  // 2019
  NativeOptions options;
  options.certificate_pem = dtls::Certificate::make(long_ago)->to_pem().value();
  const auto loop = make_native_loop(std::move(options));
  ASSERT_FALSE(loop);
  EXPECT_EQ(loop.error().code(), Errc::invalid_argument);
  EXPECT_NE(loop.error().detail().find("expired on 2019-"), std::string::npos) << loop.error().detail();
}

TEST(BadInput, APeerWithAnotherFingerprintIsRefusedAndNamed) {
  const auto loop = make_loop();
  run(*loop, [](EventLoop& on) -> Task<> {
    auto a = PeerConnection::create(on).value();
    auto b = PeerConnection::create(on).value();
    auto channel = a.create_data_channel("x").value();
    auto offer = co_await a.set_local_description();
    EXPECT_TRUE(offer && co_await b.set_remote_description(*offer));
    auto answer = co_await b.set_local_description();
    EXPECT_TRUE(answer);
    if (!answer) co_return;
    // Somebody between them has put in another's.
    const auto at = answer->sdp.find("a=fingerprint:sha-256 ");
    EXPECT_NE(at, std::string::npos);
    if (at == std::string::npos) co_return;
    char& digit = answer->sdp[at + 22];
    digit = digit == '0' ? '1' : '0';
    EXPECT_TRUE(co_await a.set_remote_description(*answer));
    auto passing = [](PeerConnection& from, PeerConnection& to) -> Task<> {
      while (auto event = co_await from.next_negotiation_event())
        if (const auto* candidate = std::get_if<IceCandidate>(&*event)) (void)co_await to.add_ice_candidate(*candidate);
    };
    auto there = spawn(on, passing(a, b));
    auto back = spawn(on, passing(b, a));
    const auto end = co_await channel.wait_closed();
    EXPECT_FALSE(end);
    if (end) co_return;
    EXPECT_NE(end.error().message().find("fingerprint"), std::string::npos) << end.error().message();
  });
}

TEST(BadInput, DescriptionsAndCandidatesAreRefusedWithTheLineThatIsWrong) {
  const auto loop = make_loop();
  run(*loop, [](EventLoop& on) -> Task<> {
    auto a = PeerConnection::create(on).value();
    auto b = PeerConnection::create(on).value();
    auto channel = a.create_data_channel("x").value();
    auto offer = co_await a.set_local_description();
    EXPECT_TRUE(offer);
    if (!offer) co_return;
    auto broken = *offer;
    const auto at = broken.sdp.find("a=fingerprint:");
    broken.sdp.replace(at, broken.sdp.find('\r', at) - at, "a=fingerprint:sha-256 AB:XY");
    const auto refused = co_await b.set_remote_description(broken);
    EXPECT_FALSE(refused);
    if (refused) co_return;
    EXPECT_NE(refused.error().message().find("fingerprint"), std::string::npos) << refused.error().message();
    EXPECT_TRUE(co_await b.set_remote_description(*offer));
    const IceCandidate candidate{.candidate = "candidate:1 1 udp 1 192.0.2.1 99999 typ host", .sdp_mid = "0"};
    const auto bad = co_await b.add_ice_candidate(candidate);
    EXPECT_FALSE(bad);
    if (bad) co_return;
    EXPECT_NE(bad.error().message().find("candidate: "), std::string::npos) << bad.error().message();
  });
}

}  // namespace
}  // namespace wdc

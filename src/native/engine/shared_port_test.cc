// SPDX-License-Identifier: MIT
// Many connections on one UDP port, over real sockets on loopback.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/engine/native_backend.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

/// The UDP port in a candidate's text.
std::string port_of(std::string_view candidate) {
  for (int field = 0; field < 5; ++field) candidate.remove_prefix(std::min(candidate.find(' ') + 1, candidate.size()));
  return std::string(candidate.substr(0, candidate.find(' ')));
}

class SharedPort : public ::testing::Test {
 protected:
  static std::unique_ptr<EventLoop> make_loop(PortUse use) {
    native::BackendOptions options;
    options.bind_address = udp::Address::parse("127.0.0.1", 0);
    options.port_use = use;
    return std::make_unique<EventLoop>(native::NativeBackend::make(std::move(options)).value());
  }

  struct Link {
    PeerConnection a;
    PeerConnection b;
    std::string said;
    std::set<std::string> ports;  // of a
  };

  static Task<> tell(PeerConnection& from, PeerConnection& to, std::set<std::string>* ports) {
    while (auto event = co_await from.next_negotiation_event()) {
      const auto* candidate = std::get_if<IceCandidate>(&*event);
      if (candidate == nullptr) continue;
      if (ports != nullptr && !candidate->candidate.empty()) ports->insert(port_of(candidate->candidate));
      (void)co_await to.add_ice_candidate(*candidate);
    }
  }
  static Task<> connect(Link& link, int number) {
    auto channel = link.a.create_data_channel("shared").value();
    auto offer = co_await link.a.set_local_description();
    EXPECT_TRUE(offer && co_await link.b.set_remote_description(*offer));
    auto answer = co_await link.b.set_local_description();
    EXPECT_TRUE(answer && co_await link.a.set_remote_description(*answer));
    EXPECT_TRUE(co_await channel.wait_open());
    auto accepted = co_await link.b.accept_data_channel();
    EXPECT_TRUE(accepted);
    if (!accepted) co_return;
    const std::string text = "number " + std::to_string(number) + std::string(50'000, 'x');
    EXPECT_TRUE(co_await channel.send_text(text));
    auto messages = accepted->message_stream();
    auto message = co_await messages.next();
    EXPECT_TRUE(message && message->as_text() == text);
    if (message) link.said = std::string(message->as_text().substr(0, message->as_text().find('x')));
  }

  /// Connects `count` pairs at once, one end of each on either loop, and lets each say something of its own.
  void run(EventLoop& here, EventLoop& there, int count) {
    for (int i = 0; i < count; ++i) {
      auto& link = *links.emplace_back(std::make_unique<Link>());
      link.a = PeerConnection::create(here).value();
      link.b = PeerConnection::create(there).value();
    }
    std::vector<Spawned<void>> telling;
    std::vector<Spawned<void>> connecting;
    for (int i = 0; i < count; ++i) {
      auto& link = *links[static_cast<std::size_t>(i)];
      telling.push_back(spawn(here, tell(link.a, link.b, &link.ports)));
      telling.push_back(spawn(there, tell(link.b, link.a, nullptr)));
      connecting.push_back(spawn(here, connect(link, i)));
    }
    const auto deadline = here.now() + 20s;
    const auto is_done = [&] {
      return std::all_of(connecting.begin(), connecting.end(), [](const auto& task) { return task.done(); });
    };
    while (!is_done() && here.now() < deadline) {
      (void)here.poll();
      if (&there != &here) (void)there.poll();
    }
    EXPECT_TRUE(is_done()) << "it took longer than twenty seconds";
    for (int i = 0; i < count; ++i) EXPECT_EQ(links[static_cast<std::size_t>(i)]->said, "number " + std::to_string(i));
  }

  std::vector<std::unique_ptr<Link>> links;
};

TEST_F(SharedPort, ManyConnectionsUseOnePort) {
  auto here = make_loop(PortUse::shared);
  auto there = make_loop(PortUse::each);
  run(*here, *there, 40);
  std::set<std::string> ports;
  for (const auto& link : links) ports.insert(link->ports.begin(), link->ports.end());
  EXPECT_EQ(ports.size(), 1U);
  links.clear();
}

TEST_F(SharedPort, TwoOfOneLoopThatShareBothEndsGetASecondPort) {
  auto loop = make_loop(PortUse::shared);
  run(*loop, *loop, 1);
  links.clear();
}

TEST_F(SharedPort, ManyBetweenTwoSharedPortsGetAsManyMoreAsTheyNeed) {
  auto here = make_loop(PortUse::shared);
  auto there = make_loop(PortUse::shared);
  run(*here, *there, 12);
  std::set<std::string> ports;
  for (const auto& link : links) ports.insert(link->ports.begin(), link->ports.end());
  EXPECT_GT(ports.size(), 1U);
  EXPECT_LE(ports.size(), 24U);
  links.clear();
}

TEST_F(SharedPort, IsClosedWithItsLastConnectionAndOpenedAgain) {
  auto here = make_loop(PortUse::shared);
  auto there = make_loop(PortUse::each);
  run(*here, *there, 2);
  links.clear();
  run(*here, *there, 1);
  links.clear();
}

}  // namespace
}  // namespace wdc

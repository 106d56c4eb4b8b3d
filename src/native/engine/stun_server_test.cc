// SPDX-License-Identifier: MIT
// Server-reflexive candidates through somebody else's STUN server: coturn, behind a translator of addresses.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "wdc/native.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A UDP socket on a loopback port that the system chooses.
class Socket {
 public:
  Socket() : handle_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    auto address = loopback(0);
    EXPECT_EQ(::bind(handle_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    ::getsockname(handle_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(handle_); }

  [[nodiscard]] int handle() const { return handle_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void send(std::span<const char> bytes, std::uint16_t to) const {
    const auto address = loopback(to);
    (void)::sendto(handle_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  /// From where it came; 0 where nothing comes in time.
  [[nodiscard]] std::uint16_t receive(std::vector<char>& bytes, int milliseconds) const {
    pollfd waiting{.fd = handle_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, milliseconds) != 1) return 0;
    bytes.resize(2'000);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count = ::recvfrom(handle_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return ntohs(from.sin_port);
  }

 private:
  int handle_;
  std::uint16_t port_ = 0;
};

/// coturn as a STUN server on a free port of loopback.
class Coturn {
 public:
  Coturn() {
    { port_ = Socket().port(); }
    child_ = ::fork();
    if (child_ == 0) {
      const auto port = std::to_string(port_);
      (void)std::freopen("/dev/null", "w", stdout);
      ::execl(WDC_TURNSERVER, WDC_TURNSERVER, "-n", "--stun-only", "--no-cli", "--no-tcp", "--no-tls", "--no-dtls",
              "--listening-ip", "127.0.0.1", "--listening-port", port.c_str(), "--log-file", "stdout", "--pidfile",
              "/dev/null", "--no-rfc5780", nullptr);
      ::_exit(127);
    }
  }
  Coturn(const Coturn&) = delete;
  Coturn& operator=(const Coturn&) = delete;
  ~Coturn() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }

  /// Asks until it answers.
  [[nodiscard]] bool is_up() const {
    const std::array<char, 20> request{0, 1, 0, 0, 0x21, 0x12, static_cast<char>(0xa4), 0x42};
    const Socket asking;
    std::vector<char> answer;
    for (int i = 0; i < 100; ++i) {
      asking.send(request, port_);
      if (asking.receive(answer, 100) == port_) return true;
    }
    return false;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  pid_t child_ = 0;
};

/// Stands before the server, and asks it in the name of each client from a port of the client's own, as a NAT does.
class Translator {
 public:
  explicit Translator(std::uint16_t server) : thread_([this, server] { run(server); }) {}
  ~Translator() {
    stopping_ = true;
    thread_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return front_.port(); }
  /// The ports that the server has seen. REQUIRES: nobody asks any more.
  [[nodiscard]] bool has_port(std::uint16_t port) const {
    for (const auto& [client, socket] : clients_)
      if (socket->port() == port) return true;
    return false;
  }

 private:
  void run(std::uint16_t server) {
    std::vector<char> bytes;
    while (!stopping_) {
      if (const auto client = front_.receive(bytes, 5); client != 0) {
        auto& socket = clients_[client];
        if (socket == nullptr) socket = std::make_unique<Socket>();
        socket->send(bytes, server);
      }
      for (const auto& [client, socket] : clients_)
        if (socket->receive(bytes, 1) != 0) front_.send(bytes, client);
    }
  }

  Socket front_;
  std::map<std::uint16_t, std::unique_ptr<Socket>> clients_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// The candidates that a connection tells, until the last one.
std::vector<std::string> gather(const std::string& url, PortUse use) {
  NativeOptions options;
  options.bind_address = "127.0.0.1";
  options.port_use = use;
  const auto loop = make_native_loop(std::move(options)).value();
  std::vector<std::string> candidates;
  auto running = spawn(*loop, [](EventLoop& on, std::string server, std::vector<std::string>& out) -> Task<> {
    PeerConnectionOptions connection;
    connection.ice_servers.push_back({.urls = {server}});
    auto peer = PeerConnection::create(on, connection).value();
    auto channel = peer.create_data_channel("x");
    const auto offer = co_await peer.set_local_description();
    EXPECT_TRUE(offer);
    while (auto event = co_await peer.next_negotiation_event()) {
      const auto* candidate = std::get_if<IceCandidate>(&*event);
      if (candidate == nullptr) continue;
      if (candidate->candidate.empty()) break;
      out.push_back(candidate->candidate);
    }
    on.stop();
  }(*loop, url, candidates));
  loop->run();
  return candidates;
}

class StunServer : public testing::TestWithParam<PortUse> {};

TEST_P(StunServer, TellsTheAddressThatOthersSee) {
  const Coturn server;
  ASSERT_TRUE(server.is_up());
  std::vector<std::string> candidates;
  const Translator translator(server.port());
  candidates = gather("stun:127.0.0.1:" + std::to_string(translator.port()), GetParam());
  ASSERT_EQ(candidates.size(), 2U);
  EXPECT_NE(candidates[0].find(" typ host"), std::string::npos) << candidates[0];
  const auto& seen = candidates[1];
  const auto at = seen.find(" 127.0.0.1 ");
  ASSERT_NE(at, std::string::npos) << seen;
  EXPECT_TRUE(translator.has_port(static_cast<std::uint16_t>(std::stoul(seen.substr(at + 11))))) << seen;
  EXPECT_NE(seen.find(" typ srflx raddr 127.0.0.1 rport "), std::string::npos) << seen;
}
INSTANTIATE_TEST_SUITE_P(Ports, StunServer, testing::Values(PortUse::each, PortUse::shared));

TEST(StunServerTest, ThatSeesTheSameAddressAddsNoCandidate) {
  const Coturn server;
  ASSERT_TRUE(server.is_up());
  const auto candidates = gather("stun:127.0.0.1:" + std::to_string(server.port()), PortUse::each);
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_NE(candidates[0].find(" typ host"), std::string::npos);
}

}  // namespace
}  // namespace wdc

// SPDX-License-Identifier: MIT
// connect() natively: through the server of apps/server, and in rooms of the process itself.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "wdc/native.h"
#include "wdc/wdc.h"

namespace wdc {
namespace {

using namespace std::chrono_literals;

/// The signaling server as a child.
class Server {
 public:
  Server() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::execl(WDC_SERVER_PROGRAM, WDC_SERVER_PROGRAM, "--port", "0", "--root", "/usr/share", "--quiet", nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::string line;
    for (char c = 0; ::read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(ends[0]);
    constexpr std::string_view kStart = "listening on http";
    EXPECT_TRUE(line.starts_with(kStart)) << line;
    url_ = "ws" + line.substr(std::min(line.size(), kStart.size())) + "/ws";
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { stop(); }

  void stop() {
    if (child_ <= 0) return;
    ::kill(child_, SIGTERM);
    ::waitpid(std::exchange(child_, 0), nullptr, 0);
  }
  [[nodiscard]] const std::string& url() const { return url_; }

 private:
  pid_t child_ = 0;
  std::string url_;
};

/// With loopback addresses, as a machine may have no others.
std::unique_ptr<EventLoop> make_loop() {
  NativeOptions options;
  options.loopback = LoopbackCandidates::always;
  return make_native_loop(std::move(options)).value();
}

ConnectOptions patient() {
  ConnectOptions options;
  options.timeout = 10s;
  return options;
}

/// Sends one text back, then waits for the end.
Task<> echo_one(EventLoop& loop, std::string url) {
  auto connecting = connect(loop, url, "room", patient());
  auto connection = co_await connecting;
  EXPECT_TRUE(connection) << connection.error().message();
  if (!connection) co_return;
  auto messages = connection->channel.message_stream();
  auto next = messages.next();
  auto message = co_await next;
  EXPECT_TRUE(message);
  if (!message) co_return;
  auto sending = connection->channel.send(std::move(*message));
  EXPECT_TRUE(co_await sending);
  auto after = messages.next();
  EXPECT_FALSE(co_await after);
}

Task<> ask_one(EventLoop& loop, std::string url) {
  auto connecting = connect(loop, url, "room", patient());
  auto connection = co_await connecting;
  EXPECT_TRUE(connection) << connection.error().message();
  if (!connection) co_return;
  auto& channel = connection->channel;
  auto sending = channel.send_text("there and back");
  EXPECT_TRUE(co_await sending);
  auto messages = channel.message_stream();
  auto next = messages.next();
  auto message = co_await next;
  EXPECT_TRUE(message && message->as_text() == "there and back");
  auto closing = channel.close();
  EXPECT_TRUE(co_await std::move(closing));
}

Task<> both(EventLoop& loop, std::string url) {
  auto echoing = spawn(loop, echo_one(loop, url));
  auto asking = ask_one(loop, url);
  co_await std::move(asking);
  co_await std::move(echoing);
  loop.stop();
}

TEST(NativeConnect, MeetsThroughTheServer) {
  const Server server;
  const auto loop = make_loop();
  auto running = spawn(*loop, both(*loop, server.url()));
  loop->run();
  EXPECT_TRUE(running.done());
}

TEST(NativeConnect, MeetsInsideOneProcess) {
  const auto loop = make_loop();
  auto running = spawn(*loop, both(*loop, "broadcast:"));
  loop->run();
  EXPECT_TRUE(running.done());
}

TEST(NativeConnect, MeetsBetweenTwoThreadsOfOneProcess) {
  std::thread other([] {
    const auto loop = make_loop();
    auto running = spawn(*loop, [](EventLoop& on) -> Task<> {
      auto echoing = echo_one(on, "broadcast:");
      co_await std::move(echoing);
      on.stop();
    }(*loop));
    loop->run();
  });
  const auto loop = make_loop();
  auto running = spawn(*loop, [](EventLoop& on) -> Task<> {
    auto asking = ask_one(on, "broadcast:");
    co_await std::move(asking);
    on.stop();
  }(*loop));
  loop->run();
  other.join();
}

TEST(NativeConnect, LivesOnAContextOfTheProgram) {
  const Server server;
  boost::asio::io_context context;
  NativeOptions options;
  options.loopback = LoopbackCandidates::always;
  std::uint64_t packets = 0;
  options.packet_log = [&](const LoggedPacket& packet) { packets += packet.bytes.empty() ? 0 : 1; };
  const auto loop = make_native_loop(context, std::move(options)).value();
  bool done = false;
  auto running = spawn(*loop, [](EventLoop& on, std::string url, bool& ended) -> Task<> {
    auto task = both(on, url);
    co_await std::move(task);
    ended = true;
  }(*loop, server.url(), done));
  const auto deadline = std::chrono::steady_clock::now() + 15s;
  while (!done && std::chrono::steady_clock::now() < deadline) context.run_one_until(deadline);
  EXPECT_TRUE(done);
  EXPECT_GT(packets, 10U);
}

Error error_of(std::string url, std::string room = "room") {
  const auto loop = make_loop();
  std::optional<Error> error;
  auto running = spawn(*loop, [](EventLoop& on, std::string to, std::string in, std::optional<Error>& out) -> Task<> {
    auto connecting = connect(on, to, in, patient());
    auto connection = co_await connecting;
    if (!connection) out = connection.error();
    on.stop();
  }(*loop, url, room, error));
  loop->run();
  return error.value_or(Error(Errc::cancelled));
}

TEST(NativeConnect, NamesWhatIsWrong) {
  EXPECT_EQ(error_of("ftp://a").code(), Errc::invalid_argument);
  const auto nowhere = error_of("ws://127.0.0.1:9/ws");
  EXPECT_EQ(nowhere.code(), Errc::signaling_unreachable);
  EXPECT_NE(nowhere.detail().find("ws://127.0.0.1:9/ws: connecting: "), std::string::npos) << nowhere.detail();
  const Server server;
  const auto not_there = error_of(server.url() + "x");
  EXPECT_EQ(not_there.code(), Errc::signaling_unreachable);
  EXPECT_NE(not_there.detail().find("HTTP 404"), std::string::npos) << not_there.detail();
  const auto no_tls = error_of("wss" + server.url().substr(2));
  EXPECT_EQ(no_tls.code(), Errc::signaling_unreachable);
  EXPECT_NE(no_tls.detail().find(": TLS: "), std::string::npos) << no_tls.detail();
}

TEST(NativeConnect, LosesTheServerWithAName) {
  Server server;
  const auto loop = make_loop();
  std::optional<Error> error;
  // Nobody else comes. Trying again would take 25 s: the connection's own limit is shorter.
  auto running = spawn(*loop, [](EventLoop& on, std::string url, std::optional<Error>& out) -> Task<> {
    ConnectOptions options;
    options.timeout = 1500ms;
    auto connecting = connect(on, url, "room", std::move(options));
    auto connection = co_await connecting;
    if (!connection) out = connection.error();
    on.stop();
  }(*loop, server.url(), error));
  auto stopping = spawn(*loop, [](Server& gone) -> Task<> {
    co_await sleep_for(200ms);
    gone.stop();
  }(server));
  loop->run();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::timed_out);
}

TEST(NativeOptions, AreRefusedWithTheirNames) {
  const auto detail_of = [](NativeOptions options) {
    auto made = make_native_loop(std::move(options));
    return made ? std::string("accepted") : made.error().detail();
  };
  NativeOptions options;
  options.bind_address = "localhost";
  EXPECT_NE(detail_of(options).find("bind_address"), std::string::npos);
  options = {};
  options.ports = {.first = 10, .last = 9};
  EXPECT_NE(detail_of(options).find("ports 10 to 9"), std::string::npos);
  options = {};
  options.certificate_pem = "rubbish";
  EXPECT_NE(detail_of(options), "accepted");
}

TEST(NativeOptions, AnAddressAndAPortRangeAreKeptTo) {
  NativeOptions options;
  options.bind_address = "127.0.0.1";
  options.ports = {.first = 45'210, .last = 45'211};
  const auto loop = make_native_loop(std::move(options)).value();
  auto running = spawn(*loop, [](EventLoop& on) -> Task<> {
    std::vector<PeerConnection> peers;
    for (int i = 0; i < 3; ++i) {
      peers.push_back(PeerConnection::create(on).value());
      auto channel = peers.back().create_data_channel("x");
      auto setting = peers.back().set_local_description();
      const auto offer = co_await setting;
      EXPECT_EQ(offer.has_value(), i < 2) << "the range has two ports";
      if (!offer) {
        EXPECT_NE(offer.error().detail().find("45210 to 45211"), std::string::npos) << offer.error().detail();
      }
      if (i == 0) {
        auto next = peers.back().next_negotiation_event();
        auto event = co_await next;
        while (event && !std::holds_alternative<IceCandidate>(*event)) {
          auto again = peers.back().next_negotiation_event();
          event = co_await again;
        }
        EXPECT_NE(std::get<IceCandidate>(*event).candidate.find(" 127.0.0.1 45210 typ host"), std::string::npos);
      }
    }
    on.stop();
  }(*loop));
  loop->run();
  EXPECT_TRUE(running.done());
}

}  // namespace
}  // namespace wdc

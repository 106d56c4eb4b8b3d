// SPDX-License-Identifier: MIT
//
// The whole server over loopback sockets, with well-behaved clients and with hostile ones.

#include "apps/server/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace fs = std::filesystem;
namespace http = beast::http;
namespace json = boost::json;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// No answer within this is a failure; nothing waits that long otherwise.
constexpr seconds kPatience{20};

// Runs what was started on `context` until it is done.
void run_until(asio::io_context& context, const bool& is_done) {
  const auto deadline = steady_clock::now() + kPatience;
  context.restart();
  while (!is_done && steady_clock::now() < deadline) context.run_one_until(deadline);
  if (!is_done) throw std::runtime_error("no answer in time");
}

// A folder with a page, a secret beside it, and every way to reach the secret that a file system has.
class Page {
 public:
  Page() {
    std::string pattern = (fs::temp_directory_path() / "wdc_server_test.XXXXXX").string();
    top_ = ::mkdtemp(pattern.data());
    fs::create_directories(root() / "sub" / ".hidden");
    write(top_ / "secret.txt", "SECRET");
    write(root() / "index.html", "<p>page</p>");
    write(root() / "app.js", "export {};");
    write(root() / "app.js.map", "{}");
    write(root() / "wdc.wasm", std::string("\0asm", 4));
    write(root() / "icon.svg", "<svg/>");
    write(root() / "big.bin", std::string(8 * 1024 * 1024, 'b'));
    write(root() / "sub" / "index.html", "<p>sub</p>");
    write(root() / ".env", "SECRET");
    write(root() / "sub" / ".hidden" / "a.txt", "SECRET");
    fs::create_symlink(top_ / "secret.txt", root() / "way_out.txt");
    fs::create_directory_symlink(top_, root() / "up");
    fs::create_symlink(root() / ".env", root() / "shown.txt");
    fs::create_symlink("app.js", root() / "link.js");
    if (::mkfifo((root() / "pipe").c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
  }
  ~Page() { fs::remove_all(top_); }

  [[nodiscard]] fs::path root() const { return top_ / "root"; }

  static void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

 private:
  fs::path top_;
};

const Page& page() {
  static const Page the_page;
  return the_page;
}

Limits roomy() {
  Limits limits;
  limits.upgrade_burst = 100'000;
  limits.connections_per_address = 4096;
  limits.handshake_time = seconds(2);
  return limits;
}

class RunningServer {
 public:
  explicit RunningServer(const Limits& limits = roomy(), std::vector<std::string> origins = {}) {
    Options options;
    options.port = 0;
    options.root = page().root().string();
    options.limits = limits;
    options.allowed_origins = std::move(origins);
    auto opened = Server::open(options, nullptr);
    if (!opened) throw std::runtime_error(opened.error());
    server_ = std::move(*opened);
    port_ = server_->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() {
    begin_shut_down();
    thread_.join();
  }

  void begin_shut_down() {
    if (!std::exchange(is_shutting_down_, true)) asio::post(server_->context(), [this] { server_->shut_down(); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string host() const { return concat("127.0.0.1:", port_); }

  // A figure, read on the server's own thread.
  std::size_t read(const std::function<std::size_t(const Server&)>& figure) {
    std::promise<std::size_t> promise;
    asio::post(server_->context(), [&] { promise.set_value(figure(*server_)); });
    return promise.get_future().get();
  }
  std::size_t connections() {
    return read([](const Server& server) { return server.connections(); });
  }

  // Asks again and again until the number of connections is `wanted`; answers what it was in the end.
  std::size_t connections_become(std::size_t wanted) {
    const auto deadline = steady_clock::now() + kPatience;
    while (connections() != wanted && steady_clock::now() < deadline) std::this_thread::yield();
    return connections();
  }

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  bool is_shutting_down_ = false;
};

// Bytes in, bytes out.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : socket_(context_) {
    socket_.open(tcp::v4());
    if (receive_buffer > 0) socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    socket_.connect({asio::ip::address_v4::loopback(), port});
  }

  void send(std::string_view bytes) {
    error_code ignored;  // the server may have hung up already
    asio::write(socket_, asio::buffer(bytes), ignored);
  }
  void half_close() { socket_.shutdown(asio::socket_base::shutdown_send); }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }

  // Everything up to the end of the connection.
  std::string read_to_end() {
    std::string out;
    bool is_done = false;
    asio::async_read(socket_, asio::dynamic_buffer(out), [&](error_code, std::size_t) { is_done = true; });
    run_until(context_, is_done);
    return out;
  }

  std::string read_until(std::string_view delimiter) {
    std::string out;
    bool is_done = false;
    asio::async_read_until(socket_, asio::dynamic_buffer(out), delimiter,
                           [&](error_code, std::size_t) { is_done = true; });
    run_until(context_, is_done);
    return out;
  }

  // What a member would, and then nothing more: neither reads nor answers a ping.
  void join_and_go_deaf(const std::string& host, const std::string& room) {
    send(concat("GET /ws?room=", room, " HTTP/1.1\r\nHost: ", host,
                "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
    EXPECT_THAT(read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  }

 private:
  asio::io_context context_;
  tcp::socket socket_;
};

struct Answer {
  http::response<http::string_body> response;
  [[nodiscard]] unsigned status() const { return response.result_int(); }
  [[nodiscard]] std::string header(std::string_view name) const { return std::string(response[name]); }
};

// One request on a connection of its own.
Answer request(const RunningServer& server, http::verb method, std::string_view target,
               const std::vector<std::pair<std::string, std::string>>& headers = {}) {
  std::string text = concat(std::string_view(http::to_string(method)), " ", target,
                            " HTTP/1.1\r\nHost: ", server.host(), "\r\nConnection: close\r\n");
  for (const auto& [name, value] : headers) text += concat(name, ": ", value, "\r\n");
  RawClient client(server.port());
  client.send(text + "\r\n");
  const auto bytes = client.read_to_end();
  http::response_parser<http::string_body> parser;
  parser.eager(true);
  parser.skip(method == http::verb::head);
  parser.body_limit(64 * 1024 * 1024);
  error_code error;
  std::size_t used = 0;
  while (!error && !parser.is_done() && used < bytes.size()) {
    used += parser.put(asio::buffer(bytes.data() + used, bytes.size() - used), error);
  }
  EXPECT_FALSE(error) << error.message() << " in " << escape(bytes);
  EXPECT_TRUE(parser.is_done()) << escape(bytes);
  EXPECT_EQ(used, bytes.size()) << "bytes after the answer";
  return {parser.release()};
}

// A member of a room.
class Member {
 public:
  struct Event {
    std::optional<std::string> frame;
    unsigned close_code = 0;  // 1006: the connection ended without one
  };

  Member(const RunningServer& server, std::string_view query, const std::string& origin = {}, int receive_buffer = 0)
      : websocket_(context_) {
    auto& socket = websocket_.next_layer().socket();
    socket.open(tcp::v4());
    if (receive_buffer > 0) socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
    socket.connect({asio::ip::address_v4::loopback(), server.port()});
    websocket_.set_option(websocket::stream_base::decorator([origin](websocket::request_type& upgrade) {
      if (!origin.empty()) upgrade.set(http::field::origin, origin);
    }));
    websocket_.read_message_max(1024 * 1024);
    bool is_done = false;
    websocket_.async_handshake(handshake_answer_, server.host(), concat("/ws?", query), [&](error_code error) {
      is_open_ = !error;
      is_done = true;
    });
    run_until(context_, is_done);
  }

  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] unsigned handshake_status() const { return handshake_answer_.result_int(); }
  [[nodiscard]] std::string handshake_header(http::field name) const { return std::string(handshake_answer_[name]); }

  Event read() {
    beast::flat_buffer buffer;
    error_code result;
    bool is_done = false;
    websocket_.async_read(buffer, [&](error_code error, std::size_t) {
      result = error;
      is_done = true;
    });
    run_until(context_, is_done);
    if (!result) return {beast::buffers_to_string(buffer.data()), 0};
    return {std::nullopt, result == websocket::error::closed ? websocket_.reason().code : 1006u};
  }

  // The next frame, which must be there.
  json::object frame() {
    const auto event = read();
    if (!event.frame) throw std::runtime_error(concat("closed with ", event.close_code, " instead of a frame"));
    return json::parse(*event.frame).as_object();
  }

  // The end as documented: an error frame, then the close code.
  void expect_failure(std::string_view code, unsigned close_code, std::string_view message_part) {
    json::object error;
    do error = frame();
    while (error.at("type") != "error");
    EXPECT_EQ(error.at("code").as_string(), json::string_view(code.data(), code.size()));
    EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr(std::string(message_part)));
    EXPECT_EQ(read().close_code, close_code);
  }

  // False if the connection has ended.
  bool send(std::string_view text, bool is_text = true) {
    websocket_.text(is_text);
    return finish([&](auto handler) { websocket_.async_write(asio::buffer(text), handler); });
  }
  bool ping() {
    bool is_done = false;
    error_code result;
    websocket_.async_ping({}, [&](error_code error) {
      result = error;
      is_done = true;
    });
    run_until(context_, is_done);
    return !result;
  }
  void drop() { websocket_.next_layer().socket().close(); }

 private:
  template <class Start>
  bool finish(Start start) {
    bool is_done = false;
    error_code result;
    start([&](error_code error, std::size_t) {
      result = error;
      is_done = true;
    });
    run_until(context_, is_done);
    return !result;
  }

  asio::io_context context_;
  websocket::stream<beast::tcp_stream> websocket_;
  websocket::response_type handshake_answer_;
  bool is_open_ = false;
};

std::string candidate(int number) {
  return concat(R"({"type":"candidate","candidate":{"candidate":"candidate:)", number, R"("}})");
}

std::string offer_of(std::size_t frame_bytes) {
  std::string head = R"({"type":"description","description":{"type":"offer","sdp":")";
  const std::string tail = R"("}})";
  return head + std::string(frame_bytes - head.size() - tail.size(), 'x') + tail;
}

std::string text(const json::value& value) { return std::string(value.as_string()); }

// Two members of one room, past their welcomes.
struct Pair {
  explicit Pair(const RunningServer& server, const std::string& room = "blue")
      : first(server, "room=" + room), first_id(text(first.frame().at("you"))), second(server, "room=" + room) {
    second_id = text(second.frame().at("you"));
    EXPECT_EQ(text(first.frame().at("peer")), second_id);
  }
  Member first;
  std::string first_id;
  Member second;
  std::string second_id;
};

// --- rooms

TEST(ServerRoomTest, WelcomesTwoMembersWithOppositeRoles) {
  RunningServer server;
  Member first(server, "room=blue");
  const auto first_welcome = first.frame();
  EXPECT_EQ(first_welcome.at("type"), "welcome");
  EXPECT_EQ(first_welcome.at("version"), 1);
  EXPECT_EQ(first_welcome.at("polite"), false);
  EXPECT_TRUE(first_welcome.at("peers").as_array().empty());
  EXPECT_EQ(first_welcome.at("maxMessageBytes"), 65536);
  Member second(server, "room=blue&version=1");
  const auto second_welcome = second.frame();
  EXPECT_EQ(second_welcome.at("polite"), true);
  EXPECT_EQ(second_welcome.at("peers"), json::array{first_welcome.at("you")});
  EXPECT_EQ(first.frame(), (json::object{{"type", "joined"}, {"peer", second_welcome.at("you")}}));
}

TEST(ServerRoomTest, RelaysBothWaysInOrder) {
  RunningServer server;
  Pair pair(server);
  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(pair.first.send(candidate(i)));
    ASSERT_TRUE(pair.second.send(candidate(1000 + i)));
  }
  for (int i = 0; i < 150; ++i) {
    const auto at_second = pair.second.frame();
    EXPECT_EQ(text(at_second.at("from")), pair.first_id);
    EXPECT_EQ(text(at_second.at("candidate").at("candidate")), concat("candidate:", i));
    EXPECT_EQ(text(pair.first.frame().at("candidate").at("candidate")), concat("candidate:", 1000 + i));
  }
}

TEST(ServerRoomTest, PassesTheLargestFrameOn) {
  RunningServer server;
  Pair pair(server);
  ASSERT_TRUE(pair.first.send(offer_of(65536)));
  EXPECT_EQ(text(pair.second.frame().at("description").at("sdp")).size(), 65536 - offer_of(100).size() + 38);
}

TEST(ServerRoomTest, AByeIsPassedOnAndClosesTheSenderNormally) {
  RunningServer server;
  Pair pair(server);
  ASSERT_TRUE(pair.second.send(R"({"type":"bye"})"));
  EXPECT_EQ(pair.second.read().close_code, 1000u);
  EXPECT_EQ(pair.first.frame(), (json::object{{"type", "bye"}, {"from", pair.second_id}}));
  EXPECT_EQ(pair.first.frame(), (json::object{{"type", "left"}, {"peer", pair.second_id}}));
}

TEST(ServerRoomTest, AMemberThatDroppedIsReplacedInItsRole) {
  RunningServer server;
  Pair pair(server);
  pair.first.drop();
  EXPECT_EQ(pair.second.frame(), (json::object{{"type", "left"}, {"peer", pair.first_id}}));
  Member again(server, "room=blue");
  EXPECT_EQ(again.frame().at("polite"), false);
  // Meant for the member that dropped: must not reach the new one.
  ASSERT_TRUE(pair.second.send(concat(R"({"type":"candidate","to":")", pair.first_id, R"(","candidate":null})")));
  ASSERT_TRUE(pair.second.send(candidate(7)));
  EXPECT_EQ(text(again.frame().at("candidate").at("candidate")), "candidate:7");
}

TEST(ServerRoomTest, AThirdMemberIsToldThatTheRoomIsFull) {
  RunningServer server;
  Pair pair(server);
  Member third(server, "room=blue");
  third.expect_failure("room_full", 4010, "room \"blue\" has 2 members");
  ASSERT_TRUE(pair.first.send(candidate(1)));
  EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), "candidate:1");
}

TEST(ServerRoomTest, OneRoomTooManyIsRefusedUntilOneIsEmpty) {
  auto limits = roomy();
  limits.rooms = 2;
  RunningServer server(limits);
  Member one(server, "room=one");
  Member two(server, "room=two");
  Member three(server, "room=three");
  three.expect_failure("too_many_rooms", 4011, "2 rooms");
  ASSERT_TRUE(one.send(R"({"type":"bye"})"));
  EXPECT_EQ(text(one.frame().at("type")), "welcome");
  EXPECT_EQ(one.read().close_code, 1000u);
  Member again(server, "room=three");
  EXPECT_EQ(text(again.frame().at("type")), "welcome");
}

TEST(ServerRoomTest, RefusesBadRoomNamesAndOtherVersions) {
  RunningServer server;
  for (const char* query : {"", "room=", "room=a%20b", "room=a&room=b", "other=1", "room=a/b"}) {
    Member(server, query).expect_failure("bad_room", 4003, "");
  }
  Member(server, "room=" + std::string(65, 'x')).expect_failure("bad_room", 4003, "65 bytes");
  for (const char* query : {"room=a&version=2", "room=a&version=", "room=a&version=1&version=1", "room=a&version=01"}) {
    Member(server, query).expect_failure("unsupported_version", 4004, "speaks version 1");
  }
}

// --- what members may not do

TEST(ServerLimitTest, AMalformedFrameEndsItsSenderOnly) {
  RunningServer server;
  for (const char* bad : {"", "rubbish", "{}", "[]", R"({"type":"welcome"})", R"({"type":"description"})"}) {
    Pair pair(server);
    ASSERT_TRUE(pair.second.send(bad));
    pair.second.expect_failure("malformed", 4001, "");
    EXPECT_EQ(text(pair.first.frame().at("type")), "left");
    Member next(server, "room=blue");
    EXPECT_EQ(text(next.frame().at("type")), "welcome");
    EXPECT_EQ(text(pair.first.frame().at("type")), "joined");
    ASSERT_TRUE(pair.first.send(R"({"type":"bye"})"));
    EXPECT_EQ(pair.first.read().close_code, 1000u);
    ASSERT_TRUE(next.send(R"({"type":"bye"})"));
    EXPECT_EQ(server.connections_become(0), 0u);
  }
}

TEST(ServerLimitTest, ABinaryFrameIsMalformed) {
  RunningServer server;
  Member member(server, "room=blue");
  ASSERT_TRUE(member.send(candidate(1), false));
  member.expect_failure("malformed", 4001, "binary frame");
}

TEST(ServerLimitTest, OneByteTooManyIsTooLarge) {
  RunningServer server;
  Member member(server, "room=blue");
  ASSERT_TRUE(member.send(offer_of(65537)));
  member.expect_failure("too_large", 4002, "more than 65536 bytes");
}

TEST(ServerLimitTest, AVastFrameIsRefusedBeforeItHasArrived) {
  RunningServer server;
  RawClient client(server.port());
  client.join_and_go_deaf(server.host(), "blue");
  client.send(std::string("\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00mask", 14) + std::string(70'000, 'x'));  // of 4 GiB
  EXPECT_THAT(client.read_to_end(), HasSubstr("\"too_large\""));
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerLimitTest, BrokenFramingIsClosedByTheWebSocketLayer) {
  RunningServer server;
  for (const auto& bytes : {std::string("\x8f\x80mask", 6), std::string("\x81\x05hello", 7), std::string(20, '\xff'),
                            std::string("\x81\x82\0\0\0\0\xff\xff", 8), std::string(200, 'G')}) {
    RawClient client(server.port());
    client.join_and_go_deaf(server.host(), "blue");
    client.send(bytes);
    client.half_close();
    const auto rest = client.read_to_end();
    EXPECT_TRUE(rest.ends_with("\x03\xea") || rest.ends_with("\x03\xef")) << escape(rest);  // 1002 or 1007
    EXPECT_EQ(server.connections_become(0), 0u);
  }
}

TEST(ServerLimitTest, TooManyFramesAreRateLimited) {
  auto limits = roomy();
  limits.message_burst = 10;
  limits.messages_per_second = 1;
  RunningServer server(limits);
  Pair pair(server);
  for (int i = 0; i < 30; ++i) pair.first.send(candidate(i));
  pair.first.expect_failure("rate_limited", 4012, "10 frames at once or 1 a second");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), concat("candidate:", i));
  EXPECT_EQ(text(pair.second.frame().at("type")), "left");
}

TEST(ServerLimitTest, TooManyBytesAreRateLimited) {
  auto limits = roomy();
  limits.byte_burst = 100'000;
  limits.bytes_per_second = 1;
  RunningServer server(limits);
  Pair pair(server);
  ASSERT_TRUE(pair.first.send(offer_of(60'000)));
  ASSERT_TRUE(pair.first.send(offer_of(60'000)));
  pair.first.expect_failure("rate_limited", 4012, "100000 bytes at once");
}

TEST(ServerLimitTest, PingsCountAsFrames) {
  auto limits = roomy();
  limits.message_burst = 10;
  limits.messages_per_second = 1;
  RunningServer server(limits);
  Member member(server, "room=blue");
  for (int i = 0; i < 30 && member.ping(); ++i) {
  }
  member.expect_failure("rate_limited", 4012, "10 control frames");
}

TEST(ServerLimitTest, SilenceOfAnHourIsIdleEvenIfPingsAreAnswered) {
  auto limits = roomy();
  limits.idle_time = milliseconds(400);  // the hour
  limits.dead_after = milliseconds(100);
  RunningServer server(limits);
  Member member(server, "room=blue");
  const auto start = steady_clock::now();
  member.expect_failure("idle", 4014, "for 0.4 seconds");
  EXPECT_GE(steady_clock::now() - start, milliseconds(300));  // it outlived dead_after: pings were answered
}

TEST(ServerLimitTest, AFrameEitherWayKeepsBothFromBeingIdle) {
  auto limits = roomy();
  limits.idle_time = milliseconds(500);
  RunningServer server(limits);
  Pair pair(server);
  const auto start = steady_clock::now();
  int frames = 0;
  while (steady_clock::now() - start < milliseconds(1500)) {
    ASSERT_EQ(server.connections(), 2u);  // and a frame every 100 ms
    if (steady_clock::now() - start < milliseconds(100 * frames)) continue;
    ASSERT_TRUE(pair.first.send(candidate(frames)));
    EXPECT_EQ(text(pair.second.frame().at("candidate").at("candidate")), concat("candidate:", frames++));
  }
  EXPECT_GE(frames, 10);
}

TEST(ServerLimitTest, AMemberThatAnswersNoPingIsLostInTime) {
  auto limits = roomy();
  limits.dead_after = milliseconds(300);
  RunningServer server(limits);
  RawClient deaf(server.port());
  deaf.join_and_go_deaf(server.host(), "blue");
  Member other(server, "room=blue");
  EXPECT_EQ(text(other.frame().at("type")), "welcome");
  const auto start = steady_clock::now();
  EXPECT_EQ(text(other.frame().at("type")), "left");
  EXPECT_LT(steady_clock::now() - start, seconds(5));
}

TEST(ServerLimitTest, ASlowReaderIsClosedAndTheOtherOneStays) {
  auto limits = roomy();
  limits.message_burst = 100'000;
  limits.byte_burst = 1e9;
  limits.handshake_time = milliseconds(500);
  RunningServer server(limits);
  RawClient slow(server.port(), 4096);
  slow.join_and_go_deaf(server.host(), "blue");
  Member fast(server, "room=blue");
  EXPECT_EQ(text(fast.frame().at("type")), "welcome");
  // What its queue and the kernel hold is far below these 64 MB.
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(fast.send(offer_of(65536)));
  EXPECT_EQ(text(fast.frame().at("type")), "left");
  EXPECT_EQ(server.connections_become(1), 1u);
  ASSERT_TRUE(fast.send(R"({"type":"bye"})"));
  EXPECT_EQ(fast.read().close_code, 1000u);
}

// --- who may connect

TEST(ServerUpgradeTest, RefusesForeignOriginsOnly) {
  RunningServer server(roomy(), {"https://friend.example"});
  Member foreign(server, "room=blue", "https://evil.example");
  EXPECT_FALSE(foreign.is_open());
  EXPECT_EQ(foreign.handshake_status(), 403u);
  EXPECT_EQ(Member(server, "room=blue", "null").handshake_status(), 403u);
  EXPECT_TRUE(Member(server, "room=a", "http://" + server.host()).is_open());
  EXPECT_TRUE(Member(server, "room=b", "https://friend.example").is_open());
  EXPECT_TRUE(Member(server, "room=c").is_open());
}

TEST(ServerUpgradeTest, LimitsUpgradesOfAnAddress) {
  auto limits = roomy();
  limits.upgrade_burst = 2;
  limits.upgrades_per_second = 1;
  RunningServer server(limits);
  Member one(server, "room=a"), two(server, "room=b"), three(server, "room=c");
  EXPECT_TRUE(one.is_open());
  EXPECT_TRUE(two.is_open());
  EXPECT_EQ(three.handshake_status(), 429u);
  EXPECT_EQ(three.handshake_header(http::field::retry_after), "1");
}

TEST(ServerUpgradeTest, LimitsConnectionsOfAnAddressAndInAll) {
  for (const bool in_all : {false, true}) {
    auto limits = roomy();
    (in_all ? limits.connections : limits.connections_per_address) = 2;
    RunningServer server(limits);
    {
      Member one(server, "room=a"), two(server, "room=b");
      RawClient third(server.port());
      const auto answer = third.read_to_end();
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
      EXPECT_THAT(answer, HasSubstr("2 connections, its limit"));
    }
    EXPECT_EQ(server.connections_become(0), 0u);
    EXPECT_TRUE(Member(server, "room=a").is_open());
  }
}

TEST(ServerUpgradeTest, AnUpgradeWithoutAWebSocketKeyIsRefused) {
  RunningServer server;
  EXPECT_EQ(request(server, http::verb::get, "/ws?room=a").status(), 426u);
  const auto answer =
      request(server, http::verb::get, "/ws?room=a", {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}});
  EXPECT_EQ(answer.status(), 426u);
}

TEST(ServerUpgradeTest, DataBeforeTheUpgradeIsAnsweredIsRefused) {
  RunningServer server;
  RawClient client(server.port());
  client.send(concat("GET /ws?room=a HTTP/1.1\r\nHost: ", server.host(),
                     "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x80mask"));
  client.half_close();
  EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400"));
}

// --- files

TEST(ServerFileTest, ServesThePageWithItsTypes) {
  RunningServer server;
  EXPECT_EQ(request(server, http::verb::get, "/").response.body(), "<p>page</p>");
  EXPECT_EQ(request(server, http::verb::get, "/sub/?x=1").response.body(), "<p>sub</p>");
  EXPECT_EQ(request(server, http::verb::get, "/link.js").response.body(), "export {};");
  EXPECT_EQ(request(server, http::verb::get, "/big.bin").response.body().size(), 8u * 1024 * 1024);
  const auto type = [&](std::string_view target) {
    return request(server, http::verb::get, target).header("Content-Type");
  };
  EXPECT_EQ(type("/"), "text/html; charset=utf-8");
  EXPECT_EQ(type("/app.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(type("/app.js.map"), "application/json");
  EXPECT_EQ(type("/wdc.wasm"), "application/wasm");
  EXPECT_EQ(type("/icon.svg"), "image/svg+xml");
  EXPECT_EQ(type("/big.bin"), "application/octet-stream");
}

TEST(ServerFileTest, HeadGivesTheHeadersOfGetAndNoBody) {
  RunningServer server;
  const auto get = request(server, http::verb::get, "/app.js");
  const auto head = request(server, http::verb::head, "/app.js");
  EXPECT_EQ(head.status(), 200u);
  EXPECT_EQ(head.header("Content-Length"), "10");
  EXPECT_EQ(head.header("ETag"), get.header("ETag"));
  EXPECT_EQ(request(server, http::verb::head, "/absent").status(), 404u);
}

TEST(ServerFileTest, AnUnchangedFileIsNotSentAgain) {
  RunningServer server;
  const auto first = request(server, http::verb::get, "/app.js");
  EXPECT_EQ(first.header("Cache-Control"), "no-cache");
  const auto etag = first.header("ETag");
  for (const auto& condition : {etag, "\"x\", W/" + etag, std::string("*")}) {
    const auto again = request(server, http::verb::get, "/app.js", {{"If-None-Match", condition}});
    EXPECT_EQ(again.status(), 304u) << condition;
    EXPECT_EQ(again.header("ETag"), etag);
    EXPECT_EQ(again.response.body(), "");
  }
  EXPECT_EQ(request(server, http::verb::get, "/app.js", {{"If-None-Match", "\"x\""}}).status(), 200u);
}

TEST(ServerFileTest, AChangedFileHasAnotherEntityTag) {
  RunningServer server;
  Page::write(page().root() / "changing.txt", "one");
  const auto before = request(server, http::verb::get, "/changing.txt");
  Page::write(page().root() / "changing.txt", "three");
  const auto after = request(server, http::verb::get, "/changing.txt", {{"If-None-Match", before.header("ETag")}});
  EXPECT_EQ(after.status(), 200u);
  EXPECT_EQ(after.response.body(), "three");
}

TEST(ServerFileTest, NothingOutsideTheFolderAndNothingHiddenCanBeReached) {
  RunningServer server;
  for (const char* target :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt", "/%252e%252e/secret.txt", "/way_out.txt", "/up/secret.txt", "/up/", "/.env", "/%2eenv",
        "/shown.txt", "/sub/.hidden/a.txt", "//etc/passwd", "/etc/passwd", "/pipe", "/app.js%00", "/app.js/",
        "/absent"}) {
    const auto answer = request(server, http::verb::get, target);
    EXPECT_EQ(answer.status(), 404u) << target;
    EXPECT_THAT(answer.response.body(), Not(HasSubstr("SECRET"))) << target;
  }
}

TEST(ServerFileTest, AFolderWithoutItsSlashIsRedirectedWithinTheServer) {
  RunningServer server;
  const auto answer = request(server, http::verb::get, "/sub?next=//evil.example");
  EXPECT_EQ(answer.status(), 308u);
  EXPECT_EQ(answer.header("Location"), "/sub/");
}

TEST(ServerFileTest, EveryAnswerCarriesTheSecurityHeaders) {
  RunningServer server;
  for (const char* target : {"/", "/absent", "/ws", "/sub"}) {
    const auto answer = request(server, http::verb::get, target);
    const auto policy = answer.header("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("script-src 'self' 'wasm-unsafe-eval';"));
    EXPECT_THAT(policy, HasSubstr(concat("connect-src 'self' ws://", server.host(), " wss://", server.host(), ";")));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.header("Cross-Origin-Opener-Policy"), "same-origin");
  }
}

TEST(ServerFileTest, AStrangeHostIsNotRepeatedInThePolicy) {
  RunningServer server;
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x; script-src *\r\nConnection: close\r\n\r\n");
  const auto answer = client.read_to_end();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("connect-src 'self';"));
  EXPECT_THAT(answer, Not(HasSubstr("script-src *")));
}

TEST(ServerFileTest, OtherMethodsAreNotAllowed) {
  RunningServer server;
  for (const auto method : {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options}) {
    const auto answer = request(server, method, "/app.js");
    EXPECT_EQ(answer.status(), 405u);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
  }
}

TEST(ServerFileTest, OneConnectionServesManyRequestsInOrder) {
  RunningServer server;
  RawClient client(server.port());
  std::string requests;
  for (const char* target : {"/app.js", "/absent", "/"}) {
    requests += concat("GET ", target, " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  client.send(requests);
  client.half_close();
  const auto answers = client.read_to_end();
  EXPECT_LT(answers.find("export {};"), answers.find("404 Not Found"));
  EXPECT_LT(answers.find("404 Not Found"), answers.find("<p>page</p>"));
  EXPECT_THAT(answers, HasSubstr("<p>page</p>"));
}

// --- what is not HTTP, or never ends

TEST(ServerHostileTest, GarbageIsABadRequest) {
  RunningServer server;
  std::string every_byte;
  for (int i = 0; i < 4096; ++i) every_byte += static_cast<char>(i * 7);
  for (const auto& bytes :
       {every_byte, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(200, 'x'),
        std::string("GET\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"), std::string(200, '\0'),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")}) {
    RawClient client(server.port());
    client.send(bytes);
    client.half_close();
    EXPECT_THAT(client.read_to_end(), StartsWith("HTTP/1.1 400")) << escape(bytes, 40);
  }
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, AHeaderTooLargeAndABodyAreRefused) {
  RunningServer server;
  RawClient large(server.port());
  large.send(concat("GET / HTTP/1.1\r\nHost: a\r\nX: ", std::string(9000, 'x'), "\r\n\r\n"));
  EXPECT_THAT(large.read_to_end(), StartsWith("HTTP/1.1 431"));
  RawClient endless(server.port());
  endless.send(std::string(9000, 'A'));
  EXPECT_THAT(endless.read_to_end(), StartsWith("HTTP/1.1 4"));
  RawClient with_body(server.port());
  with_body.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(with_body.read_to_end(), StartsWith("HTTP/1.1 413"));
  RawClient chunked(server.port());
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_THAT(chunked.read_to_end(), StartsWith("HTTP/1.1 413"));
}

TEST(ServerHostileTest, AHeaderThatNeverEndsIsCutOff) {
  auto limits = roomy();
  limits.header_time = milliseconds(200);
  RunningServer server(limits);
  RawClient silent(server.port());
  RawClient slow(server.port());
  slow.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  EXPECT_EQ(silent.read_to_end(), "");
  EXPECT_EQ(slow.read_to_end(), "");
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, AReaderThatStopsMidFileIsCutOff) {
  auto limits = roomy();
  limits.write_time = milliseconds(200);
  RunningServer server(limits);
  RawClient client(server.port(), 4096);
  client.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(server.connections_become(0), 0u);
}

TEST(ServerHostileTest, HalfClosedSocketsAreAnsweredAndLetGo) {
  RunningServer server;
  RawClient asked(server.port());
  asked.send("GET /app.js HTTP/1.1\r\nHost: a\r\n\r\n");
  asked.half_close();
  EXPECT_THAT(asked.read_to_end(), HasSubstr("export {};"));
  RawClient silent(server.port());
  silent.half_close();
  EXPECT_EQ(silent.read_to_end(), "");
  RawClient member(server.port());
  member.join_and_go_deaf(server.host(), "blue");
  member.half_close();
  member.read_to_end();
  EXPECT_EQ(server.connections_become(0), 0u);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST(ServerHostileTest, TwoThousandConnectionsOfEveryKindLeaveNothingBehind) {
  RunningServer server;
  (void)request(server, http::verb::get, "/");
  ASSERT_EQ(server.connections_become(0), 0u);
  const auto before = open_descriptors();
  for (int i = 0; i < 2000; ++i) {
    const auto room = concat("room", i % 3);
    switch (i % 5) {
      case 0:
        RawClient(server.port()).reset();
        break;
      case 1:
        RawClient(server.port()).send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
        break;
      case 2:
        RawClient(server.port()).join_and_go_deaf(server.host(), room);
        break;
      case 3:
        Member(server, "room=" + room).drop();
        break;
      default: {
        Member member(server, "room=" + room);
        member.send(R"({"type":"bye"})");
        while (member.read().frame) {
        }
      }
    }
  }
  EXPECT_EQ(server.connections_become(0), 0u);
  EXPECT_EQ(server.read([](const Server& s) { return s.rooms(); }), 0u);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(ServerHostileTest, ShutsDownWithMembersAndStrangersConnected) {
  RunningServer server;
  Member member(server, "room=blue");
  EXPECT_EQ(text(member.frame().at("type")), "welcome");
  RawClient stranger(server.port());
  stranger.send("GET / HT");
  RawClient deaf(server.port());
  deaf.join_and_go_deaf(server.host(), "red");
  server.begin_shut_down();
  EXPECT_EQ(member.read().close_code, 1001u);
  EXPECT_EQ(stranger.read_to_end(), "");
}

}  // namespace
}  // namespace wdc::server

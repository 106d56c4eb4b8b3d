// SPDX-License-Identifier: MIT
#include "apps/server/test_clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <stdexcept>

#include "apps/server/text.h"

namespace wdc::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

// Opens and connects, with a receive buffer of that many bytes if it is not 0.
void connect(tcp::socket& socket, std::uint16_t port, int receive_buffer) {
  socket.open(tcp::v4());
  if (receive_buffer > 0) socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
  socket.connect({asio::ip::address_v4::loopback(), port});
}

}  // namespace

RawClient::RawClient(std::uint16_t port, int receive_buffer) : socket_(context_) {
  connect(socket_, port, receive_buffer);
}

void RawClient::send(std::string_view bytes) {
  error_code ignored;  // the server may have hung up already
  asio::write(socket_, asio::buffer(bytes), ignored);
}

void RawClient::reset() {
  socket_.set_option(asio::socket_base::linger(true, 0));
  socket_.close();
}

std::string RawClient::read_to_end() {
  std::string out;
  bool is_done = false;
  asio::async_read(socket_, asio::dynamic_buffer(out), [&](error_code, std::size_t) { is_done = true; });
  run_until(context_, is_done);
  return out;
}

std::string RawClient::read_until(std::string_view delimiter) {
  std::string out;
  bool is_done = false;
  asio::async_read_until(socket_, asio::dynamic_buffer(out), delimiter,
                         [&](error_code, std::size_t) { is_done = true; });
  run_until(context_, is_done);
  return out;
}

void RawClient::join_and_go_deaf(const std::string& host, const std::string& room) {
  send(concat("GET /ws?room=", room, " HTTP/1.1\r\nHost: ", host,
              "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
  EXPECT_THAT(read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [each, value] : headers) {
    if (beast::iequals(each, name)) return value;
  }
  return {};
}

Answer request(const RunningServer& server, http::verb method, std::string_view target, const Headers& headers) {
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
  auto response = parser.release();
  Answer answer{response.result_int(), {}, std::move(response.body())};
  for (const auto& field : response) answer.headers.emplace_back(field.name_string(), field.value());
  return answer;
}

struct Member::Socket {
  asio::io_context context;
  websocket::stream<beast::tcp_stream> websocket{context};
  websocket::response_type handshake_answer;
  bool is_open = false;

  // Waits for what `start` begins with a handler of an error and maybe a size.
  template <class Start>
  error_code finish(Start start) {
    bool is_done = false;
    error_code result;
    start([&](error_code error, auto...) {
      result = error;
      is_done = true;
    });
    run_until(context, is_done);
    return result;
  }
};

Member::Member(const RunningServer& server, std::string_view query, const std::string& origin, int receive_buffer)
    : socket_(std::make_unique<Socket>()) {
  auto& stream = socket_->websocket;
  connect(stream.next_layer().socket(), server.port(), receive_buffer);
  stream.set_option(websocket::stream_base::decorator([origin](websocket::request_type& upgrade) {
    if (!origin.empty()) upgrade.set(http::field::origin, origin);
  }));
  stream.read_message_max(1024 * 1024);
  socket_->is_open = !socket_->finish([&](auto handler) {
    stream.async_handshake(socket_->handshake_answer, server.host(), concat("/ws?", query), handler);
  });
}

Member::Member(Member&&) noexcept = default;
Member& Member::operator=(Member&&) noexcept = default;
Member::~Member() = default;

bool Member::is_open() const { return socket_->is_open; }
unsigned Member::handshake_status() const { return socket_->handshake_answer.result_int(); }
std::string Member::handshake_header(std::string_view name) const {
  return std::string(socket_->handshake_answer[name]);
}

Member::Event Member::read() {
  beast::flat_buffer buffer;
  const auto error = socket_->finish([&](auto handler) { socket_->websocket.async_read(buffer, handler); });
  if (!error) return {beast::buffers_to_string(buffer.data()), 0};
  return {std::nullopt, error == websocket::error::closed ? socket_->websocket.reason().code : 1006u};
}

json::object Member::frame() {
  const auto event = read();
  if (!event.frame) throw std::runtime_error(concat("closed with ", event.close_code, " instead of a frame"));
  return json::parse(*event.frame).as_object();
}

void Member::expect_failure(std::string_view code, unsigned close_code, std::string_view message_part) {
  json::object error;
  do error = frame();
  while (error.at("type") != "error");
  EXPECT_EQ(error.at("code").as_string(), json::string_view(code.data(), code.size()));
  EXPECT_THAT(std::string(error.at("message").as_string()), HasSubstr(std::string(message_part)));
  EXPECT_EQ(read().close_code, close_code);
}

bool Member::send(std::string_view text, bool is_text) {
  socket_->websocket.text(is_text);
  return !socket_->finish([&](auto handler) { socket_->websocket.async_write(asio::buffer(text), handler); });
}

bool Member::ping() {
  return !socket_->finish([&](auto handler) { socket_->websocket.async_ping({}, handler); });
}

void Member::drop() { socket_->websocket.next_layer().socket().close(); }

std::string candidate(int number) {
  return concat(R"({"type":"candidate","candidate":{"candidate":"candidate:)", number, R"("}})");
}

std::string offer_of(std::size_t frame_bytes) {
  std::string head = R"({"type":"description","description":{"type":"offer","sdp":")";
  const std::string tail = R"("}})";
  return head + std::string(frame_bytes - head.size() - tail.size(), 'x') + tail;
}

std::string text(const json::value& value) { return std::string(value.as_string()); }

Pair::Pair(const RunningServer& server, const std::string& room)
    : first(server, "room=" + room), first_id(text(first.frame().at("you"))), second(server, "room=" + room) {
  second_id = text(second.frame().at("you"));
  EXPECT_EQ(text(first.frame().at("peer")), second_id);
}

}  // namespace wdc::server

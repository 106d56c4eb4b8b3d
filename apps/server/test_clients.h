// SPDX-License-Identifier: MIT
//
// For tests: what connects to a RunningServer. Whatever is not answered in time throws.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/server/running_server.h"

namespace wdc::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Bytes in, bytes out.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);

  void send(std::string_view bytes);
  void half_close() { socket_.shutdown(boost::asio::socket_base::shutdown_send); }
  void reset();

  // Everything up to the end of the connection.
  std::string read_to_end();
  std::string read_until(std::string_view delimiter);

  // What a member would, and then nothing more: neither reads nor answers a ping.
  void join_and_go_deaf(const std::string& host, const std::string& room);

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
};

struct Answer {
  unsigned status = 0;
  Headers headers;
  std::string body;
  // Empty if it is absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};

// One request on a connection of its own.
Answer request(const RunningServer& server, boost::beast::http::verb method, std::string_view target,
               const Headers& headers = {});

// A member of a room.
class Member {
 public:
  struct Event {
    std::optional<std::string> frame;
    unsigned close_code = 0;  // 1006: the connection ended without one
  };

  Member(const RunningServer& server, std::string_view query, const std::string& origin = {}, int receive_buffer = 0);
  Member(Member&&) noexcept;
  Member& operator=(Member&&) noexcept;
  ~Member();

  [[nodiscard]] bool is_open() const;
  [[nodiscard]] unsigned handshake_status() const;
  [[nodiscard]] std::string handshake_header(std::string_view name) const;

  Event read();

  // The next frame, which must be there.
  boost::json::object frame();

  // The end as documented: an error frame, then the close code.
  void expect_failure(std::string_view code, unsigned close_code, std::string_view message_part);

  // False if the connection has ended.
  bool send(std::string_view text, bool is_text = true);
  bool ping();
  void drop();

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
};

std::string candidate(int number);
std::string offer_of(std::size_t frame_bytes);
std::string text(const boost::json::value& value);

// Two members of one room, past their welcomes.
struct Pair {
  explicit Pair(const RunningServer& server, const std::string& room = "blue");
  Member first;
  std::string first_id;
  Member second;
  std::string second_id;
};

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#pragma once

#include "apps/server/session.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstddef>
#include <deque>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/server/rate_limiter.h"
#include "apps/server/request_target.h"
#include "apps/server/signaling_message.h"

namespace wdc::server {

// Why a member is told to go.
struct Failure {
  SignalingError code;
  std::string message;
};

// The room that the target of an upgrade asks for.
[[nodiscard]] std::expected<std::string, Failure> read_join_request(const RequestTarget& target);

// One member, from the upgrade to the close (docs/wire/signaling.md). Keeps itself alive while its socket has anything
// to do.
//
//   opening --accepted--> joined --fail, bye, shut_down--> closing --closed, or handshake_time--> finished
//      |                    |                                                                       ^
//      +--------------------+---------------------- lost -------------------------------------------+
class WebsocketSession final : public Session,
                               public MemberConnection,
                               public std::enable_shared_from_this<WebsocketSession> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;

  WebsocketSession(Services services, Connection connection);
  ~WebsocketSession() override;

  // Answers the upgrade, joins, and serves the member until it goes. A refused request to join is answered with its
  // failure.
  boost::asio::awaitable<void> run(Request request, std::expected<std::string, Failure> room);

  void deliver(std::string frame) override;
  void shut_down() override;

 private:
  enum class State { opening, joined, closing, finished };

  void configure();
  void enter(const std::string& room);
  boost::asio::awaitable<void> read_frames();
  void handle_frame(std::string_view text);
  void count_control_frame();
  void watch_idle();
  void fail(SignalingError code, std::string_view message);
  void begin_close(boost::beast::websocket::close_reason reason);
  void finish(std::string_view why);
  void enqueue(std::string frame);
  void pump();
  void log(std::string_view text);
  [[nodiscard]] bool is_going() const { return state_ == State::closing || state_ == State::finished; }

  Services services_;
  AddressTable::Slot slot_;
  std::string remote_;
  MemberId id_;
  boost::beast::websocket::stream<Stream> websocket_;
  State state_ = State::opening;

  TokenBucket messages_;
  TokenBucket bytes_;
  TimePoint last_frame_;
  boost::asio::steady_timer idle_timer_;

  std::deque<std::string> outgoing_;  // the first is being written while is_writing_
  std::size_t outgoing_bytes_ = 0;
  bool is_writing_ = false;
  std::optional<boost::beast::websocket::close_reason> close_reason_;
  bool is_close_sent_ = false;
  boost::asio::steady_timer close_timer_;
};

}  // namespace wdc::server

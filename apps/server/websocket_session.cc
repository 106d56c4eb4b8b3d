// SPDX-License-Identifier: MIT
#include "apps/server/websocket_session.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using std::chrono::steady_clock;

// A member's receive buffer that has grown beyond this is given back after the frame.
constexpr std::size_t kKeptBufferBytes = 4 * 1024;

// Kernel memory a member, each way; enough for the largest frame on a slow path.
constexpr int kSocketBufferBytes = 128 * 1024;

// 128 random bits, as 32 hexadecimal digits: nobody guesses another's id, and none comes twice.
MemberId new_member_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  // Up to 256 bytes come whole (getrandom(2)); only a signal before the system's pool is ready could interrupt.
  while (::getrandom(bytes.data(), bytes.size(), 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  MemberId id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

// How a connection ended, for the log. A page or program that just ends says no goodbye.
std::string end_of(const error_code& error) {
  return error == websocket::error::closed ? "closed by the member" : concat("gone without a close: ", error.message());
}

Failure failure_of(JoinRefusal refusal, std::string_view room, const Limits& limits) {
  switch (refusal) {
    case JoinRefusal::room_full:
      return {SignalingError::room_full,
              concat("room \"", room, "\" has ", RoomRegistry::kPlaces, " members, its limit")};
    case JoinRefusal::too_many_rooms:
      return {SignalingError::too_many_rooms, concat("the server has ", limits.rooms, " rooms, its limit")};
    case JoinRefusal::bad_name:
      break;
  }
  return {SignalingError::bad_room, concat("room \"", escape(room, 64), "\" of ", room.size(),
                                           " bytes is not 1 to 64 characters of [A-Za-z0-9_-]")};
}

}  // namespace

std::expected<std::string, Failure> read_join_request(const RequestTarget& target) {
  const auto version = target.parameter("version");
  if (version != std::to_string(kSignalingVersion) && (version || target.has_parameter("version"))) {
    return std::unexpected(Failure{SignalingError::unsupported_version,
                                   concat("version \"", escape(version.value_or("given more than once"), 32),
                                          "\" is not known; the server speaks version ", kSignalingVersion)});
  }
  const auto room = target.parameter("room");
  if (!room) return std::unexpected(Failure{SignalingError::bad_room, "the address needs exactly one room=NAME"});
  return std::string(*room);
}

WebsocketSession::WebsocketSession(Services services, Connection connection)
    : services_(services),
      slot_(std::move(connection.slot)),
      remote_(std::move(connection.remote)),
      id_(new_member_id()),
      websocket_(std::move(connection.stream)),
      messages_({services.options.limits.messages_per_second, services.options.limits.message_burst}),
      bytes_({services.options.limits.bytes_per_second, services.options.limits.byte_burst}),
      last_frame_(steady_clock::now()),
      idle_timer_(websocket_.get_executor()),
      close_timer_(websocket_.get_executor()) {
  services_.sessions.add(this);
}

WebsocketSession::~WebsocketSession() {
  services_.relay.leave(id_);
  services_.sessions.remove(this);
}

asio::awaitable<void> WebsocketSession::run(Request request, std::expected<std::string, Failure> room) {
  const auto self = shared_from_this();
  configure();
  error_code error;
  co_await websocket_.async_accept(request, asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    finish(error.message());
    co_return;
  }
  if (state_ != State::opening) co_return;  // the server went meanwhile
  state_ = State::joined;
  if (room) {
    enter(*room);
  } else {
    fail(room.error().code, room.error().message);
  }
  co_await read_frames();
}

void WebsocketSession::configure() {
  const Limits& limits = services_.options.limits;
  auto& stream = beast::get_lowest_layer(websocket_);
  stream.expires_never();  // from here the WebSocket's own timeouts hold
  error_code ignored;
  stream.socket().set_option(asio::socket_base::send_buffer_size(kSocketBufferBytes), ignored);
  stream.socket().set_option(asio::socket_base::receive_buffer_size(kSocketBufferBytes), ignored);
  // Above the rate that ends a member, so that it holds only for what never becomes a frame (endless empty fragments).
  stream.rate_policy().read_limit(static_cast<std::size_t>(limits.byte_burst + limits.bytes_per_second) * 2);

  websocket_.set_option(websocket::stream_base::timeout{
      .handshake_timeout = limits.handshake_time, .idle_timeout = limits.dead_after, .keep_alive_pings = true});
  websocket_.read_message_max(0);  // ours is checked in read_frames, where the answer can be an error frame
  websocket_.auto_fragment(false);
  websocket_.control_callback([this](websocket::frame_type, beast::string_view) { count_control_frame(); });
}

void WebsocketSession::enter(const std::string& room) {
  const auto seat = services_.relay.join(room, id_, *this);
  if (!seat) {
    const auto failure = failure_of(seat.error(), room, services_.options.limits);
    fail(failure.code, failure.message);
    return;
  }
  log(concat("joined room ", room, seat->role == Role::polite ? " as polite" : " as impolite"));
  watch_idle();
}

asio::awaitable<void> WebsocketSession::read_frames() {
  const std::size_t most = services_.options.limits.message_bytes;
  beast::flat_buffer buffer;
  while (!is_going()) {
    error_code error;
    co_await websocket_.async_read_some(buffer, most + 1 - buffer.size(),
                                        asio::redirect_error(asio::use_awaitable, error));
    if (is_going()) co_return;  // async_close reads the rest
    if (error) {
      finish(end_of(error));
    } else if (buffer.size() > most) {
      fail(SignalingError::too_large, concat("frame of more than ", most, " bytes, the limit"));
    } else if (websocket_.is_message_done()) {
      const auto data = buffer.cdata();
      handle_frame({static_cast<const char*>(data.data()), data.size()});
      buffer.clear();
      if (buffer.capacity() > kKeptBufferBytes) buffer.shrink_to_fit();
    }
  }
}

void WebsocketSession::handle_frame(std::string_view text) {
  const Limits& limits = services_.options.limits;
  const auto now = steady_clock::now();
  if (!messages_.try_take(1, now)) {
    fail(SignalingError::rate_limited,
         concat("more than ", limits.message_burst, " frames at once or ", limits.messages_per_second, " a second"));
    return;
  }
  if (!bytes_.try_take(static_cast<double>(text.size()), now)) {
    fail(SignalingError::rate_limited,
         concat("more than ", limits.byte_burst, " bytes at once or ", limits.bytes_per_second, " a second"));
    return;
  }
  if (!websocket_.got_text()) {
    fail(SignalingError::malformed, concat("binary frame of ", text.size(), " bytes; frames are text"));
    return;
  }
  const auto frame = parse_member_frame(text);
  if (!frame) {
    fail(SignalingError::malformed, frame.error());
    return;
  }
  last_frame_ = now;
  services_.relay.forward(id_, *frame);
  if (frame->type == MemberFrame::Type::bye && !is_going()) {
    log("said bye");
    begin_close(websocket::close_code::normal);
  }
}

void WebsocketSession::count_control_frame() {
  if (is_going() || messages_.try_take(1, steady_clock::now())) return;
  // Called from within a read: the answer waits until it is over.
  asio::post(websocket_.get_executor(), [self = shared_from_this()] {
    self->fail(SignalingError::rate_limited,
               concat("more than ", self->services_.options.limits.message_burst, " control frames at once or ",
                      self->services_.options.limits.messages_per_second, " a second"));
  });
}

void WebsocketSession::watch_idle() {
  if (is_going()) return;
  const auto idle_time = services_.options.limits.idle_time;
  if (steady_clock::now() - last_frame_ >= idle_time) {
    fail(SignalingError::idle,
         concat("no frame from or to this member for ", std::chrono::duration<double>(idle_time).count(), " seconds"));
    return;
  }
  idle_timer_.expires_at(last_frame_ + idle_time);
  idle_timer_.async_wait([weak = weak_from_this()](error_code error) {
    if (error) return;
    if (const auto self = weak.lock()) self->watch_idle();
  });
}

void WebsocketSession::deliver(std::string frame) {
  if (is_going()) return;
  const std::size_t limit = services_.options.limits.queue_bytes;
  if (outgoing_bytes_ + frame.size() > limit) {
    fail(SignalingError::slow_reader,
         concat(outgoing_bytes_, " bytes wait for this member, ", frame.size(), " more exceed the limit of ", limit));
    return;
  }
  last_frame_ = steady_clock::now();
  enqueue(std::move(frame));
}

void WebsocketSession::shut_down() {
  if (state_ == State::opening) {
    finish("the server shuts down");
  } else if (!is_going()) {
    begin_close(websocket::close_code::going_away);
  }
}

void WebsocketSession::fail(SignalingError code, std::string_view message) {
  if (is_going()) return;
  log(concat(name_of(code), ": ", message));
  // Whatever waits is of no use any more, but a frame half written must be ended.
  while (outgoing_.size() > (is_writing_ ? 1u : 0u)) {
    outgoing_bytes_ -= outgoing_.back().size();
    outgoing_.pop_back();
  }
  enqueue(error_frame(code, message));
  begin_close({static_cast<websocket::close_code>(code), name_of(code)});
}

void WebsocketSession::begin_close(websocket::close_reason reason) {
  state_ = State::closing;
  close_reason_ = reason;
  idle_timer_.cancel();
  // A member that does not read, or does not answer the close, must not keep the socket.
  close_timer_.expires_after(services_.options.limits.handshake_time);
  close_timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->finish("did not answer the close");
  });
  services_.relay.leave(id_);
  pump();
}

void WebsocketSession::finish(std::string_view why) {
  if (state_ == State::finished) return;
  if (!why.empty()) log(why);
  state_ = State::finished;
  idle_timer_.cancel();
  close_timer_.cancel();
  services_.relay.leave(id_);
  beast::get_lowest_layer(websocket_).close();
}

void WebsocketSession::enqueue(std::string frame) {
  outgoing_bytes_ += frame.size();
  outgoing_.push_back(std::move(frame));
  pump();
}

void WebsocketSession::pump() {
  if (is_writing_ || state_ == State::finished) return;
  if (!outgoing_.empty()) {
    is_writing_ = true;
    websocket_.text(true);
    websocket_.async_write(asio::buffer(outgoing_.front()), [self = shared_from_this()](error_code error, std::size_t) {
      self->is_writing_ = false;
      self->outgoing_bytes_ -= self->outgoing_.front().size();
      self->outgoing_.pop_front();
      if (error) {
        self->finish(end_of(error));
      } else {
        self->pump();
      }
    });
  } else if (close_reason_ && !is_close_sent_) {
    is_close_sent_ = true;
    websocket_.async_close(*close_reason_, [self = shared_from_this()](error_code) { self->finish(""); });
  }
}

void WebsocketSession::log(std::string_view text) {
  services_.log.line(concat(remote_, " ", id_.substr(0, 8), ": ", text));
}

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <type_traits>
#include <utility>

#include "src/native/signaling/frame.h"
#include "src/native/signaling/open_signaling.h"
#include "src/native/signaling/url.h"

namespace wdc::native::signaling {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using core::signaling::Frame;

/// A frame from the other member is a little longer than what that member may send: it has a `from` too.
constexpr std::size_t kRoomForSender = 1'024;
/// Whatever a server says of itself.
constexpr std::size_t kLargestFrame = std::size_t{1} << 20;
/// For the bye and the close to get out, when nobody waits for them any more.
constexpr std::chrono::seconds kFarewellTime{2};

/// A place in a room of a server. Lives as long as its coroutine; `owner` is whoever may still hear.
class WebSocketLink : public std::enable_shared_from_this<WebSocketLink> {
 public:
  virtual ~WebSocketLink() = default;
  virtual void start() = 0;
  virtual void send(const Frame& frame) = 0;
  /// Says bye, if that was not said, and goes once it is out. Nothing is reported any more.
  virtual void leave() = 0;

  core::SignalingEvents* events = nullptr;
};

template <class Stream>
class Link final : public WebSocketLink {
  static constexpr bool kIsSecure = !std::is_same_v<Stream, beast::tcp_stream>;

 public:
  template <class... Secrets>
  Link(asio::io_context& context, WebSocketUrl url, Options options, Secrets&... secrets)
      : context_(context),
        url_(std::move(url)),
        options_(std::move(options)),
        resolver_(context),
        timer_(context),
        socket_(context, secrets...) {}

  /// Keeps what the stream refers to alive.
  std::shared_ptr<ssl::context> tls;

  void start() override {
    asio::co_spawn(
        context_, [self = self()] { return self->run(); }, asio::detached);
  }

  void send(const Frame& frame) override {
    if (!is_in_ || over_ || said_bye_) return;
    said_bye_ = std::holds_alternative<core::signaling::Bye>(frame);
    auto text = write_frame(frame, peer_);
    if (text.size() > max_frame_) {
      // Never from inside a call.
      asio::post(context_, [self = self(), size = text.size()] {
        self->end(Error(Errc::signaling_too_large, size, self->max_frame_, "a frame in bytes"));
      });
      return;
    }
    outgoing_.push_back(std::move(text));
    write_next();
  }

  void leave() override {
    events = nullptr;
    if (over_) return;
    if (!is_in_) return drop();
    send(core::signaling::Bye{});
    over_ = true;
    // The server closes after a bye; if it does not, we do.
    set_timer(kFarewellTime);
  }

 private:
  [[nodiscard]] std::shared_ptr<Link> self() { return std::static_pointer_cast<Link>(shared_from_this()); }
  [[nodiscard]] static auto redirect(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

  void set_timer(std::chrono::milliseconds after) {
    timer_.expires_after(after);
    timer_.async_wait([self = self()](const error_code& error) {
      if (error) return;
      self->timed_out_ = true;
      self->drop();
    });
  }

  /// At once; the coroutine ends with an error.
  void drop() {
    over_ = true;
    timer_.cancel();
    resolver_.cancel();
    beast::get_lowest_layer(socket_).close();
  }

  void end(Error error) {
    if (auto* const hears = std::exchange(events, nullptr); hears != nullptr && !over_)
      hears->on_signaling_closed(std::move(error));
    drop();
  }

  void end_unreachable(std::string_view step, const error_code& error) {
    const std::string why =
        timed_out_ ? "no answer in " + std::to_string(options_.connect_time.count()) + " ms" : reason(error);
    if (timed_out_) over_ = false;  // the timer is no user: it is told
    end(Error(Errc::signaling_unreachable, url_.text() + ": " + std::string(step) + ": " + why));
  }

  [[nodiscard]] std::string reason(const error_code& error) {
    if constexpr (kIsSecure) {
      const long verified = SSL_get_verify_result(socket_.next_layer().native_handle());
      if (verified != X509_V_OK)
        return std::string("the server's certificate: ") + X509_verify_cert_error_string(verified);
    }
    return error.message();
  }

  /// The whole life. It holds this.
  asio::awaitable<void> run() {
    const auto keep = self();
    set_timer(options_.connect_time);
    if (!co_await connect()) co_return;
    while (co_await read_frame()) {
    }
  }

  asio::awaitable<bool> connect() {
    error_code error;
    const auto addresses = co_await resolver_.async_resolve(url_.host, std::to_string(url_.port),
                                                            tcp::resolver::numeric_service, redirect(error));
    if (error) co_return fail_at("the name cannot be resolved", error);
    co_await beast::get_lowest_layer(socket_).async_connect(addresses, redirect(error));
    if (error) co_return fail_at("connecting", error);
    beast::get_lowest_layer(socket_).socket().set_option(tcp::no_delay(true), error);
    if constexpr (kIsSecure) {
      auto& stream = socket_.next_layer();
      // RFC 6066 section 3: names alone.
      error_code is_name;
      (void)asio::ip::make_address(url_.host, is_name);
      if (is_name) SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
      stream.set_verify_callback(ssl::host_name_verification(url_.host));
      co_await stream.async_handshake(ssl::stream_base::client, redirect(error));
      if (error) co_return fail_at("TLS", error);
    }
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = options_.connect_time;
    timeout.idle_timeout = options_.silence;
    timeout.keep_alive_pings = true;
    socket_.set_option(timeout);
    socket_.read_message_max(kDefaultMaxFrame + kRoomForSender);
    websocket::response_type response;
    co_await socket_.async_handshake(response, url_.authority(), url_.target, redirect(error));
    if (error == websocket::error::upgrade_declined) co_return refused(response);
    if (error) co_return fail_at("the upgrade to a WebSocket", error);
    timer_.cancel();
    co_return !over_;
  }

  bool fail_at(std::string_view step, const error_code& error) {
    end_unreachable(step, error);
    return false;
  }

  bool refused(const websocket::response_type& response) {
    const auto status = response.result_int();
    const auto said = url_.text() + ": HTTP " + std::to_string(status) + ' ' + std::string(response.reason());
    if (status == 429)
      end(Error(Errc::rate_limited, said));
    else if (status == 403)
      end(Error(Errc::signaling_refused, said));
    else
      end(Error(Errc::signaling_unreachable, said));
    return false;
  }

  asio::awaitable<bool> read_frame() {
    error_code error;
    incoming_.clear();
    co_await socket_.async_read(incoming_, redirect(error));
    if (error) co_return closed(error);
    if (over_) co_return true;  // until the server closes
    if (!socket_.got_text()) {
      end(Error(Errc::signaling_malformed, "a frame that is not text"));
      co_return false;
    }
    const auto data = incoming_.cdata();
    auto parsed = parse_frame(std::string_view(static_cast<const char*>(data.data()), data.size()));
    if (!parsed) {
      end(Error(Errc::signaling_malformed, std::move(parsed.error())));
      co_return false;
    }
    if (parsed->frame) take(std::move(*parsed->frame), parsed->max_frame);
    co_return true;
  }

  void take(Frame frame, std::size_t max_frame) {
    if (const auto* welcome = std::get_if<core::signaling::Welcome>(&frame)) {
      is_in_ = true;
      max_frame_ = std::min(max_frame, kLargestFrame);
      socket_.read_message_max(std::max(max_frame_, kDefaultMaxFrame) + kRoomForSender);
      peer_ = welcome->peer.value_or("");
    } else if (const auto* joined = std::get_if<core::signaling::Joined>(&frame)) {
      peer_ = joined->peer;
    } else if (auto* refusal = std::get_if<core::signaling::Refused>(&frame)) {
      return end(std::move(refusal->error));
    }
    if (events != nullptr) events->on_frame(std::move(frame));
  }

  bool closed(const error_code& error) {
    const auto code = error == websocket::error::closed ? socket_.reason().code : std::uint16_t{0};
    if (auto said = error_of_close(code))
      end(std::move(*said));
    else if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow)
      end(Error(Errc::signaling_too_large,
                "a frame of the server's of more than " + std::to_string(socket_.read_message_max()) + " bytes"));
    else
      end(Error(is_in_ ? Errc::signaling_lost : Errc::signaling_unreachable,
                url_.text() + ": " + (code != 0 ? "close code " + std::to_string(code) : error.message())));
    return false;
  }

  void write_next() {
    if (is_writing_ || outgoing_.empty()) return;
    is_writing_ = true;
    socket_.text(true);
    socket_.async_write(asio::buffer(outgoing_.front()), [self = self()](const error_code& error, std::size_t) {
      self->is_writing_ = false;
      self->outgoing_.pop_front();
      // The reader meets the same error, and says so.
      if (!error) self->write_next();
    });
  }

  asio::io_context& context_;
  WebSocketUrl url_;
  Options options_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  websocket::stream<Stream> socket_;
  beast::flat_buffer incoming_;
  std::deque<std::string> outgoing_;  // the first is being written while is_writing_
  bool is_writing_ = false;
  std::size_t max_frame_ = kDefaultMaxFrame;
  std::string peer_;  // to whom frames go: the member of whom the core has heard last
  bool is_in_ = false;
  bool said_bye_ = false;
  bool over_ = false;
  bool timed_out_ = false;
};

class WebSocketSignaling final : public core::SignalingBackend {
 public:
  explicit WebSocketSignaling(std::shared_ptr<WebSocketLink> link) : link_(std::move(link)) {}
  WebSocketSignaling(const WebSocketSignaling&) = delete;
  WebSocketSignaling& operator=(const WebSocketSignaling&) = delete;
  ~WebSocketSignaling() override { link_->leave(); }

  void set_events(core::SignalingEvents& events) override {
    link_->events = &events;
    link_->start();
  }
  void send(const Frame& frame) override { link_->send(frame); }

 private:
  std::shared_ptr<WebSocketLink> link_;
};

}  // namespace

Result<std::unique_ptr<core::SignalingBackend>> open_web_socket(asio::io_context& context, std::string_view url,
                                                                std::string_view room, const Options& options) {
  auto parsed = parse_web_socket_url(url, room);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  std::shared_ptr<WebSocketLink> link;
  if (!parsed->is_secure) {
    link = std::make_shared<Link<beast::tcp_stream>>(context, std::move(*parsed), options);
  } else {
    auto tls = std::make_shared<ssl::context>(ssl::context::tls_client);
    error_code error;
    tls->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
    tls->set_verify_mode(ssl::verify_peer, error);
    if (options.trusted_pem.empty())
      tls->set_default_verify_paths(error);
    else
      tls->add_certificate_authority(asio::buffer(options.trusted_pem), error);
    if (error) return fail(Errc::invalid_argument, "the certificates to trust: " + error.message());
    auto secure = std::make_shared<Link<ssl::stream<beast::tcp_stream>>>(context, std::move(*parsed), options, *tls);
    secure->tls = std::move(tls);
    link = std::move(secure);
  }
  return std::make_unique<WebSocketSignaling>(std::move(link));
}

}  // namespace wdc::native::signaling

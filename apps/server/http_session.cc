// SPDX-License-Identifier: MIT
#include "apps/server/http_session.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/http/basic_file_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "apps/server/origin_check.h"
#include "apps/server/text.h"
#include "apps/server/websocket_session.h"

namespace wdc::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using FileBody = http::basic_file_body<beast::file_posix>;

// After an answer to a request we did not read whole, so that the answer is not lost to a reset.
constexpr std::chrono::seconds kLingerTime{1};
constexpr std::size_t kLingerBytes = 64 * 1024;

// The status for a request that is broken; nothing if the connection itself is.
std::optional<http::status> status_of(error_code error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return http::status::request_header_fields_too_large;
  }
  if (error == http::error::body_limit || error == http::error::unexpected_body) return http::status::payload_too_large;
  if (error.category() == http::make_error_code(http::error::bad_method).category()) return http::status::bad_request;
  return std::nullopt;
}

}  // namespace

void add_security_headers(http::fields& fields, std::string_view host) {
  std::string connect = "connect-src 'self'";
  if (is_plain_host(host)) connect += concat(" ws://", host, " wss://", host);
  fields.set("Content-Security-Policy",
             concat("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
                    "img-src 'self' data: blob:; ",
                    connect, "; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"));
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set("Cross-Origin-Opener-Policy", "same-origin");
}

HttpSession::HttpSession(Services services, Connection connection)
    : services_(services), connection_(std::move(connection)), buffer_(services.options.limits.header_bytes) {
  services_.sessions.add(this);
}

HttpSession::~HttpSession() { services_.sessions.remove(this); }

void HttpSession::shut_down() { connection_.stream.close(); }

asio::awaitable<void> HttpSession::run() {
  const auto self = shared_from_this();
  auto next = Next::read_another;
  while (next == Next::read_another) {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(services_.options.limits.header_bytes));
    parser.body_limit(0);
    connection_.stream.expires_after(services_.options.limits.header_time);
    error_code error;
    co_await http::async_read(connection_.stream, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      const auto status = status_of(error);
      if (!status) break;
      Request none(http::verb::get, "/", 11);
      none.keep_alive(false);
      services_.log.line(concat(connection_.remote, ": bad request: ", error.message()));
      next = co_await answer_text(none, *status, error.message());
      continue;
    }
    auto request = parser.release();
    next = co_await answer(request);
    if (next == Next::websocket) {
      const auto target = parse_target(request.target());
      auto session = std::make_shared<WebsocketSession>(services_, std::move(connection_));
      co_await session->run(std::move(request), read_join_request(*target));
      co_return;
    }
  }
  co_await close_lingering();
}

asio::awaitable<HttpSession::Next> HttpSession::answer(const Request& request) {
  if (request.version() >= 11 && request.count(http::field::host) != 1) {
    co_return co_await answer_text(request, http::status::bad_request, "exactly one Host header is needed");
  }
  const auto target = parse_target(request.target());
  if (!target) co_return co_await answer_text(request, http::status::not_found, "not found");
  if (target->path == "/ws") co_return co_await answer_upgrade(request);
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    http::fields extra;
    extra.set(http::field::allow, "GET, HEAD");
    co_return co_await answer_text(request, http::status::method_not_allowed, "GET and HEAD only", std::move(extra));
  }
  co_return co_await answer_file(request, *target);
}

asio::awaitable<HttpSession::Next> HttpSession::answer_upgrade(const Request& request) {
  if (!beast::websocket::is_upgrade(request)) {
    http::fields extra;
    extra.set(http::field::upgrade, "websocket");
    co_return co_await answer_text(request, http::status::upgrade_required, "this address is for WebSockets",
                                   std::move(extra));
  }
  const std::string_view origin = request[http::field::origin];
  if (request.count(http::field::origin) > 0 &&
      !is_origin_allowed(origin, request[http::field::host], services_.options.allowed_origins)) {
    services_.log.line(concat(connection_.remote, ": refused origin ", escape(origin)));
    co_return co_await answer_text(request, http::status::forbidden, "this origin may not connect");
  }
  if (buffer_.size() > 0) {  // nobody may speak WebSocket before the 101
    co_return co_await answer_text(request, http::status::bad_request, "data after the upgrade request");
  }
  const auto wait = connection_.slot.try_upgrade(std::chrono::steady_clock::now());
  if (wait > wait.zero()) {
    http::fields extra;
    extra.set(http::field::retry_after, std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
    co_return co_await answer_text(
        request, http::status::too_many_requests,
        concat("more than ", services_.options.limits.upgrade_burst, " WebSockets at once or ",
               services_.options.limits.upgrades_per_second, " a second from this address"),
        std::move(extra));
  }
  co_return Next::websocket;
}

asio::awaitable<HttpSession::Next> HttpSession::answer_file(const Request& request, const RequestTarget& target) {
  auto found = services_.files.find(target);
  if (std::holds_alternative<IsDirectory>(found)) {
    http::fields extra;
    extra.set(http::field::location, concat(target.path, "/"));
    co_return co_await answer_text(request, http::status::permanent_redirect, "a folder", std::move(extra));
  }
  auto* const file = std::get_if<StaticFile>(&found);
  if (file == nullptr) co_return co_await answer_text(request, http::status::not_found, "not found");

  const auto fill = [file](http::fields& fields) {
    fields.set(http::field::etag, file->etag);
    fields.set(http::field::cache_control, "no-cache");
  };
  if (etag_matches(request[http::field::if_none_match], file->etag)) {
    http::response<http::empty_body> response(http::status::not_modified, request.version());
    fill(response);
    co_return co_await write(request, std::move(response));
  }
  http::response<FileBody> response(http::status::ok, request.version());
  error_code error;
  response.body().reset(std::move(file->file), error);
  if (error) co_return co_await answer_text(request, http::status::internal_server_error, "cannot read the file");
  fill(response);
  response.set(http::field::content_type, file->content_type);
  response.prepare_payload();
  co_return co_await write(request, std::move(response));
}

asio::awaitable<HttpSession::Next> HttpSession::answer_text(const Request& request, http::status status,
                                                            std::string text, http::fields extra) {
  http::response<http::string_body> response(status, request.version());
  for (const auto& field : extra) response.set(field.name(), field.value());
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  response.body() = std::move(text) + "\n";
  response.prepare_payload();
  co_return co_await write(request, std::move(response));
}

template <class Body>
asio::awaitable<HttpSession::Next> HttpSession::write(const Request& request, http::response<Body> response) {
  add_security_headers(response, request[http::field::host]);
  response.keep_alive(request.keep_alive());
  http::response_serializer<Body> serializer(response);
  const bool is_head = request.method() == http::verb::head;
  serializer.split(is_head);
  error_code error;
  while (!error && !(is_head ? serializer.is_header_done() : serializer.is_done())) {
    connection_.stream.expires_after(services_.options.limits.write_time);
    co_await http::async_write_some(connection_.stream, serializer, asio::redirect_error(asio::use_awaitable, error));
  }
  co_return error || !request.keep_alive() ? Next::close : Next::read_another;
}

asio::awaitable<void> HttpSession::close_lingering() {
  error_code error;
  connection_.stream.socket().shutdown(asio::socket_base::shutdown_send, error);
  connection_.stream.expires_after(kLingerTime);
  std::array<char, 4096> rest;
  std::size_t read = 0;
  while (!error && read < kLingerBytes) {
    read += co_await connection_.stream.async_read_some(asio::buffer(rest),
                                                        asio::redirect_error(asio::use_awaitable, error));
  }
  connection_.stream.close();
}

}  // namespace wdc::server

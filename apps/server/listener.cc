// SPDX-License-Identifier: MIT
#include "apps/server/listener.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <memory>
#include <sstream>
#include <utility>

#include "apps/server/http_session.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// How long to wait when accepting fails: the process has no descriptor left, and trying again at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{100};

std::string text_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? concat("[", address, "]:", endpoint.port())
                                    : concat(address, ":", endpoint.port());
}

}  // namespace

Listener::Listener(asio::io_context& context, Services services, AddressTable& addresses)
    : services_(services), addresses_(addresses), acceptor_(context) {}

std::expected<void, std::string> Listener::open() {
  const Options& options = services_.options;
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return std::unexpected(concat("\"", options.address, "\" is not an IPv4 or IPv6 address"));
  const tcp::endpoint endpoint(address, options.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return std::unexpected(concat("cannot listen on ", options.address, " port ", options.port, ": ", error.message()));
  }
  return {};
}

void Listener::start() { asio::co_spawn(acceptor_.get_executor(), accept(), asio::detached); }

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> Listener::accept() {
  asio::steady_timer pause(acceptor_.get_executor());
  while (acceptor_.is_open()) {
    error_code error;
    tcp::endpoint remote;
    tcp::socket socket(acceptor_.get_executor());
    co_await acceptor_.async_accept(socket, remote, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      admit(std::move(socket), remote);
      continue;
    }
    if (!acceptor_.is_open()) co_return;
    services_.log.line(concat("cannot accept a connection: ", error.message()));
    pause.expires_after(kAcceptPause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void Listener::admit(tcp::socket socket, const tcp::endpoint& remote) {
  auto slot = addresses_.admit(remote.address(), std::chrono::steady_clock::now());
  if (!slot) {
    refuse(std::move(socket), text_of(remote), slot.error());
    return;
  }
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  auto session = std::make_shared<HttpSession>(
      services_, Connection{Stream(std::move(socket)), std::move(*slot), text_of(remote)});
  asio::co_spawn(acceptor_.get_executor(), session->run(), [this](const std::exception_ptr& failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& exception) {
      services_.log.line(concat("a connection failed: ", exception.what()));
    }
  });
}

// One try, without waiting: whoever is refused gets no memory and no time.
void Listener::refuse(tcp::socket socket, const std::string& remote, AddressTable::Refusal refusal) {
  const Limits& limits = services_.options.limits;
  const auto text = refusal == AddressTable::Refusal::connections
                        ? concat("the server has ", limits.connections, " connections, its limit")
                        : concat("this address has ", limits.connections_per_address, " connections, its limit");
  http::response<http::string_body> response(http::status::service_unavailable, 11);
  add_security_headers(response, "");
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.keep_alive(false);
  response.body() = text + "\n";
  response.prepare_payload();
  std::ostringstream answer;
  answer << response;
  services_.log.line(concat(remote, ": refused: ", text));
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(answer.view()), ignored);
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace wdc::server

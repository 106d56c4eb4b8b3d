// SPDX-License-Identifier: MIT
#pragma once

#include "apps/server/session.h"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/status.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace wdc::server {

// The headers every answer carries, so that a page runs its own scripts and nothing else. `host`, if plain, is where
// the page's WebSocket may go beside 'self' (which not every browser stretches to ws:).
void add_security_headers(boost::beast::http::fields& fields, std::string_view host);

// One connection: requests for files, one after the other, until one of them asks for a WebSocket. Keeps itself alive.
class HttpSession final : public Session, public std::enable_shared_from_this<HttpSession> {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;

  HttpSession(Services services, Connection connection);
  ~HttpSession() override;

  boost::asio::awaitable<void> run();

  void shut_down() override;

 private:
  enum class Next { read_another, close, websocket };

  boost::asio::awaitable<Next> answer(const Request& request);
  boost::asio::awaitable<Next> answer_file(const Request& request, const RequestTarget& target);
  boost::asio::awaitable<Next> answer_upgrade(const Request& request);
  boost::asio::awaitable<Next> answer_text(const Request& request, boost::beast::http::status status, std::string text,
                                           boost::beast::http::fields extra = {});
  template <class Body>
  boost::asio::awaitable<Next> write(const Request& request, boost::beast::http::response<Body> response);
  boost::asio::awaitable<void> close_lingering();

  Services services_;
  Connection connection_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace wdc::server

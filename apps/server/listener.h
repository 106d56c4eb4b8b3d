// SPDX-License-Identifier: MIT
#pragma once

#include "apps/server/session.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <string>

#include "apps/server/address_table.h"

namespace wdc::server {

// Accepts connections, as many as the limits allow, and starts an HttpSession for each.
class Listener {
 public:
  Listener(boost::asio::io_context& context, Services services, AddressTable& addresses);

  // The error names address, port and reason.
  [[nodiscard]] std::expected<void, std::string> open();
  void start();
  void close();

  [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  boost::asio::awaitable<void> accept();
  void admit(boost::asio::ip::tcp::socket socket, const boost::asio::ip::tcp::endpoint& remote);
  void refuse(boost::asio::ip::tcp::socket socket, const std::string& remote, AddressTable::Refusal refusal);

  Services services_;
  AddressTable& addresses_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <ostream>
#include <string>

#include "apps/server/listener.h"

namespace wdc::server {

// The whole server, on one thread: the one that calls run().
class Server {
 public:
  // Listens already when it returns. `log` (null: none) must outlive it. The error is one line for people.
  [[nodiscard]] static std::expected<std::unique_ptr<Server>, std::string> open(const Options& options,
                                                                                std::ostream* log);
  ~Server();

  // Until shut_down has ended.
  void run() { context_.run(); }

  // Members are closed with 1001, everything else at once. To be called on the thread of run(): use post.
  void shut_down();

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::uint16_t port() const { return listener_.endpoint().port(); }
  [[nodiscard]] std::size_t connections() const { return addresses_.connections(); }
  [[nodiscard]] std::size_t rooms() const { return relay_.rooms(); }

 private:
  Server(const Options& options, std::ostream* log, StaticFiles files);

  Options options_;
  Log log_;
  StaticFiles files_;
  Relay relay_;
  AddressTable addresses_;
  SessionList sessions_;
  boost::asio::io_context context_{1};  // after all that sessions use: destroying it destroys them
  boost::asio::steady_timer shut_down_timer_;
  Listener listener_;
};

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#pragma once

#include <utility>  // Asio 1.81's awaitable needs it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/rate_policy.hpp>
#include <functional>
#include <string>
#include <unordered_set>

#include "apps/server/address_table.h"
#include "apps/server/log.h"
#include "apps/server/options.h"
#include "apps/server/relay.h"
#include "apps/server/static_files.h"

namespace wdc::server {

using Stream =
    boost::beast::basic_stream<boost::asio::ip::tcp, boost::asio::any_io_executor, boost::beast::simple_rate_policy>;

// Something with a socket that must go when the server does. Lives as long as its socket's operations.
class Session {
 public:
  virtual ~Session() = default;
  virtual void shut_down() = 0;
};

class SessionList {
 public:
  void add(Session* session) { sessions_.insert(session); }

  void remove(Session* session) {
    sessions_.erase(session);
    if (sessions_.empty() && on_empty_) on_empty_();
  }

  // Shuts every session down; `on_empty` is called when the last is gone, at once if there is none.
  void shut_down(std::function<void()> on_empty) {
    on_empty_ = std::move(on_empty);
    const auto sessions = sessions_;
    for (Session* session : sessions) {
      if (sessions_.contains(session)) session->shut_down();
    }
    if (sessions_.empty()) on_empty_();
  }

  // Nobody is told of the last one's end any more.
  void forget_on_empty() { on_empty_ = nullptr; }

 private:
  std::unordered_set<Session*> sessions_;
  std::function<void()> on_empty_;
};

// What sessions share. Outlives them.
struct Services {
  const Options& options;
  Log& log;
  const StaticFiles& files;
  Relay& relay;
  SessionList& sessions;
};

// An accepted connection on its way from the listener through HTTP to a WebSocket.
struct Connection {
  Stream stream;
  AddressTable::Slot slot;
  std::string remote;  // address and port, for the log
};

}  // namespace wdc::server

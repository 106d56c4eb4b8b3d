// SPDX-License-Identifier: MIT
#include "apps/server/server.h"

#include <utility>

#include "apps/server/text.h"

namespace wdc::server {

std::expected<std::unique_ptr<Server>, std::string> Server::open(const Options& options, std::ostream* log) {
  if (auto checked = check_limits(options.limits); !checked) return std::unexpected(checked.error());
  auto files = StaticFiles::open(options.root);
  if (!files) return std::unexpected(files.error());
  std::unique_ptr<Server> server(new Server(options, log, std::move(*files)));
  if (auto opened = server->listener_.open(); !opened) return std::unexpected(opened.error());
  server->listener_.start();
  return server;
}

Server::Server(const Options& options, std::ostream* log, StaticFiles files)
    : options_(options),
      log_(log),
      files_(std::move(files)),
      relay_(options.limits.rooms, options.limits.message_bytes),
      addresses_({.connections = options.limits.connections,
                  .connections_per_address = options.limits.connections_per_address,
                  .upgrades = {options.limits.upgrades_per_second, options.limits.upgrade_burst}}),
      shut_down_timer_(context_),
      listener_(context_, Services{options_, log_, files_, relay_, sessions_}, addresses_) {}

Server::~Server() { sessions_.forget_on_empty(); }

void Server::shut_down() {
  listener_.close();
  // Each session ends within its own time; this is the last resort.
  shut_down_timer_.expires_after(options_.limits.handshake_time * 2);
  shut_down_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) context_.stop();
  });
  sessions_.shut_down([this] { shut_down_timer_.cancel(); });
}

std::string Server::url() const {
  const auto address = listener_.endpoint().address();
  const auto host = address.is_v6() ? concat("[", address.to_string(), "]") : address.to_string();
  return concat("http://", host, ":", port());
}

}  // namespace wdc::server

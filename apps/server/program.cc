// SPDX-License-Identifier: MIT
#include "apps/server/program.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <string_view>

#include "apps/server/options.h"
#include "apps/server/server.h"

namespace {

using wdc::server::Options;
using wdc::server::Server;

// A descriptor a connection, one more while it reads a file, and some for ourselves.
void raise_descriptor_limit(std::size_t connections, std::string_view name) {
  const auto wanted = static_cast<rlim_t>(2 * connections + 32);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    std::cerr << name << ": " << limit.rlim_cur << " file descriptors are fewer than the " << wanted
              << " that --connections " << connections << " may need\n";
  }
}

int run(const Options& options, std::string_view name) {
  raise_descriptor_limit(options.limits.connections, name);
  auto server = Server::open(options, options.quiet ? nullptr : &std::cerr);
  if (!server) {
    std::cerr << name << ": " << server.error() << '\n';
    return 1;
  }
  boost::asio::signal_set signals((*server)->context(), SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (error) return;
    signals.clear();  // the second one ends the process
    (*server)->shut_down();
  });
  std::cout << "listening on " << (*server)->url() << std::endl;
  (*server)->run();
  return 0;
}

}  // namespace

int wdc::server::run_program(std::string_view name, int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // standard output may be a pipe that nobody reads any more
  auto options = wdc::server::parse_options(name, argc, argv);
  if (!options) {
    (options.error().status == 0 ? std::cout : std::cerr) << options.error().text;
    return options.error().status;
  }
  try {
    return run(*options, name);
  } catch (const std::exception& exception) {
    std::cerr << name << ": " << exception.what() << '\n';
    return 1;
  }
}

// SPDX-License-Identifier: MIT
#include "apps/server/program.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "apps/server/options.h"
#include "apps/server/server.h"

namespace {

using wdc::server::Options;
using wdc::server::Server;

// A descriptor a connection, one more while it reads a file, and some for ourselves.
void raise_descriptor_limit(std::size_t connections) {
  const auto wanted = static_cast<rlim_t>(2 * connections + 32);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    std::cerr << "wdc_server: " << limit.rlim_cur << " file descriptors are fewer than the " << wanted
              << " that --connections " << connections << " may need\n";
  }
}

int run(const Options& options) {
  raise_descriptor_limit(options.limits.connections);
  auto server = Server::open(options, options.quiet ? nullptr : &std::cerr);
  if (!server) {
    std::cerr << "wdc_server: " << server.error() << '\n';
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

int wdc::server::run_program(int argc, const char* const* argv) {
  std::signal(SIGPIPE, SIG_IGN);  // standard output may be a pipe that nobody reads any more
  auto options = wdc::server::parse_options(argc, argv);
  if (!options) {
    (options.error().status == 0 ? std::cout : std::cerr) << options.error().text;
    return options.error().status;
  }
  try {
    return run(*options);
  } catch (const std::exception& exception) {
    std::cerr << "wdc_server: " << exception.what() << '\n';
    return 1;
  }
}

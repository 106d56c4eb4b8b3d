// SPDX-License-Identifier: MIT
//
// For tests: the whole server on a thread of its own, serving a folder full of temptations.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "apps/server/server.h"
#include "apps/server/text.h"

namespace wdc::server {

// No answer within this is a failure; nothing waits that long otherwise.
constexpr std::chrono::seconds kPatience{20};

// Runs what was started on `context` until it is done.
void run_until(boost::asio::io_context& context, const bool& is_done);

// A folder with a page, a secret beside it, and every way to reach the secret that a file system has.
class Page {
 public:
  Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  ~Page() { std::filesystem::remove_all(top_); }

  [[nodiscard]] std::filesystem::path root() const { return top_ / "root"; }

  static void write(const std::filesystem::path& path, const std::string& text);

 private:
  std::filesystem::path top_;
};

const Page& page();

// Limits that no test meets by chance.
Limits roomy();

class RunningServer {
 public:
  explicit RunningServer(const Limits& limits = roomy(), std::vector<std::string> origins = {});
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer();

  void begin_shut_down();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string host() const { return concat("127.0.0.1:", port_); }

  // A figure, read on the server's own thread.
  std::size_t read(const std::function<std::size_t(const Server&)>& figure);
  std::size_t connections() {
    return read([](const Server& server) { return server.connections(); });
  }

  // Asks again and again until the number of connections is `wanted`; answers what it was in the end.
  std::size_t connections_become(std::size_t wanted);

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  bool is_shutting_down_ = false;
};

}  // namespace wdc::server

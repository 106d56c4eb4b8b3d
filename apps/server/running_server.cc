// SPDX-License-Identifier: MIT
#include "apps/server/running_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <fstream>
#include <future>
#include <stdexcept>
#include <utility>

namespace wdc::server {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::steady_clock;

void run_until(asio::io_context& context, const bool& is_done) {
  const auto deadline = steady_clock::now() + kPatience;
  context.restart();
  while (!is_done && steady_clock::now() < deadline) context.run_one_until(deadline);
  if (!is_done) throw std::runtime_error("no answer in time");
}

Page::Page() {
  std::string pattern = (fs::temp_directory_path() / "wdc_server_test.XXXXXX").string();
  top_ = ::mkdtemp(pattern.data());
  fs::create_directories(root() / "sub" / ".hidden");
  write(top_ / "secret.txt", "SECRET");
  write(root() / "index.html", "<p>page</p>");
  write(root() / "app.js", "export {};");
  write(root() / "app.js.map", "{}");
  write(root() / "wdc.wasm", std::string("\0asm", 4));
  write(root() / "icon.svg", "<svg/>");
  write(root() / "big.bin", std::string(8 * 1024 * 1024, 'b'));
  write(root() / "sub" / "index.html", "<p>sub</p>");
  write(root() / ".env", "SECRET");
  write(root() / "sub" / ".hidden" / "a.txt", "SECRET");
  fs::create_symlink(top_ / "secret.txt", root() / "way_out.txt");
  fs::create_directory_symlink(top_, root() / "up");
  fs::create_symlink(root() / ".env", root() / "shown.txt");
  fs::create_symlink("app.js", root() / "link.js");
  if (::mkfifo((root() / "pipe").c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
}

void Page::write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

const Page& page() {
  static const Page the_page;
  return the_page;
}

Limits roomy() {
  Limits limits;
  limits.upgrade_burst = 100'000;
  limits.connections_per_address = 4096;
  limits.handshake_time = std::chrono::seconds(2);
  return limits;
}

RunningServer::RunningServer(const Limits& limits, std::vector<std::string> origins) {
  Options options;
  options.port = 0;
  options.root = page().root().string();
  options.limits = limits;
  options.allowed_origins = std::move(origins);
  auto opened = Server::open(options, nullptr);
  if (!opened) throw std::runtime_error(opened.error());
  server_ = std::move(*opened);
  port_ = server_->port();
  thread_ = std::thread([this] { server_->run(); });
}

RunningServer::~RunningServer() {
  begin_shut_down();
  thread_.join();
}

void RunningServer::begin_shut_down() {
  if (!std::exchange(is_shutting_down_, true)) asio::post(server_->context(), [this] { server_->shut_down(); });
}

std::size_t RunningServer::read(const std::function<std::size_t(const Server&)>& figure) {
  std::promise<std::size_t> promise;
  asio::post(server_->context(), [&] { promise.set_value(figure(*server_)); });
  return promise.get_future().get();
}

std::size_t RunningServer::connections_become(std::size_t wanted) {
  const auto deadline = steady_clock::now() + kPatience;
  while (connections() != wanted && steady_clock::now() < deadline) std::this_thread::yield();
  return connections();
}

}  // namespace wdc::server

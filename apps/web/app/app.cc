// SPDX-License-Identifier: MIT
#include "apps/web/app/app.h"

#include <utility>
#include <variant>

namespace wdc::app {
namespace {

using transfer::Direction;
using transfer::Reason;

// A page that is gone without a word is noticed within about 7 s of the browser's plus this.
constexpr std::chrono::milliseconds kDisconnectedTimeout{5'000};

void tell_connection(page::ConnectionState state, std::string_view text = {}) {
  page::connection(static_cast<std::int32_t>(state), text.data(), text.size());
}

void tell_transfer(Direction direction, page::What what, std::string_view text = {}) {
  page::transfer(static_cast<std::int32_t>(direction), static_cast<std::int32_t>(what), text.data(), text.size());
}

struct Teller {
  void operator()(const transfer::FileOffered& file) const {
    page::offered(static_cast<double>(file.size), file.name.data(), file.name.size(), file.type.data(),
                  file.type.size());
  }
  void operator()(const transfer::FileAccepted&) const { tell_transfer(Direction::outgoing, page::What::accepted); }
  void operator()(const transfer::FileStopped& stopped) const {
    tell_transfer(stopped.direction, stopped.by_peer ? page::What::stopped_by_peer : page::What::stopped_here,
                  transfer::name(stopped.reason));
  }
  void operator()(const transfer::FileDone& done) const {
    tell_transfer(done.direction, page::What::done, transfer::to_hex(done.sha256));
  }
};

}  // namespace

void App::start(std::string url, std::string room) {
  stop();
  running_ = spawn(loop_, meet_and_transfer(std::move(url), std::move(room)));
}

void App::stop() {
  running_.cancel();
  disconnect();
}

void App::disconnect() noexcept {
  session_.reset();
  connection_.reset();
}

void App::end(std::string_view why) {
  disconnect();
  tell_connection(page::ConnectionState::ended, why);
}

Task<void> App::meet_and_transfer(std::string url, std::string room) {
  tell_connection(page::ConnectionState::waiting);
  ConnectOptions options;
  options.label = "transfer";
  options.channel.protocol = transfer::kProtocol;
  options.channel.flow = transfer::flow_options();
  options.peer.disconnected_timeout = kDisconnectedTimeout;
  // Nobody accepts further channels here: what the other side opens and sends on them is not kept.
  options.peer.incoming_channels = 1;
  options.peer.incoming_flow.discard_received = true;
  auto met = co_await connect(loop_, std::move(url), std::move(room), std::move(options));
  if (!met) co_return end(met.error().message());

  connection_.emplace(std::move(*met));
  session_.emplace(loop_, std::move(connection_->channel), static_cast<transfer::User&>(*this));
  tell_connection(page::ConnectionState::ready);
  const auto why = co_await session_->run();
  end(why);
}

bool App::offer(double size, std::string_view name, std::string_view type) {
  if (!session_ || !(size >= 0 && size <= static_cast<double>(transfer::kMaxFileBytes))) return false;
  return session_->offer(static_cast<std::uint64_t>(size), name, type);
}

void App::cancel(Direction direction, Reason reason) {
  if (session_) session_->cancel(direction, reason);
}

void App::accept() {
  if (session_) session_->accept();
}

void App::handle_readable() noexcept {
  if (session_) session_->handle_readable();
}

void App::handle_put_away(std::uint32_t id, double bytes) {
  if (session_) session_->handle_put_away(id, static_cast<std::uint64_t>(bytes));
}

double App::progress(Direction direction) const noexcept {
  return session_ ? static_cast<double>(session_->progress(direction)) : 0;
}

void App::on_event(const transfer::Event& event) { std::visit(Teller{}, event); }

transfer::Answer App::read(std::uint64_t offset, std::span<std::byte> target) {
  return static_cast<transfer::Answer>(page::read(static_cast<double>(offset), target.data(), target.size()));
}

transfer::Answer App::write(std::uint32_t id, std::span<const std::byte> bytes) {
  return static_cast<transfer::Answer>(page::write(id, bytes.data(), bytes.size()));
}

}  // namespace wdc::app

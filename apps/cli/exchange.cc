// SPDX-License-Identifier: MIT
#include "apps/cli/exchange.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <utility>

namespace wdc::cli {
namespace {

using namespace std::chrono_literals;
using transfer::Direction;
using transfer::Reason;

// How soon an end is noticed, and how often a terminal sees how far it is.
constexpr auto kTick = 20ms;
// The other side has to read our last words; a page does in no time.
constexpr auto kCloseTimeout = 5s;

volatile std::sig_atomic_t interrupted = 0;

constexpr Direction kBoth[] = {Direction::outgoing, Direction::incoming};

}  // namespace

std::string signaling_url(const std::string& server) {
  const auto separator = server.find("://");
  if (separator == std::string::npos || server.starts_with("ws")) return server;
  const auto rest = server.substr(separator + 3);
  return (server.starts_with("https") ? "wss://" : "ws://") + rest.substr(0, rest.find('/')) + "/ws";
}

Task<Outcome> Exchange::run() {
  ConnectOptions options;
  options.label = "transfer";
  options.channel.protocol = transfer::kProtocol;
  options.channel.flow = transfer::flow_options();
  options.peer.incoming_channels = 1;  // nobody accepts them: see the page
  options.peer.incoming_flow.discard_received = true;
  std::cerr << "wdc: waiting in room " << meeting_.room << '\n';
  auto connecting = connect(loop_, signaling_url(meeting_.server), meeting_.room, std::move(options));
  auto met = co_await connecting;
  if (!met) {
    const auto status = met.error().code() == Errc::invalid_argument ? Status::usage : Status::not_met;
    co_return Outcome{.status = status, .error = met.error().message()};
  }
  std::cerr << "wdc: connected\n";
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });

  connection_.emplace(std::move(*met));
  session_.emplace(loop_, std::move(connection_->channel), static_cast<transfer::User&>(*this));
  following_ = spawn(loop_, follow_session());
  begin();
  while (!outcome_) {
    co_await sleep_for(kTick);
    if (std::exchange(wants_file_, false)) session_->accept();
    show_progress();
    if (interrupted == 0 || outcome_) continue;
    end(Status::interrupted, "interrupted");
    for (const auto direction : kBoth) session_->cancel(direction, Reason::cancelled);
  }
  auto closing = session_->close(kCloseTimeout);
  co_await std::move(closing);
  co_return *std::move(outcome_);
}

Task<void> Exchange::follow_session() {
  auto running = session_->run();
  auto why = co_await std::move(running);
  end(Status::not_met, std::move(why));
}

void Exchange::started(std::uint64_t size) {
  size_ = size;
  started_at_ = loop_.now();
}

void Exchange::end(Outcome outcome) {
  if (outcome_) return;
  if (started_at_) outcome.seconds = std::chrono::duration<double>(loop_.now() - *started_at_).count();
  outcome_ = std::move(outcome);
  show_progress();
}

void Exchange::on_common_event(const transfer::Event& event) {
  if (const auto* stopped = std::get_if<transfer::FileStopped>(&event)) {
    if (!local_error_.empty()) return end(Status::failed_here, local_error_);
    end(Status::stopped,
        std::string(transfer::name(stopped->reason)) + (stopped->by_peer ? ": by the other side" : ": on this side"));
  } else if (const auto* done = std::get_if<transfer::FileDone>(&event)) {
    end(finish(*done));
  }
}

void Exchange::show_progress() {
  if (!started_at_ || size_ == 0) return;
  const auto bytes = std::max(session_->progress(Direction::outgoing), session_->progress(Direction::incoming));
  const bool is_terminal = ::isatty(STDERR_FILENO) != 0;
  const int percent = static_cast<int>(100 * bytes / size_);
  const int step = is_terminal ? percent : percent - percent % 10;  // a log sees every tenth
  if (step <= shown_) return;
  shown_ = step;
  std::cerr << (is_terminal ? "\rwdc: " : "wdc: ") << step << '%' << (is_terminal && step < 100 ? "" : "\n")
            << std::flush;
}

}  // namespace wdc::cli

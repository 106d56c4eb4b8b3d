// SPDX-License-Identifier: MIT
#include "apps/web/app/app.h"

#include <algorithm>
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
  void operator()(const transfer::PeerReady&) const { tell_connection(page::ConnectionState::ready); }
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
  receiving_ = spawn(loop_, meet_and_receive(std::move(url), std::move(room)));
}

void App::stop() {
  receiving_.cancel();
  disconnect();
}

void App::disconnect() noexcept {
  sending_.cancel();
  is_sending_ = false;
  session_.reset();
  connection_.reset();
}

void App::end(std::string_view why) {
  disconnect();
  tell_connection(page::ConnectionState::ended, why);
}

Task<void> App::meet_and_receive(std::string url, std::string room) {
  tell_connection(page::ConnectionState::waiting);
  ConnectOptions options;
  options.label = "transfer";
  options.channel.protocol = "wdc.transfer.v1";
  options.peer.disconnected_timeout = kDisconnectedTimeout;
  // Nobody accepts further channels here: what the other side opens and sends on them is not kept.
  options.peer.incoming_channels = 1;
  options.peer.incoming_flow.discard_received = true;
  auto met = co_await connect(loop_, std::move(url), std::move(room), std::move(options));
  if (!met) co_return end(met.error().message());

  connection_.emplace(std::move(*met));
  const auto limit = connection_->channel.max_message_size();  // 64 bits; 0: not known
  session_.emplace(limit == 0 ? transfer::kDataMessageSize
                              : static_cast<std::size_t>(std::min<std::uint64_t>(limit, transfer::kDataMessageSize)));
  reported_sent_ = reported_received_ = 0;
  send_what_is_due();
  auto messages = connection_->channel.message_stream();
  while (auto message = co_await messages.next()) {
    if (!handle_message(*message)) co_return;
  }
  const auto reason = messages.end_reason();
  end(reason ? "closed: the other side has left" : reason.error().message());
}

bool App::handle_message(const Message& message) {
  const auto bytes = message.is_text() ? std::unexpected(transfer::Violation{"a text message"})
                                       : session_->handle_message(message.bytes());
  if (!bytes) {
    connection_->channel.abort();
    end("protocol_error: " + bytes.error().text);
    return false;
  }
  auto& incoming = session_->incoming();
  if (!bytes->empty()) {
    const auto id = incoming.id();
    switch (static_cast<page::Answer>(page::write(id, bytes->data(), bytes->size()))) {
      case page::Answer::now:
        incoming.handle_put_away(id, bytes->size());
        break;
      case page::Answer::later:
        break;
      case page::Answer::failed:
        incoming.stop(Reason::write_failed);
        break;
    }
  }
  report_progress();
  report();
  send_what_is_due();
  return true;
}

bool App::offer(double size, std::string_view name, std::string_view type) {
  if (!session_ || !session_->ready() || !session_->outgoing().idle()) return false;
  if (!(size >= 0 && size <= static_cast<double>(transfer::kMaxFileBytes))) return false;
  reported_sent_ = 0;
  session_->outgoing().offer(static_cast<std::uint64_t>(size), name, type);
  send_what_is_due();
  return true;
}

void App::cancel(Direction direction, Reason reason) {
  if (!session_) return;
  if (direction == Direction::outgoing) {
    session_->outgoing().cancel(reason);
  } else {
    session_->incoming().stop(reason);
  }
  report();
  send_what_is_due();
}

void App::accept() {
  if (!session_) return;
  session_->incoming().accept();
  send_what_is_due();
}

void App::handle_put_away(std::uint32_t id, double bytes) {
  if (!session_) return;
  session_->incoming().handle_put_away(id, static_cast<std::uint64_t>(bytes));
  report();
  send_what_is_due();
}

void App::send_what_is_due() {
  if (!session_ || std::exchange(is_sending_, true)) return;
  sending_ = spawn(loop_, send_all());
}

// Ends when there is nothing to say. What waits for the file or the other end starts it again.
Task<void> App::send_all() {
  for (;;) {
    if (const auto frame = session_->poll_frame()) {
      // How the channel broke is told to the one who reads from it.
      if (const auto sent = co_await connection_->channel.send_bytes(*frame); !sent) break;
    } else if (const auto piece = session_->outgoing().poll_piece()) {
      auto message = Message::with_size(transfer::kDataHeader + piece->length);
      const auto answer = read_piece(*piece, message.writable_bytes());
      if (answer == page::Answer::later) break;
      if (answer == page::Answer::failed) continue;
      if (const auto sent = co_await connection_->channel.send(std::move(message)); !sent) break;
    } else {
      break;
    }
  }
  is_sending_ = false;
}

page::Answer App::read_piece(const transfer::Piece& piece, std::span<std::byte> message) {
  auto& outgoing = session_->outgoing();
  const auto answer = message.empty()
                          ? page::Answer::failed
                          : static_cast<page::Answer>(page::read(static_cast<double>(piece.offset),
                                                                 message.data() + transfer::kDataHeader, piece.length));
  if (answer == page::Answer::failed) {
    outgoing.cancel(Reason::read_failed);
    report();
  } else if (answer == page::Answer::now) {
    outgoing.commit_piece(message);
  }
  return answer;
}

void App::report() {
  for (const auto& event : session_->take_events()) {
    if (std::holds_alternative<transfer::FileOffered>(event)) reported_received_ = 0;
    std::visit(Teller{}, event);
  }
}

void App::report_progress() {
  if (const auto sent = session_->outgoing().acknowledged(); sent != reported_sent_) {
    reported_sent_ = sent;
    page::progress(static_cast<std::int32_t>(Direction::outgoing), static_cast<double>(sent));
  }
  if (const auto received = session_->incoming().received(); received != reported_received_) {
    reported_received_ = received;
    page::progress(static_cast<std::int32_t>(Direction::incoming), static_cast<double>(received));
  }
}

}  // namespace wdc::app

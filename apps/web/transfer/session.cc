// SPDX-License-Identifier: MIT
#include "apps/web/transfer/session.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace wdc::transfer {

FlowOptions flow_options() {
  FlowOptions flow;
  flow.framed.read_window = std::size_t{2} << 20;
  return flow;
}

Session::Session(EventLoop& loop, DataChannel channel, User& user)
    : loop_(loop), channel_(std::move(channel)), user_(user), sender_(user, events_), receiver_(events_) {}

Task<std::string> Session::run() {
  auto messages = channel_.incoming_messages();
  while (auto message = co_await messages.next()) {
    auto part = co_await message->next_part();
    if (!part) continue;  // given up by its sender
    if (const auto handled = handle_start(std::move(*message), std::move(*part)); !handled) {
      channel_.abort();
      co_return "protocol_error: " + handled.error().text;
    }
    follow();
  }
  const auto reason = messages.end_reason();
  // A page that is closed does not say so first.
  if (reason || reason.error().code() == Errc::aborted) co_return "closed: the other side has left";
  co_return reason.error().message();
}

Task<void> Session::close(std::chrono::milliseconds timeout) {
  if (is_sending_messages_) co_await std::move(sending_messages_);
  (void)co_await channel_.close(timeout);
}

Checked<void> Session::handle_start(IncomingMessage message, Message part) {
  const auto bytes = part.bytes();
  if (message.type() == MessageType::text) return std::unexpected(Violation{"a text message"});
  if (!is_content(bytes)) {
    if (message.size() != bytes.size()) return std::unexpected(Violation{"a message came in parts"});
    return handle_control(bytes);
  }
  const auto id = parse_content_header(bytes);
  if (!id) return std::unexpected(id.error());
  const auto wanted = receiver_.begin_content(*id, message.size());
  if (!wanted) return std::unexpected(wanted.error());
  if (!*wanted) return {};  // its sender hears that it is not, as of every message that nobody keeps
  content_.emplace(std::move(message));
  take_content(bytes.subspan(kHeaderSize));
  return {};
}

Checked<void> Session::handle_control(std::span<const std::byte> message) {
  const auto control = parse(message);
  if (!control) return std::unexpected(control.error());
  return std::visit(
      [this](const auto& one) {
        if constexpr (requires { receiver_.handle(one); }) {
          return receiver_.handle(one);
        } else {
          return sender_.handle(one);
        }
      },
      *control);
}

bool Session::offer(std::uint64_t size, std::string_view name, std::string_view type) {
  if (!sender_.idle() || size > kMaxFileBytes) return false;
  sender_.offer(size, name, type);
  follow();
  return true;
}

void Session::accept() {
  receiver_.accept();
  follow();
}

void Session::cancel(Direction direction, Reason reason) {
  if (direction == Direction::outgoing) {
    sender_.cancel(reason);
  } else {
    receiver_.stop(reason);
  }
  follow();
}

void Session::handle_put_away(std::uint32_t id, std::uint64_t bytes) {
  receiver_.handle_put_away(id, bytes);
  follow();
}

std::uint64_t Session::progress(Direction direction) const noexcept {
  if (direction == Direction::incoming) return receiver_.received();
  if (sender_.done()) return sender_.file_size();
  const auto acknowledged = channel_.delivery().acknowledged;
  const auto taken = acknowledged - std::min(acknowledged, acknowledged_before_ + kHeaderSize);
  return std::min(taken, sender_.file_size());
}

void Session::follow() {
  for (const auto& event : std::exchange(events_, {})) user_.on_event(event);
  if (!is_sending_messages_) {
    is_sending_messages_ = true;
    sending_messages_ = spawn(loop_, send_messages());
  }
  if (sender_.sending() && !is_sending_content_) {
    is_sending_content_ = true;
    acknowledged_before_ = channel_.delivery().acknowledged;
    sending_content_ = spawn(loop_, send_content());
  } else if (!sender_.sending() && is_sending_content_) {
    is_sending_content_ = false;
    sending_content_.cancel();  // takes the message back, in the middle, too
  }
  if (!receiver_.receiving()) {
    is_reading_content_ = false;
    reading_content_.cancel();
    content_.reset();  // stops its sender
  } else if (receiver_.takes_content() && !is_reading_content_) {
    is_reading_content_ = true;
    reading_content_ = spawn(loop_, read_content());
  }
}

/// Ends when there is nothing to say.
Task<void> Session::send_messages() {
  for (;;) {
    auto message = receiver_.poll_message();
    if (!message) message = sender_.poll_message();
    if (!message) break;
    // How the channel broke is told to the one who reads from it.
    const auto sent = co_await channel_.send_bytes(*message);
    if (!sent) break;
  }
  is_sending_messages_ = false;
}

Task<void> Session::send_content() {
  const auto sent = co_await channel_.send_from(sender_);
  // Stopped by the other end, which says why by itself; or the channel broke.
  if (sent || sent.error().code() != Errc::cancelled) co_return;
  sender_.cancel(Reason::read_failed);
  follow();
}

Task<void> Session::read_content() {
  while (receiver_.takes_content()) {
    const auto part = co_await content_->next_part();
    if (!part) co_return;  // given up: its sender says why by itself
    take_content(part->bytes());
    if (!receiver_.receiving()) break;
  }
  is_reading_content_ = false;
  follow();
}

void Session::take_content(std::span<const std::byte> bytes) {
  if (const auto file = receiver_.take_content(bytes); !file.empty()) {
    const auto answer = user_.write(receiver_.id(), file);
    if (answer == Answer::failed) return receiver_.stop(Reason::write_failed);
    if (answer == Answer::now) receiver_.handle_put_away(receiver_.id(), file.size());
  }
  receiver_.finish_content();
}

}  // namespace wdc::transfer

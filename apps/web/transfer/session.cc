// SPDX-License-Identifier: MIT
#include "apps/web/transfer/session.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace wdc::transfer {
namespace {

constexpr std::span<const std::byte> kNothing;

}  // namespace

Session::Session(std::size_t max_message_size, std::uint32_t window)
    : sender_(max_message_size, events_), receiver_(std::clamp(window, kMinWindow, kMaxWindow), events_) {}

Checked<std::span<const std::byte>> Session::handle_message(std::span<const std::byte> message) {
  const auto frame = parse(message);
  if (!frame) return std::unexpected(frame.error());
  if (std::holds_alternative<Hello>(*frame) == peer_greeted_) {
    return std::unexpected(
        Violation{peer_greeted_ ? "the other end said hello twice" : "the other end did not say hello"});
  }
  return std::visit(
      [this](const auto& f) -> Checked<std::span<const std::byte>> {
        using T = std::remove_cvref_t<decltype(f)>;
        const auto done = [](const Checked<void>& result) -> Checked<std::span<const std::byte>> {
          if (!result) return std::unexpected(result.error());
          return kNothing;
        };
        if constexpr (std::is_same_v<T, Hello>) {
          peer_greeted_ = true;
          events_.emplace_back(PeerReady{});
          return kNothing;
        } else if constexpr (std::is_same_v<T, Data>) {
          return receiver_.handle(f);
        } else if constexpr (requires { receiver_.handle(f); }) {
          return done(receiver_.handle(f));
        } else {
          return done(sender_.handle(f));
        }
      },
      *frame);
}

std::optional<std::vector<std::byte>> Session::poll_frame() {
  if (!std::exchange(greeted_, true)) return encode(Hello{});
  if (auto frame = receiver_.poll_frame()) return frame;
  return sender_.poll_frame();
}

}  // namespace wdc::transfer

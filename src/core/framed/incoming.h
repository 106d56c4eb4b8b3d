// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "src/core/framed/received_frame.h"
#include "src/core/framed/whole_buffer.h"
#include "wdc/event_loop.h"
#include "wdc/message.h"

namespace wdc::core::framed {

/// A message in parts at its receiver: from its first part until RELEASE was sent and no IncomingMessage shows it.
class Incoming final : public ReceiveItem, public ListLink<Incoming> {
 public:
  Incoming() noexcept : ReceiveItem(Kind::incoming) {}

  enum class Wanted : std::uint8_t { unknown, in_parts, whole, not_at_all };

  std::uint64_t id = 0;
  MessageType type = MessageType::binary;
  std::optional<std::uint64_t> size;  // as its sender says
  Wanted wanted = Wanted::unknown;

  bool in_table = false;  // RELEASE was not sent yet
  bool held = false;      // an IncomingMessage shows it
  bool ended = false;     // the last part came
  bool cancelled = false;
  bool stopped = false;  // by this side
  bool too_large = false;
  bool no_memory = false;
  bool given_out = false;  // whole, or to the last part

  std::uint64_t received = 0;  // bytes
  std::uint64_t taken = 0;     // by the user
  std::uint64_t told = 0;      // to the sender, of those
  std::uint64_t used = 0;      // credit
  std::uint64_t given_back = 0;
  std::uint64_t limit = 0;  // told
  std::uint64_t next_limit = 0;

  bool credit_due = false;
  bool report_due = false;
  bool stop_due = false;
  bool release_due = false;

  IntrusiveList<ReceivedFrame, ReceivedFrame> parts;  // not read, and not in `whole`
  WholeBuffer whole;
  std::uint64_t whole_cost = 0;
  detail::WaitList waiters;

  [[nodiscard]] bool has_bytes() noexcept { return !parts.empty() || whole.size() > 0; }
  /// Only the first bytes of a message are here that comes in one piece, as many as the head of the rest is long; and
  /// nothing holds the rest up.
  [[nodiscard]] bool is_beginning() noexcept {
    if (is_over() || !size || parts.empty() || received != parts.front()->part_size()) return false;
    const std::size_t head = encoded_size(PartHead{.id = id});
    return received == head && limit - used >= kFrameCost + head + (*size - received);
  }
  [[nodiscard]] bool is_over() const noexcept { return ended || cancelled || stopped || no_memory; }
};

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "src/native/sctp/numbers.h"
#include "src/native/sctp/payload.h"
#include "src/native/sctp/slab.h"
#include "src/native/sctp/time.h"

namespace wdc::sctp {

/// How a message is to be delivered.
struct SendOptions {
  bool unordered = false;
  /// Given up instead of being sent more often than once and this many times again (RFC 3758, RFC 7496 section 3.1).
  std::optional<std::uint16_t> max_retransmits = std::nullopt;
  /// Given up when it has not arrived after this long (RFC 3758 section 4.1).
  std::optional<Duration> lifetime = std::nullopt;
};

struct OutgoingMessage;
using MessageSlab = Slab<OutgoingMessage>;
using MessageIndex = MessageSlab::Index;
inline constexpr MessageIndex kNoMessage = MessageSlab::kNone;

/// A message between send() and the acknowledgement of its last fragment.
struct OutgoingMessage {
  Payload payload;
  StreamId stream;
  Ppid ppid;
  bool unordered = false;
  bool abandoned = false;
  std::optional<std::uint16_t> max_retransmits;
  TimePoint expires = kNever;

  std::uint32_t number = 0;         // SSN or MID, from its first fragment on
  std::uint32_t sent = 0;           // bytes that were cut into fragments
  std::uint32_t next_fragment = 0;  // the number of the next one
  std::uint32_t outstanding = 0;    // fragments in the outstanding ring
  UnwrappedTsn first_tsn;
  UnwrappedTsn last_tsn;

  MessageIndex next = kNoMessage;  // behind it on its stream

  [[nodiscard]] bool is_cut() const { return sent == payload.size(); }
};

/// Forgets a message whose fragments are all dealt with.
inline void forget_message(MessageSlab& messages, MessageIndex index) {
  messages[index].payload.reset();
  messages.give_back(index);
}

}  // namespace wdc::sctp

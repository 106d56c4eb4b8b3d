// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "routine.h"
#include "wdc/incoming_message.h"

namespace wdc::js {

/// Messages that JavaScript reads in parts, by number. They may outlive their channel. Those that have ended, and were
/// told so, are free again.
class IncomingPool {
 public:
  /// Gives its number.
  [[nodiscard]] std::int32_t add(IncomingMessage&& message);
  /// Asks for the next part, or for all the rest as one: imports::part() or imports::part_ended() follows, perhaps at
  /// once. One of them at a time.
  void pull(std::int32_t number, bool whole);
  /// The rest is not wanted, and the number is not used any more. Not from inside an import.
  void release(std::int32_t number);

 private:
  struct Incoming {
    explicit Incoming(IncomingMessage&& incoming) noexcept : message(std::move(incoming)) {}
    IncomingMessage message;
    bool whole = false;
    Routine routine;  // last: destroyed first
  };
  Routine read(std::int32_t number, Incoming& self);

  std::vector<std::unique_ptr<Incoming>> by_number_;  // at number - 1
  std::vector<std::int32_t> free_numbers_;
};

}  // namespace wdc::js

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "routine.h"
#include "wdc/data_channel.h"
#include "wdc/message.h"

namespace wdc::js {

/// Sends in progress. A send borrows a sender and gives it back at its end, so once there are as many senders as sends
/// wait at a time, sending allocates nothing.
class SenderPool {
 public:
  /// 0: accepted. A positive number: waits, and imports::sent() tells its end. Else minus the number of an error.
  [[nodiscard]] std::int32_t send(DataChannel& channel, Message&& message);
  /// Takes back a send that waits; it sends nothing and its end is not told.
  void cancel(std::int32_t operation);

 private:
  struct Sender {
    std::int32_t number = 0;
    Routine routine;
    DataChannel* channel = nullptr;  // only while the send starts
    Message message;
    std::int32_t code = 0;
    bool ended = false;
    bool waits = false;
  };
  Sender& idle_sender();
  Routine run(Sender& sender);

  std::vector<std::unique_ptr<Sender>> senders_;  // by number - 1
  std::vector<Sender*> idle_;
};

}  // namespace wdc::js

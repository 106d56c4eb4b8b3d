// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "routine.h"
#include "wdc/data_channel.h"
#include "wdc/message.h"
#include "wdc/send_options.h"

namespace wdc::js {

/// Bytes that JavaScript has, or is waiting for itself; imports::source_read() asks for them by the send's number.
class JsSource final : public ByteSource {
 public:
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return size_; }
  [[nodiscard]] bool in_memory() const override { return in_memory_; }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> room) override;
  void wake() noexcept { ready(); }

 private:
  friend class SenderPool;
  std::int32_t operation_ = 0;
  std::optional<std::uint64_t> size_;
  bool in_memory_ = false;
};

/// Sends in progress. A send borrows a sender and gives it back at its end, so once there are as many senders as sends
/// wait at a time, sending allocates nothing.
class SenderPool {
 public:
  /// 0: accepted. A positive number: waits, and imports::sent() tells its end. Else minus the number of an error.
  [[nodiscard]] std::int32_t send(DataChannel& channel, Message&& message, const SendOptions& options);
  /// The same for bytes from a source; `in_memory`: see ByteSource.
  [[nodiscard]] std::int32_t send_from_source(DataChannel& channel, std::optional<std::uint64_t> size, bool in_memory,
                                              MessageType type, const SendOptions& options);
  /// There is more for a source that had nothing.
  void wake_source(std::int32_t operation);
  /// The same as send() for a flush.
  [[nodiscard]] std::int32_t flush(DataChannel& channel, FlushTo goal);
  /// Takes back a send that waits, or stops one in the middle; its end is not told.
  void cancel(std::int32_t operation);

 private:
  enum class What : std::uint8_t { message, source, flush };
  struct Sender {
    std::int32_t number = 0;
    Routine routine;
    DataChannel* channel = nullptr;  // only while it starts
    What what = What::message;
    Message message;
    JsSource source;
    MessageType type = MessageType::binary;
    SendOptions options;
    FlushTo goal = FlushTo::transport;
    std::int32_t code = 0;
    bool ended = false;
    bool waits = false;
  };
  Sender& idle_sender();
  [[nodiscard]] std::int32_t start(Sender& sender, DataChannel& channel, What what);
  [[nodiscard]] Sender* waiting(std::int32_t operation);
  Routine run(Sender& sender);

  std::vector<std::unique_ptr<Sender>> senders_;  // by number - 1
  std::vector<Sender*> idle_;
};

}  // namespace wdc::js

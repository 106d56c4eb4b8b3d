// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "src/core/framed/codec.h"
#include "src/core/framed/frame_buffer.h"
#include "src/core/framed/scheduler.h"
#include "wdc/data_channel.h"
#include "wdc/error.h"

namespace wdc::core::framed {

/// The place of a message in parts, from its first part until RELEASE.
struct OutgoingSlot {
  Outgoing* message = nullptr;  // null once its last part is encoded, or it was given up
  std::uint64_t id = 0;
  std::uint64_t limit = 0;  // credit
  std::uint64_t used = 0;
  std::uint64_t sent = 0;   // bytes that the transport has
  std::uint64_t taken = 0;  // bytes that the peer's user has
  bool in_use = false;
  bool ended = false;  // the last part is encoded, or CANCEL is due or sent
  bool cancel_due = false;
  bool given_up = false;
};

class SenderEvents {
 public:
  /// The message is in none of the sender's lists any more. Success: its last byte is in a frame.
  virtual void on_outgoing_end(Outgoing& message, Result<void> result) = 0;

 protected:
  ~SenderEvents() = default;
};

/// The sending half of docs/wire/framed.md: messages in, data frames out. Sans-IO: poll_frame() gives the next frame,
/// handle_sent() says that the transport has taken it.
class Sender {
 public:
  explicit Sender(SenderEvents& events) noexcept : events_(events) {}
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// What the peer takes is known: data may go. `frame_limit` is what this end and the transport want at most,
  /// `largest_frame` what a message may have that goes in one piece: see is_in_one_piece().
  void open(const Hello& peer, std::size_t frame_limit, std::size_t largest_frame);
  /// Batches only: no credit; `largest_frame` is what the transport takes, for a message that needs a frame of its own.
  void open_batches_only(std::size_t frame_limit, std::size_t largest_frame);
  [[nodiscard]] bool is_open() const noexcept { return open_; }

  enum class Append : std::uint8_t {
    done,
    full,   ///< not before the frame that is being made has gone: poll_frame()
    waits,  ///< not before others have gone, credit has come, or in parts: enqueue()
  };
  /// The short way of a message that nothing stands before.
  [[nodiscard]] Append append(std::span<const std::byte> bytes, MessageType type, Priority priority);
  /// Where more binary messages of the batch that is being made may be put, which nothing stands before, until anything
  /// else is asked of this; append_lent() has to tell of them first. Nothing: none may.
  [[nodiscard]] FrameRoom lend() const noexcept;
  void append_lent(std::span<const std::uint32_t> sizes) noexcept;
  /// Credit that batches may use which go past here: nothing stands before them. 0: something does.
  [[nodiscard]] std::uint64_t room_elsewhere() const noexcept;
  /// So many batches of one message each went. `bytes`: of the messages; `cost`: of the frames, no more than
  /// room_elsewhere().
  void send_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) noexcept;
  /// Lists the message; on_outgoing_end() follows. Fields other than the links are the caller's.
  void enqueue(Outgoing& message) noexcept;
  /// The same, in the place of one that has not started; that one is in no list then.
  void replace(Outgoing& old, Outgoing& fresh) noexcept;
  /// Takes a message back, if need be in the middle; on_outgoing_end() is not called.
  void withdraw(Outgoing& message) noexcept;
  /// The same; one that has not started was never given then.
  void take_back(Outgoing& message) noexcept;
  /// Its source may have bytes again.
  void resume(Outgoing& message) noexcept { scheduler_.resume(message); }
  /// Ends all messages with `error`.
  void fail_all(const Error& error);
  [[nodiscard]] Scheduler& scheduler() noexcept { return scheduler_; }
  [[nodiscard]] const Scheduler& scheduler() const noexcept { return scheduler_; }

  enum class Flush : std::uint8_t { full_frames, everything };
  /// The next frame; the same one until handle_sent(). Empty: nothing can or need go now. May read sources. Not from
  /// inside a source's read(): nothing then.
  [[nodiscard]] std::span<const std::byte> poll_frame(Flush flush);
  void handle_sent() noexcept;

  /// The peer's records. A fault: nothing has changed.
  [[nodiscard]] Fault handle_credit(std::uint64_t limit, std::uint64_t messages, std::uint64_t bytes) noexcept;
  [[nodiscard]] Fault handle_message_credit(std::uint64_t id, std::uint64_t limit, std::uint64_t bytes) noexcept;
  [[nodiscard]] Fault handle_stop(std::uint64_t id, std::uint64_t reason, std::uint64_t limit);
  [[nodiscard]] Fault handle_release(std::uint64_t id, std::uint64_t bytes) noexcept;
  /// CANCEL records that are due, as far as there is room; true if there are more.
  bool poll_cancels(Writer& writer) noexcept;
  [[nodiscard]] bool cancels_due() const noexcept { return cancels_due_ > 0; }

  /// A frame is being made, or has been and was not taken.
  [[nodiscard]] bool frame_waits() const noexcept { return !frame_.empty() || !buffer_.empty(); }
  /// A part is made and was not taken.
  [[nodiscard]] bool part_waits() const noexcept { return frame_slot_ != nullptr; }
  [[nodiscard]] std::size_t frame_bytes() const noexcept { return buffer_.empty() ? frame_.size() : buffer_.bytes(); }
  /// All that was given is with the transport.
  [[nodiscard]] bool drained() const noexcept { return scheduler_.empty() && !frame_waits(); }
  /// The peer's user has done with everything; REQUIRES: drained().
  [[nodiscard]] bool acknowledged() const noexcept { return taken_messages_ == sent_messages_ && slots_in_use_ == 0; }
  /// Messages that were accepted and then thrown away by the peer.
  [[nodiscard]] bool some_unread() const noexcept { return some_unread_; }
  [[nodiscard]] std::uint64_t messages_appended() const noexcept { return appended_messages_; }
  [[nodiscard]] std::uint64_t messages_sent() const noexcept { return sent_messages_; }
  [[nodiscard]] std::uint64_t messages_taken() const noexcept { return taken_messages_; }
  [[nodiscard]] std::uint64_t parts_begun() const noexcept { return next_id_; }
  /// The lowest id whose place is in use; parts_begun() if none is.
  [[nodiscard]] std::uint64_t lowest_unreleased() const noexcept;
  [[nodiscard]] Delivery delivery() const noexcept;
  [[nodiscard]] const Hello& peer() const noexcept { return peer_; }
  /// Whether a message of this size goes in a batch, if it is in memory.
  [[nodiscard]] bool size_in_batch(std::size_t size) const noexcept {
    if (batches_only_) return true;
    // A sender may hold out for half of the window only.
    const std::size_t alone = FrameBuffer::alone(size);
    return alone <= frame_limit_ && cost_of(alone) <= peer_.window / 2;
  }

 private:
  [[nodiscard]] bool in_batch(const Outgoing& message) const noexcept {
    return message.source == nullptr && message.slot == nullptr && size_in_batch(message.bytes.size());
  }
  [[nodiscard]] bool credit_for(std::size_t size) const noexcept;
  [[nodiscard]] bool can_start(const Outgoing& message) const noexcept;
  void append_to_batch(std::span<const std::byte> bytes, MessageType type);
  [[nodiscard]] std::span<const std::byte> finish_batch() noexcept;
  void make_part(Outgoing& message);
  [[nodiscard]] bool is_in_one_piece(const Outgoing& message) const noexcept;
  [[nodiscard]] std::size_t limit_for(const Outgoing& message, const PartHead& head) const noexcept;
  [[nodiscard]] std::optional<std::size_t> room_for(const Outgoing& message, const PartHead& head) const noexcept;
  [[nodiscard]] Result<std::size_t> fill(Outgoing& message, std::span<std::byte> room);
  void begin(Outgoing& message) noexcept;
  void give_up(OutgoingSlot& slot) noexcept;
  void end(Outgoing& message, Result<void> result);
  [[nodiscard]] OutgoingSlot* find(std::uint64_t id) noexcept;
  [[nodiscard]] std::span<OutgoingSlot> slots() const noexcept { return {slots_.get(), slot_count_}; }

  static constexpr std::size_t kMostSlots = 256;

  SenderEvents& events_;
  Scheduler scheduler_;
  Hello peer_;
  bool open_ = false;
  bool batches_only_ = false;
  FrameBuffer buffer_;
  std::size_t frame_limit_ = 0;
  std::size_t largest_frame_ = 0;

  std::span<const std::byte> frame_;    // finished, in buffer_, not taken yet
  OutgoingSlot* frame_slot_ = nullptr;  // of a part
  std::size_t frame_bytes_ = 0;         // payload in it
  std::uint64_t frame_messages_ = 0;

  Outgoing* reading_ = nullptr;  // whose source is being asked
  bool is_reading_ = false;

  std::uint64_t limit_ = 0;  // the channel's credit
  std::uint64_t used_ = 0;

  std::unique_ptr<OutgoingSlot[]> slots_;
  std::size_t slot_count_ = 0;
  std::size_t slots_in_use_ = 0;
  std::size_t cancels_due_ = 0;
  std::uint64_t next_id_ = 0;

  std::uint64_t appended_messages_ = 0;
  std::uint64_t sent_messages_ = 0;
  std::uint64_t taken_messages_ = 0;
  std::uint64_t batch_bytes_sent_ = 0;
  std::uint64_t batch_bytes_taken_ = 0;
  std::uint64_t given_bytes_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t released_taken_ = 0;  // bytes of messages in parts that are done with
  std::uint64_t released_lost_ = 0;   // of those, sent and never taken
  bool some_unread_ = false;
};

}  // namespace wdc::core::framed

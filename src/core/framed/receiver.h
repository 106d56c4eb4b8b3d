// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/core/framed/codec.h"
#include "src/core/framed/incoming.h"
#include "src/core/framed/received_frame.h"
#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc::core::framed {

class ReceiverEvents {
 public:
  /// Something of the message that can be read came, or its end.
  virtual void on_incoming_progress(Incoming& incoming) = 0;
  /// Messages were thrown away unread.
  virtual void on_messages_dropped(std::uint64_t messages, std::uint64_t bytes) = 0;

 protected:
  ~ReceiverEvents() = default;
};

/// The receiving half of docs/wire/framed.md: frames in, messages and credit out. Sans-IO.
class Receiver {
 public:
  /// Without credit where only batches go.
  enum class Credit : std::uint8_t { counted, none };
  Receiver(ReceiverEvents& events, const FramedOptions& options, Credit credit);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver();

  /// What is put into HELLO.
  [[nodiscard]] Hello hello() const noexcept;
  [[nodiscard]] FramePool& frames() noexcept { return *frames_; }

  /// Takes a reference of the frame's, in any case.
  [[nodiscard]] Fault handle_batch(ReceivedFrame& frame);
  [[nodiscard]] Fault handle_part(ReceivedFrame& frame);
  [[nodiscard]] Fault handle_cancel(std::uint64_t id);
  [[nodiscard]] Fault handle_sync(std::uint64_t messages) noexcept;
  [[nodiscard]] Fault handle_finish(std::uint64_t messages, std::uint64_t parts) noexcept;

  /// How the next reader reads: whole messages, or in parts; not_at_all: everything is thrown away as it comes.
  void set_wanted(Incoming::Wanted wanted);
  [[nodiscard]] bool can_read_whole() noexcept { return next_whole() != nullptr; }
  /// The next message, in the order of the options.
  [[nodiscard]] std::optional<Message> read_whole();
  /// Credit that batches may use whose messages a reader takes at once, and that need not come here but as a sum, in
  /// take_elsewhere(), before anything else does; 0: none, as something is here, or due.
  [[nodiscard]] std::uint64_t room_elsewhere() const noexcept;
  /// So many batches of one message each came and were taken. `bytes`: of the messages; `cost`: of the frames, no more
  /// than room_elsewhere().
  void take_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost);
  /// The frame that the next messages are in, for one who looks at several before he reads them; null if it is not one.
  [[nodiscard]] ReceivedFrame* next_batch() noexcept;
  [[nodiscard]] bool can_read_start() const noexcept { return !items_.empty(); }
  /// The next that has begun: a message that is here, or one in parts, which is held then.
  struct Start {
    std::optional<Message> message;
    Incoming* incoming = nullptr;
  };
  [[nodiscard]] Start read_start();

  // Messages in parts that are held.
  /// None: nothing is here, or only the beginning of what comes in one piece.
  [[nodiscard]] std::optional<Message> read_part(Incoming& incoming);
  void want_whole(Incoming& incoming);
  /// REQUIRES: ended, wanted whole.
  [[nodiscard]] Message read_whole(Incoming& incoming);
  void stop(Incoming& incoming);
  void let_go(Incoming& incoming);

  /// Throws away what nobody reads any more.
  void drop_unread();
  /// Nothing comes any more: what is incomplete cannot be read, but by who holds it, and they hear of it.
  void drop_incomplete();

  /// Of messages in parts something was taken that the peer does not know, and no record is due for it.
  [[nodiscard]] bool has_untold() const noexcept { return untold_; }
  /// Makes all of that due.
  void tell() noexcept;

  /// Records that are due, as far as there is room; true if there are more.
  bool poll_records(Writer& writer);
  [[nodiscard]] bool records_due() const noexcept { return credit_due_ || records_due_ > releases_waiting_; }
  /// Nothing is unread or unreleased.
  [[nodiscard]] bool all_taken() const noexcept { return items_.empty() && table_.empty(); }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  /// In batches, and begun in parts.
  [[nodiscard]] std::uint64_t messages_received() const noexcept { return messages_received_ + next_id_; }
  /// Credit that frames of batches hold which were not read.
  [[nodiscard]] std::uint64_t unread_cost() const noexcept { return used_ - given_back_; }
  /// Throws the oldest batch away that was not read; false: there is none.
  bool drop_oldest();
  /// That were not taken and not thrown away, bytes of incomplete ones among them.
  [[nodiscard]] std::size_t messages_unread() const noexcept {
    return static_cast<std::size_t>(messages_received_ - messages_taken_ - messages_dropped_) + table_.size();
  }

 private:
  [[nodiscard]] bool counts() const noexcept { return credit_ == Credit::counted; }
  [[nodiscard]] ReceiveItem* next_whole() noexcept;
  [[nodiscard]] Message read_from_batch(ReceivedFrame& frame);
  void drop_batch(ReceivedFrame& frame);
  void give_back(std::uint64_t cost);
  void check_credit();

  [[nodiscard]] Incoming* find(std::uint64_t id) noexcept;
  [[nodiscard]] Incoming& make_incoming();
  void append(Incoming& incoming, ReceivedFrame& frame);
  static void join(Incoming& incoming);
  [[nodiscard]] static bool is_in_one_piece(Incoming& incoming);
  void assemble(Incoming& incoming);
  [[nodiscard]] bool check_size(Incoming& incoming, std::uint64_t size);
  void widen(Incoming& incoming);
  void widen_all();
  void list(Incoming& incoming) noexcept;
  void unlist(Incoming& incoming) noexcept;
  void set_limit(Incoming& incoming, std::uint64_t limit, std::uint64_t step);
  void throw_away(Incoming& incoming);
  void refuse(Incoming& incoming);
  void release_if_done(Incoming& incoming);
  [[nodiscard]] bool may_wait(const Incoming& incoming) const noexcept;
  void hurry_releases() noexcept { releases_waiting_ = waiting_bytes_ = 0; }
  void recycle_if_unused(Incoming& incoming);
  void mark_due(bool& flag) noexcept;
  void take(Incoming& incoming, std::uint64_t bytes) noexcept;

  ReceiverEvents& events_;
  const FramedOptions options_;
  const Credit credit_;
  FramePool::Owner frames_ = FramePool::create();
  Incoming::Wanted wanted_ = Incoming::Wanted::unknown;
  IntrusiveList<ReceiveItem, ReceiveItem> items_;  // in the order of their starts; by completions: complete ones last
  IntrusiveList<Incoming, Incoming> unread_;       // those of them that are in parts, in the same order

  std::vector<std::unique_ptr<Incoming>> incoming_;  // all that were ever needed
  std::vector<Incoming*> free_;
  std::vector<Incoming*> table_;
  std::uint64_t next_id_ = 0;
  std::size_t records_due_ = 0;
  std::size_t releases_waiting_ = 0;  // of those, RELEASE records that can go with others
  std::uint64_t waiting_bytes_ = 0;   // taken, of which they would tell
  std::uint64_t hurried_below_ = 0;   // the peer waits to hear of messages with lower ids
  bool untold_ = false;

  std::uint64_t used_ = 0;  // credit of the channel
  std::uint64_t given_back_ = 0;
  std::uint64_t limit_;  // told
  bool credit_due_ = false;
  std::uint64_t messages_received_ = 0;
  std::uint64_t messages_taken_ = 0;
  std::uint64_t messages_dropped_ = 0;  // of batches, unread
  std::uint64_t bytes_taken_ = 0;
  std::uint64_t messages_told_ = 0;
  std::uint64_t sync_ = 0;  // messages that the peer waits for
  bool finished_ = false;
  bool first_changed_ = false;
};

}  // namespace wdc::core::framed

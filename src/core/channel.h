// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "src/core/backend.h"
#include "src/core/framed/framing_pointer.h"
#include "src/core/intrusive_list.h"
#include "src/core/loop.h"
#include "src/core/receive_queue.h"
#include "src/core/wait_slot.h"
#include "wdc/data_channel.h"

namespace wdc::core {

class Peer;

/// What is behind a DataChannel: its state machine, send window and receive queue over a home's ChannelBackend.
///
/// Lives as long as somebody refers to it, and until its backend is gone: it refers to itself until then, so that a
/// channel whose handle is destroyed closes in the background. Events only record and queue; user code runs from the
/// loop's pump.
class Channel final : public ChannelEvents, public LoopResident, public ListLink<Peer> {
 public:
  /// REQUIRES: valid options (validate()).
  [[nodiscard]] static ChannelReference create(Loop& loop, std::unique_ptr<ChannelBackend> backend,
                                               const FlowOptions& flow);
  [[nodiscard]] static DataChannel make_handle(ChannelReference channel) { return DataChannel(std::move(channel)); }
  /// Null: a handle without a channel.
  [[nodiscard]] static Channel* behind(const DataChannel& handle) noexcept { return handle.channel_.get(); }

  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) delete this;
  }

  /// True if the operation is decided at once; otherwise it waits in its turn after enqueue().
  [[nodiscard]] bool start_send(SendOperation& operation);
  void enqueue(SendOperation& operation) noexcept;
  /// A waiting operation is destroyed: it sends nothing.
  void abandon(SendOperation& operation) noexcept;
  Result<void> try_send(std::span<const std::byte> bytes, MessageType type);
  Result<void> try_send(Message& message);
  /// Bytes of messages that may go to the transport past here, before one that may be of any size: nothing stands
  /// before them. None: not one may. Not of a framed channel: see Framing.
  [[nodiscard]] std::optional<std::uint64_t> room_elsewhere();
  /// So many have gone. Before anything else is asked or sent here.
  void send_elsewhere(std::uint64_t messages, std::uint64_t bytes) noexcept;

  [[nodiscard]] bool claim_consumer() noexcept { return !std::exchange(has_consumer_, true); }
  void release_consumer() noexcept;
  [[nodiscard]] bool has_consumer() const noexcept { return has_consumer_; }
  [[nodiscard]] bool can_read() const noexcept {
    return ended_ || (framing_ ? framing_->can_read() : !received_.empty());
  }
  [[nodiscard]] std::optional<Message> read() noexcept;
  /// Bytes of the largest message that a reader which waits would be given at once; 0: none would, or the channel
  /// speaks framed mode.
  [[nodiscard]] std::uint64_t direct_limit() noexcept {
    const bool waits =
        !ended_ && !framing_ && !flow_.discard_received && received_.empty() && reader_.waiting() != nullptr;
    return waits ? flow_.receive_queue_bytes : 0;
  }
  /// Null unless the channel speaks framed mode.
  [[nodiscard]] framed::Framing* framing() noexcept { return framing_.get(); }
  [[nodiscard]] const framed::Framing* framing() const noexcept { return framing_.get(); }
  [[nodiscard]] WaitSlot& reader() noexcept { return reader_; }
  /// Nothing while messages can still come.
  [[nodiscard]] Result<void> read_end() const;

  void wait_open(detail::WaitNode& node) noexcept { openers_.push_back(node); }
  void wait_closed(detail::WaitNode& node) noexcept { closers_.push_back(node); }
  void close(std::optional<std::chrono::milliseconds> timeout);
  void abort();
  /// What the home or the connection found out: the channel ends now with `error`, whatever its backend says later.
  /// Unread messages stay readable.
  void fail(Error error);
  void handle_gone() noexcept;
  /// Whether the home's channel may go to somebody else: nothing of it is here or on its way. Errors: closed,
  /// invalid_state, wrong_thread.
  [[nodiscard]] Result<void> can_let_go() const;
  /// REQUIRES: can_let_go().
  [[nodiscard]] ChannelBackend& backend() noexcept { return *backend_; }
  /// Drops the home's channel and ends. REQUIRES: can_let_go().
  void let_go() noexcept;
  void on_loop_closed() noexcept override;

  [[nodiscard]] bool on_owning_thread() const noexcept { return loop_ == nullptr || loop_->on_owning_thread(); }
  [[nodiscard]] ReadyState state() const noexcept { return state_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// Why nothing can be sent; REQUIRES: state() is not open.
  [[nodiscard]] Error refusal() const;
  [[nodiscard]] Result<void> close_reason() const;
  [[nodiscard]] Result<void> close_result() const;
  [[nodiscard]] const ChannelInfo& info() const noexcept { return info_; }
  [[nodiscard]] std::optional<std::uint16_t> id() const { return backend_ ? backend_->id() : id_; }
  [[nodiscard]] std::uint64_t buffered_amount() const {
    return backend_ ? backend_->buffered_amount() + (framing_ ? framing_->pending_bytes() : 0) : 0;
  }
  [[nodiscard]] std::uint64_t max_message_size() const {
    if (framing_) return framing_->session().max_message_size();
    return backend_ ? backend_->max_message_size() : max_message_size_;
  }
  [[nodiscard]] DataChannelStats stats() const noexcept;

 private:
  friend class framed::Framing;
  Channel(Loop& loop, std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow);
  ~Channel() = default;

  void on_open() override;
  void on_message(Message&& message) override;
  void on_buffered_amount_low() override;
  void on_stalled() override;
  void on_closing() override;
  void on_closed(std::optional<Error> error) override;

  [[nodiscard]] Result<void> check_send(std::size_t size);
  [[nodiscard]] bool window_open();
  /// The same, without what is allowed once.
  [[nodiscard]] bool below_high_water_mark();
  [[nodiscard]] Result<void> hand_over(SendOperation& operation);
  [[nodiscard]] Result<void> account(std::size_t size, Result<void> result) noexcept;
  void send_waiting();
  void settle(SendOperation& operation, Result<void> result) noexcept;
  void fail_waiting_sends(const Error& error);
  void close_backend_when_sent();

  friend class ChannelEvents;
  void take_directly(Message&& message);
  [[nodiscard]] bool admit(Message& message);
  [[nodiscard]] bool fits(std::size_t size) const noexcept;
  [[nodiscard]] bool make_room(std::size_t size);
  void count_dropped(std::size_t size) noexcept;
  void drop_unread_if_unwanted() noexcept;

  void end(std::optional<Error> error);
  void wake_all(detail::WaitList& waiters) noexcept;
  void drop_backend() noexcept;
  void clean_up() noexcept;

  struct Cleanup : detail::WaitNode {
    Channel* channel = nullptr;
  };
  struct CloseTimer : detail::TimerNode {
    Channel* channel = nullptr;
    std::chrono::milliseconds timeout{0};
  };

  Loop* loop_;  // null once the loop is gone
  std::unique_ptr<ChannelBackend> backend_;
  const ChannelInfo info_;
  const FlowOptions flow_;
  std::size_t references_ = 0;
  ChannelReference itself_;  // until the backend is gone
  Cleanup cleanup_;

  ReadyState state_;
  bool ended_ = false;
  bool handle_gone_ = false;
  std::optional<Error> error_;  // why it ended; none: cleanly
  std::optional<std::uint16_t> id_;
  detail::WaitList openers_;
  detail::WaitList closers_;
  CloseTimer close_timer_;
  bool closing_here_ = false;     // close() was called
  bool backend_closing_ = false;  // and passed on
  bool sends_lost_ = false;       // some that waited when close() was called could not be sent

  std::uint64_t max_message_size_ = 0;   // 0: not known
  std::uint64_t buffered_estimate_ = 0;  // never below what the backend has buffered
  bool backend_full_ = false;            // it said would_block
  bool one_more_ = false;                // may go whatever the estimate says
  detail::WaitList waiting_sends_;
  std::size_t waiting_count_ = 0;

  ReceiveQueue received_;
  WaitSlot reader_;
  bool has_consumer_ = false;
  DataChannelStats stats_;
  framed::FramingPointer framing_;
};

/// A handle over a home's channel. Errors: invalid_argument (flow options), unsupported (framed mode on a channel that
/// is unordered or unreliable, without batches_only).
[[nodiscard]] Result<DataChannel> make_channel(Loop& loop, std::unique_ptr<ChannelBackend> backend,
                                               const FlowOptions& flow);

}  // namespace wdc::core

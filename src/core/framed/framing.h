// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "src/core/framed/session.h"
#include "src/core/loop.h"
#include "wdc/data_channel.h"
#include "wdc/incoming_message.h"

namespace wdc::core {
class Channel;
}

namespace wdc::core::framed {

/// What a channel has more if it speaks framed mode: a Session between the operations above and the home's channel
/// below. Data goes whenever drive() finds the transport's window open; control, and what a turn has collected, at the
/// turn's end.
class Framing final : private SenderEvents, private ReceiverEvents, private TurnNode {
 public:
  /// Null if the channel's protocol does not name framed mode.
  [[nodiscard]] static std::unique_ptr<Framing> create(Channel& channel);
  explicit Framing(Channel& channel, Session::Mode mode);
  ~Framing();

  // Sending, as Channel does it.
  [[nodiscard]] bool start_send(SendOperation& operation);
  void enqueue(SendOperation& operation) noexcept;
  void abandon(SendOperation& operation) noexcept;
  [[nodiscard]] Result<void> try_send(std::span<const std::byte> bytes, MessageType type);
  [[nodiscard]] Result<void> try_send(Message& message);
  void source_ready(SendOperation& operation) noexcept;
  /// Sender::lend(), while more is collected for the turn's end.
  [[nodiscard]] FrameRoom lend() const noexcept;
  /// Sender::append_lent().
  void append_lent(std::span<const std::uint32_t> sizes) noexcept;
  /// Sender::room_elsewhere(), as long as the transport's buffer counts as empty.
  [[nodiscard]] std::uint64_t send_room_elsewhere();
  /// Sender::send_elsewhere(). The last one's turn goes on.
  void send_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) noexcept;
  [[nodiscard]] bool start_flush(FlushOperation& operation);
  void enqueue(FlushOperation& operation) noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept { return session_.sender().scheduler().count(); }
  [[nodiscard]] std::uint64_t pending_bytes() const noexcept { return session_.sender().frame_bytes(); }

  // Receiving.
  enum class Reader : std::uint8_t { none, messages, starts };
  void set_reader(Reader reader);
  [[nodiscard]] bool can_read() noexcept;
  [[nodiscard]] std::optional<Message> read();
  /// Receiver::next_batch().
  [[nodiscard]] ReceivedFrame* next_batch() noexcept { return session_.receiver().next_batch(); }
  /// Receiver::room_elsewhere(), if a reader of whole messages waits.
  [[nodiscard]] std::uint64_t room_elsewhere() const noexcept;
  /// What arrives begins a turn; for the messages that take_elsewhere() will tell of.
  void begin_turn() noexcept {
    if (!TurnNode::linked()) turn_open_ = false;  // nothing waits for the end of the one before
  }
  /// Receiver::take_elsewhere().
  void take_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost);
  [[nodiscard]] std::optional<IncomingMessage> read_start();
  void drop_unread();

  // A message in parts that an IncomingMessage shows.
  [[nodiscard]] static bool can_read_part(Incoming& incoming, const Channel& channel) noexcept;
  [[nodiscard]] std::optional<Message> read_part(Incoming& incoming);
  void want_whole(Incoming& incoming);
  [[nodiscard]] static bool is_over(const Incoming& incoming, const Channel& channel) noexcept;
  [[nodiscard]] Result<Message> read_whole(Incoming& incoming);
  void stop(Incoming& incoming) noexcept;
  void let_go(Incoming& incoming) noexcept;
  [[nodiscard]] Result<void> end_reason(Incoming& incoming) const;

  // What the transport reports.
  void on_open();
  void on_frame(Message&& frame);
  void on_room();

  /// Sends what waits, then FINISH; closes the home's channel when all is done.
  void close();
  /// Tells the peer that it is over, if a frame can still go.
  void say_abort(Fault fault) noexcept;
  /// What the end of the home's channel means here.
  [[nodiscard]] std::optional<Error> end_of(std::optional<Error> error) const;
  /// The channel has ended.
  void on_end(const Error& error);
  /// What came and was not read is not wanted.
  void drop_all();
  /// After a clean end that this side began.
  [[nodiscard]] Result<void> close_result() const;

  [[nodiscard]] const Session& session() const noexcept { return session_; }

 private:
  void on_outgoing_end(Outgoing& message, Result<void> result) override;
  void on_incoming_progress(Incoming& incoming) override;
  void on_messages_dropped(std::uint64_t messages, std::uint64_t bytes) override;
  void on_turn_end() override;

  [[nodiscard]] Result<void> check(std::size_t size) const;
  [[nodiscard]] Result<void> check(SendOperation& operation);
  [[nodiscard]] Result<void> accept(std::span<const std::byte> bytes, MessageType type, Priority priority);
  [[nodiscard]] Result<void> send_in_parts(std::span<const std::byte> bytes, MessageType type);
  void accepted(std::size_t size);
  void drop_oldest_beyond_limit(Priority priority);
  void settle(Outgoing& message, Result<void> result) noexcept;

  void drive(Sender::Flush flush);
  void drive_from_pump();
  [[nodiscard]] bool send_data_frame(std::span<const std::byte> frame);
  void send_control();
  [[nodiscard]] bool hand_over(std::span<const std::byte> frame);
  [[nodiscard]] bool is_idle_below();
  void want_turn_end();
  void look_at_receiver();
  void look_at_flushes();
  void close_if_done();
  void peer_finished();
  void break_with(Fault fault);
  [[nodiscard]] bool make_room(std::span<const std::byte> frame);

  struct Pump : detail::WaitNode {
    Framing* framing = nullptr;
  };

  struct Report : detail::TimerNode {
    Framing* framing = nullptr;
  };

  Channel& channel_;
  Session session_;
  Pump pump_;
  Report report_;
  std::size_t sources_ = 0;  // sends from a source
  bool in_pump_ = false;
  // Something was sent in this turn, for all that is known: more of it is collected. Nobody is asked to tell the end of
  // a turn in which nothing was: that costs a browser 10 to 20 us of CPU time.
  bool turn_open_ = false;
  bool driving_ = false;
  bool in_turn_end_ = false;
  std::uint64_t next_sequence_ = 0;
  detail::WaitList flushes_;
  Reader reader_ = Reader::none;
  bool peer_finish_seen_ = false;
};

/// Whether framed mode with these options fits the channel, if it asks for it at all. Errors: unsupported.
[[nodiscard]] Result<void> validate(const ChannelInfo& info, const FramedOptions& options);

}  // namespace wdc::core::framed

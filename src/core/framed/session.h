// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "src/core/framed/codec.h"
#include "src/core/framed/receiver.h"
#include "src/core/framed/sender.h"
#include "wdc/message.h"
#include "wdc/options.h"

namespace wdc::core::framed {

/// One end of docs/wire/framed.md: both halves, HELLO, the control frames and the end. Sans-IO: frames come in with
/// handle_frame(), and go out with poll_control() and poll_data(), each the same until the transport has taken it.
class Session {
 public:
  enum class Mode : std::uint8_t { full, batches_only };
  Session(SenderEvents& sender_events, ReceiverEvents& receiver_events, const FramedOptions& options, Mode mode);

  /// The channel is open. `max_message_size` is the transport's; 0: not known.
  void handle_open(std::uint64_t max_message_size);
  /// A fault ends the session: nothing but abort() may be called then.
  [[nodiscard]] Fault handle_frame(Message&& message);

  /// The next frame that no credit holds back; empty: none is due.
  [[nodiscard]] std::span<const std::byte> poll_control();
  void handle_control_sent() noexcept {
    control_size_ = 0;
    hello_sent_ = true;  // always the first
  }
  [[nodiscard]] bool hello_sent() const noexcept { return hello_sent_; }
  [[nodiscard]] bool control_due() noexcept;
  [[nodiscard]] std::span<const std::byte> poll_data(Sender::Flush flush) { return sender_.poll_frame(flush); }
  void handle_data_sent() noexcept { sender_.handle_sent(); }
  /// ABORT, instead of everything else. Stays until the next call.
  [[nodiscard]] std::span<const std::byte> abort(Fault fault) noexcept;

  /// No message is sent any more; FINISH goes as soon as everything has. With a receipt the end waits until it is
  /// taken.
  enum class Receipt : std::uint8_t { none, wanted };
  void finish(Receipt receipt) noexcept;
  /// Wants to hear as soon as what was sent so far is taken.
  void request_report() noexcept { report_wanted_ = mode_ == Mode::full; }

  /// The data channel may be closed: everything of both sides is where it should be. `reading`: the user of this end
  /// may still take something.
  enum class Reading : std::uint8_t { over, goes_on };
  [[nodiscard]] bool may_close(Reading reading) noexcept;

  [[nodiscard]] Sender& sender() noexcept { return sender_; }
  [[nodiscard]] const Sender& sender() const noexcept { return sender_; }
  [[nodiscard]] Receiver& receiver() noexcept { return receiver_; }
  [[nodiscard]] const Receiver& receiver() const noexcept { return receiver_; }
  /// Both ends are open, and this one knows what the other takes.
  [[nodiscard]] bool has_peer() const noexcept { return sender_.is_open(); }
  [[nodiscard]] bool peer_finished() const noexcept { return receiver_.finished(); }
  /// The peer's ABORT, once it came.
  [[nodiscard]] bool peer_aborted() const noexcept { return peer_aborted_; }
  [[nodiscard]] Fault peer_fault() const noexcept { return peer_fault_; }
  [[nodiscard]] bool batches_only() const noexcept { return mode_ == Mode::batches_only; }
  /// What was sent was taken, all of it.
  [[nodiscard]] bool all_delivered() const noexcept {
    return sender_.drained() && sender_.acknowledged() && !sender_.some_unread();
  }
  /// Bytes of the largest message from memory; 0: not known yet.
  [[nodiscard]] std::uint64_t max_message_size() const noexcept;

 private:
  [[nodiscard]] Fault handle_hello(std::span<const std::byte> frame);
  [[nodiscard]] Fault handle_control(std::span<const std::byte> frame);
  [[nodiscard]] Fault handle_record(const Record& record);
  void open_sender();
  [[nodiscard]] bool finish_due() const noexcept;

  static constexpr std::size_t kControlRoom = 1'024;

  const FramedOptions options_;
  const Mode mode_;
  Sender sender_;
  Receiver receiver_;
  std::uint64_t transport_max_ = 0;
  bool opened_ = false;
  std::optional<Hello> peer_;  // may come before this end is open
  bool hello_due_ = false;
  bool hello_sent_ = false;
  bool report_wanted_ = false;
  bool finish_wanted_ = false;
  bool finish_sent_ = false;
  Receipt receipt_ = Receipt::none;
  bool peer_wants_receipt_ = false;
  bool peer_aborted_ = false;
  Fault peer_fault_ = Fault::none;
  std::array<std::byte, kControlRoom> control_;
  std::size_t control_size_ = 0;  // of a frame that was not taken yet
};

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#include "src/core/framed/session.h"

#include <algorithm>
#include <utility>

namespace wdc::core::framed {

namespace {

/// RFC 8841 section 6.1: what a peer takes that says nothing.
constexpr std::uint64_t kDefaultTransportMessage = 65'536;
/// The largest message that goes in one piece: what Chromium takes at most.
constexpr std::uint64_t kLargestPiece = 262'144;
/// One packet's worth: where a lost packet loses its frame, and nothing else should.
constexpr std::size_t kPacketFrame = 1'100;

}  // namespace

Session::Session(SenderEvents& sender_events, ReceiverEvents& receiver_events, const FramedOptions& options, Mode mode)
    : options_(options),
      mode_(mode),
      sender_(sender_events),
      receiver_(receiver_events, options, mode == Mode::full ? Receiver::Credit::counted : Receiver::Credit::none) {}

void Session::handle_open(std::uint64_t max_message_size) {
  if (std::exchange(opened_, true)) return;
  transport_max_ = max_message_size == 0 ? kDefaultTransportMessage : max_message_size;
  if (mode_ == Mode::full) {
    hello_due_ = true;
    if (peer_) open_sender();
    return;
  }
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
  const auto largest = static_cast<std::size_t>(std::min(transport_max_, kLargest));
  const std::size_t target =
      options_.frame_size == FramedOptions::kDefaultFrameSize ? kPacketFrame : options_.frame_size;
  sender_.open_batches_only(target, largest);
}

std::uint64_t Session::max_message_size() const noexcept {
  if (!has_peer()) return 0;
  if (mode_ == Mode::full) return sender_.peer().max_message_size;
  const std::uint64_t head = FrameBuffer::alone(0) + 4;
  return transport_max_ - std::min(transport_max_, head);
}

// What comes in.

Fault Session::handle_frame(Message&& message) {
  if (message.is_text()) return Fault::text_frame;
  const auto bytes = message.bytes();
  const auto kind = kind_of(bytes);
  if (!kind) return Fault::unknown_frame;
  if (mode_ == Mode::batches_only) {
    if (*kind != FrameKind::batch) return Fault::unknown_frame;
    return receiver_.handle_batch(receiver_.frames().make(std::move(message)));
  }
  if (bytes.size() > receiver_.hello().max_frame) return Fault::frame_too_large;
  if (!peer_) return *kind == FrameKind::hello ? handle_hello(bytes) : Fault::hello_missing;
  switch (*kind) {
    case FrameKind::hello:
      return Fault::hello_repeated;
    case FrameKind::control:
      return handle_control(bytes);
    case FrameKind::batch:
      return receiver_.handle_batch(receiver_.frames().make(std::move(message)));
    case FrameKind::part:
      return receiver_.handle_part(receiver_.frames().make(std::move(message)));
  }
  return Fault::unknown_frame;
}

Fault Session::handle_hello(std::span<const std::byte> frame) {
  peer_ = parse_hello(frame);
  if (!peer_) return Fault::hello_invalid;
  if (opened_) open_sender();
  return Fault::none;
}

void Session::open_sender() {
  const auto limit =
      std::max<std::uint64_t>(kSmallestFrame, std::min<std::uint64_t>(options_.frame_size, transport_max_));
  const bool is_default = options_.frame_size == FramedOptions::kDefaultFrameSize;
  const auto largest = is_default ? std::max(limit, std::min(kLargestPiece, transport_max_)) : limit;
  sender_.open(*peer_, static_cast<std::size_t>(limit), static_cast<std::size_t>(largest));
}

Fault Session::handle_control(std::span<const std::byte> frame) {
  Reader reader(frame.subspan(1));
  do {
    const auto record = reader.rest().empty() ? std::nullopt : read_record(reader);
    if (!record) return Fault::control_malformed;
    if (const Fault fault = handle_record(*record); fault != Fault::none) return fault;
  } while (!reader.rest().empty());
  return Fault::none;
}

Fault Session::handle_record(const Record& record) {
  const auto [first, second, third] = record.numbers;
  switch (record.kind) {
    case RecordKind::credit:
      return sender_.handle_credit(first, second, third);
    case RecordKind::message_credit:
      return sender_.handle_message_credit(first, second, third);
    case RecordKind::cancel:
      return receiver_.handle_cancel(first);
    case RecordKind::stop:
      return sender_.handle_stop(first, second, third);
    case RecordKind::release:
      return sender_.handle_release(first, second);
    case RecordKind::sync:
      return receiver_.handle_sync(first);
    case RecordKind::finish:
      if (third > 1) return Fault::control_impossible;
      peer_wants_receipt_ = third == 1;
      return receiver_.handle_finish(first, second);
    case RecordKind::abort:
      peer_aborted_ = true;
      peer_fault_ =
          first <= static_cast<std::uint64_t>(Fault::after_finish) ? static_cast<Fault>(first) : Fault::unknown_frame;
      return Fault::none;
  }
  return Fault::control_malformed;
}

// What goes out.

bool Session::finish_due() const noexcept {
  return finish_wanted_ && !finish_sent_ && has_peer() && sender_.drained() && !sender_.cancels_due();
}

bool Session::control_due() noexcept {
  if (control_size_ > 0 || hello_due_) return true;
  if (!has_peer() || mode_ == Mode::batches_only) return false;
  return receiver_.records_due() || sender_.cancels_due() || report_wanted_ || finish_due();
}

std::span<const std::byte> Session::poll_control() {
  if (control_size_ > 0) return {control_.data(), control_size_};
  if (!control_due()) return {};
  if (std::exchange(hello_due_, false)) {
    control_size_ = encode(receiver_.hello(), std::span(control_).first<kLongestHello>());
    return {control_.data(), control_size_};
  }
  Writer writer(control_);
  writer.byte(static_cast<std::uint8_t>(FrameKind::control));
  const std::size_t empty = writer.size();
  bool more = receiver_.poll_records(writer);
  more = sender_.poll_cancels(writer) || more;
  if (!more && report_wanted_ && writer.left() >= kLongestRecord) {
    report_wanted_ = false;
    encode(Record{RecordKind::sync, {sender_.messages_sent()}}, writer);
  }
  if (!more && finish_due() && writer.left() >= kLongestRecord) {
    finish_sent_ = true;
    const std::uint64_t receipt = receipt_ == Receipt::wanted ? 1 : 0;
    encode(Record{RecordKind::finish, {sender_.messages_sent(), sender_.parts_begun(), receipt}}, writer);
  }
  if (writer.size() == empty) return {};
  control_size_ = writer.size();
  return {control_.data(), control_size_};
}

std::span<const std::byte> Session::abort(Fault fault) noexcept {
  Writer writer(control_);
  writer.byte(static_cast<std::uint8_t>(FrameKind::control));
  encode(Record{RecordKind::abort, {static_cast<std::uint64_t>(fault)}}, writer);
  control_size_ = writer.size();
  return {control_.data(), std::exchange(control_size_, 0)};
}

// The end.

void Session::finish(Receipt receipt) noexcept {
  finish_wanted_ = true;
  if (!finish_sent_ && receipt == Receipt::wanted) receipt_ = receipt;
}

bool Session::may_close(Reading reading) noexcept {
  if (mode_ == Mode::batches_only) return finish_wanted_ && sender_.drained();
  if (!finish_sent_ || !receiver_.finished() || control_due()) return false;
  if (receipt_ == Receipt::wanted && !sender_.acknowledged()) return false;
  return !peer_wants_receipt_ || receiver_.all_taken() || reading == Reading::over;
}

}  // namespace wdc::core::framed

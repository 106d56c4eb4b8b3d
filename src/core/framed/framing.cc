// SPDX-License-Identifier: MIT
#include "src/core/framed/framing.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "src/core/channel.h"
#include "src/core/utf8.h"

namespace wdc::core::framed {

namespace {

/// So long what was taken of messages in parts may be unknown to their sender, whose user may look at delivery().
constexpr std::chrono::milliseconds kReportAfter{100};

bool is_reliable(const ChannelInfo& info) noexcept {
  return info.ordered && !info.max_retransmits && !info.max_packet_life_time;
}

}  // namespace

Result<void> validate(const ChannelInfo& info, const FramedOptions& options) {
  if (!is_framed(info.protocol) || is_reliable(info) || options.batches_only) return {};
  return wdc::fail(Errc::unsupported,
                   "on an unordered or unreliable channel framed mode has batches only: set framed.batches_only");
}

std::unique_ptr<Framing> Framing::create(Channel& channel) {
  const ChannelInfo& info = channel.info();
  if (!is_framed(info.protocol)) return nullptr;
  return std::make_unique<Framing>(channel, is_reliable(info) ? Session::Mode::full : Session::Mode::batches_only);
}

Framing::Framing(Channel& channel, Session::Mode mode)
    : channel_(channel), session_(*this, *this, channel.flow_.framed, mode) {
  pump_.framing = this;
  report_.framing = this;
  report_.fire = [](detail::TimerNode& node) {
    Framing& framing = *static_cast<Report&>(node).framing;
    framing.session_.receiver().tell();
    framing.look_at_receiver();
  };
  pump_.resume = [](detail::WaitNode& node) { static_cast<Pump&>(node).framing->drive_from_pump(); };
  if (channel.flow_.discard_received) session_.receiver().set_wanted(Incoming::Wanted::not_at_all);
}

Framing::~Framing() = default;

// Sending.

Result<void> Framing::check(std::size_t size) const {
  if (!channel_.on_owning_thread()) [[unlikely]]
    return wdc::fail(Errc::wrong_thread);
  if (channel_.state_ != ReadyState::open) [[unlikely]]
    return std::unexpected(channel_.refusal());
  const std::uint64_t limit = session_.max_message_size();
  if (size > limit && session_.has_peer()) return wdc::fail(Errc::message_too_large, size, limit);
  return {};
}

Result<void> Framing::check(SendOperation& operation) {
  Outgoing& message = operation.waiter_;
  if (message.source != nullptr) {
    if (auto allowed = check(0); !allowed) return allowed;
    if (session_.batches_only()) return wdc::fail(Errc::unsupported, "this channel has no messages in parts");
    if (message.source->user_ != nullptr) return wdc::fail(Errc::invalid_argument, "the source is in use");
    return {};
  }
  const std::size_t size = operation.owns_message_ ? operation.message_.size() : operation.bytes_.size();
  if (auto allowed = check(size); !allowed) return allowed;
  if (operation.owns_message_) {
    operation.bytes_ = operation.message_.bytes();
    operation.type_ = operation.message_.type();
    if (operation.bytes_.size() != size) return wdc::fail(Errc::out_of_memory);
  }
  if (operation.type_ == MessageType::text && !is_utf8(operation.bytes_))
    return wdc::fail(Errc::invalid_argument, "the text is not UTF-8");
  return {};
}

bool Framing::start_send(SendOperation& operation) {
  if (operation.options_.deadline && operation.options_.deadline->count() < 1) {
    operation.result_ = wdc::fail(Errc::invalid_argument, "a deadline is at least 1 ms");
    return true;
  }
  auto result = check(operation);
  if (result && operation.waiter_.source == nullptr) {
    result = accept(operation.bytes_, operation.type_, operation.options_.priority);
    if (!result && result.error().code() == Errc::would_block) {
      const bool replaces = operation.options_.key &&
                            session_.sender().scheduler().find(operation.options_.priority, *operation.options_.key);
      if (replaces || waiting() < channel_.flow_.send_queue_operations ||
          channel_.flow_.framed.send_overflow == SendOverflow::drop_oldest)
        return false;
      result = wdc::fail(Errc::send_queue_full, waiting(), channel_.flow_.send_queue_operations);
    }
  } else if (result) {
    if (waiting() < channel_.flow_.send_queue_operations) return false;
    result = wdc::fail(Errc::send_queue_full, waiting(), channel_.flow_.send_queue_operations);
  }
  operation.result_ = std::move(result);
  return true;
}

/// The short way: the message goes into a frame at once, or would_block.
Result<void> Framing::accept(std::span<const std::byte> bytes, MessageType type, Priority priority) {
  Sender& sender = session_.sender();
  auto appended = sender.append(bytes, type, priority);
  if (appended == Sender::Append::full) {
    drive(Sender::Flush::everything);
    appended = sender.append(bytes, type, priority);
  }
  if (appended != Sender::Append::done) {
    if (channel_.ended_) return std::unexpected(channel_.refusal());
    return wdc::fail(Errc::would_block);
  }
  accepted(bytes.size());
  const bool first = !std::exchange(turn_open_, true);
  if (first && is_idle_below())
    drive(Sender::Flush::everything);  // asks for the turn's end if something is left
  else
    want_turn_end();
  return {};
}

void Framing::accepted(std::size_t size) {
  ++channel_.stats_.messages_sent;
  channel_.stats_.bytes_sent += size;
}

void Framing::enqueue(SendOperation& operation) noexcept {
  Outgoing& message = operation.waiter_;
  message.bytes = operation.bytes_;
  message.type = operation.type_;
  message.priority = operation.options_.priority;
  message.key = operation.options_.key;
  message.size = message.bytes.size();
  message.in_memory = true;
  message.sequence = next_sequence_++;
  message.offset = 0;
  if (message.source != nullptr) {
    message.size = message.source->size().value_or(Outgoing::kUnknownSize);
    if (message.size > kLargestNumber) message.size = Outgoing::kUnknownSize;
    message.in_memory = message.source->in_memory();
    message.source->user_ = &operation;
    ++sources_;
  }
  operation.counted_ = true;
  ++channel_.stats_.send_waits;
  if (operation.options_.deadline) {
    operation.deadline_.operation = &operation;
    operation.deadline_.fire = [](detail::TimerNode& node) {
      SendOperation& late = *static_cast<SendOperation::Deadline&>(node).operation;
      Framing& framing = *late.waiter_.channel->framing_;
      framing.session_.sender().withdraw(late.waiter_);
      framing.settle(late.waiter_, wdc::fail(Errc::timed_out, "not sent by its deadline"));
      framing.want_turn_end();
    };
    channel_.loop_->arm(operation.deadline_, detail::saturated(*operation.options_.deadline));
  }
  Scheduler& scheduler = session_.sender().scheduler();
  if (Outgoing* const old = message.key ? scheduler.find(message.priority, *message.key) : nullptr) {
    session_.sender().replace(*old, message);
    settle(*old, wdc::fail(Errc::superseded));
  } else {
    drop_oldest_beyond_limit(message.priority);
    session_.sender().enqueue(message);
  }
  drive(Sender::Flush::full_frames);
  want_turn_end();
}

void Framing::drop_oldest_beyond_limit(Priority priority) {
  if (waiting() < channel_.flow_.send_queue_operations) return;
  Outgoing* const oldest = session_.sender().scheduler().oldest(priority);
  if (oldest == nullptr) return;
  session_.sender().withdraw(*oldest);
  settle(*oldest, wdc::fail(Errc::superseded));
}

void Framing::abandon(SendOperation& operation) noexcept {
  operation.counted_ = false;
  operation.deadline_.cancel();
  session_.sender().withdraw(operation.waiter_);
  if (operation.waiter_.source != nullptr) {
    operation.waiter_.source->user_ = nullptr;
    --sources_;
  }
  want_turn_end();
}

void Framing::on_outgoing_end(Outgoing& message, Result<void> result) {
  if (result) accepted(message.source == nullptr ? message.bytes.size() : static_cast<std::size_t>(message.offset));
  if (message.operation != nullptr) settle(message, std::move(result));
}

void Framing::settle(Outgoing& message, Result<void> result) noexcept {
  SendOperation& operation = *message.operation;
  operation.counted_ = false;
  operation.deadline_.cancel();
  if (message.source != nullptr) {
    message.source->user_ = nullptr;
    --sources_;
  }
  operation.result_ = std::move(result);
  if (channel_.loop_ != nullptr) channel_.loop_->make_ready(message);
}

Result<void> Framing::try_send(std::span<const std::byte> bytes, MessageType type) {
  if (auto allowed = check(bytes.size()); !allowed) return allowed;
  if (type == MessageType::text && !is_utf8(bytes)) return wdc::fail(Errc::invalid_argument, "the text is not UTF-8");
  if (session_.has_peer() && !session_.sender().size_in_batch(bytes.size())) return send_in_parts(bytes, type);
  return accept(bytes, type, Priority::low);
}

Result<void> Framing::try_send(Message& message) {
  const auto bytes = message.bytes();
  if (bytes.size() != message.size()) return wdc::fail(Errc::out_of_memory);
  auto result = try_send(bytes, message.type());
  if (result) message = Message();
  return result;
}

FrameRoom Framing::lend() const noexcept {
  if (channel_.state_ != ReadyState::open || !turn_open_ || !TurnNode::linked()) return {};
  auto room = session_.sender().lend();
  room.largest = static_cast<std::size_t>(std::min<std::uint64_t>(room.largest, session_.max_message_size()));
  return room;
}

void Framing::append_lent(std::span<const std::uint32_t> sizes) noexcept {
  session_.sender().append_lent(sizes);
  for (const std::uint32_t size : sizes) accepted(size);
}

std::uint64_t Framing::send_room_elsewhere() {
  if (channel_.state_ != ReadyState::open || TurnNode::linked() || !is_idle_below()) return 0;
  return std::min(session_.sender().room_elsewhere(), channel_.flow_.send_low_water_mark - channel_.buffered_estimate_);
}

void Framing::send_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) noexcept {
  turn_open_ = true;
  channel_.stats_.frames_sent += messages;
  channel_.stats_.messages_sent += messages;
  channel_.stats_.bytes_sent += bytes;
  channel_.buffered_estimate_ += cost;
  session_.sender().send_elsewhere(messages, bytes, cost);
}

/// Without a place to wait: all parts go now, or none.
Result<void> Framing::send_in_parts(std::span<const std::byte> bytes, MessageType type) {
  Sender& sender = session_.sender();
  if (!sender.scheduler().empty() || !channel_.window_open()) return wdc::fail(Errc::would_block);
  const std::uint64_t window = sender.peer().message_window;
  const std::uint64_t frame = std::min<std::uint64_t>(channel_.flow_.framed.frame_size, window / 2) - kLongestPartHead;
  const std::uint64_t cost = bytes.size() + (bytes.size() / frame + 2) * (kFrameCost + kLongestPartHead);
  if (cost > window)
    return wdc::fail(Errc::message_too_large, bytes.size(), window,
                     "bytes at once: a send() that waits has no such limit");
  Outgoing message;
  message.bytes = bytes;
  message.type = type;
  message.size = bytes.size();
  sender.enqueue(message);
  while (message.linked()) {
    const auto part = session_.poll_data(Sender::Flush::everything);
    if (part.empty() || !hand_over(part)) break;
    session_.handle_data_sent();
  }
  want_turn_end();
  if (!message.linked()) return {};
  sender.take_back(message);
  if (channel_.ended_) return std::unexpected(channel_.refusal());
  return wdc::fail(Errc::would_block);
}

void Framing::source_ready(SendOperation& operation) noexcept {
  session_.sender().resume(operation.waiter_);
  drive(Sender::Flush::full_frames);
}

// The way out.

/// Hands everything over that can go now. After every change of what could.
void Framing::drive(Sender::Flush flush) {
  if (channel_.ended_ || driving_) return;
  if (sources_ > 0 && !in_pump_) {
    if (!pump_.linked()) channel_.loop_->make_ready(pump_);
    return;
  }
  driving_ = true;
  while (!channel_.ended_ && channel_.window_open()) {
    const auto frame = session_.poll_data(flush);
    if (frame.empty() || !send_data_frame(frame)) break;
  }
  driving_ = false;
  if (channel_.ended_) return;
  look_at_flushes();
  // What is left in a frame goes at the turn's end at the latest, or when the transport's buffer has fallen.
  if (!in_turn_end_ && (session_.control_due() || session_.sender().frame_waits())) want_turn_end();
}

void Framing::drive_from_pump() {
  const ChannelReference keep(&channel_);  // a source's user may drop everything else
  in_pump_ = true;
  drive(is_idle_below() ? Sender::Flush::everything : Sender::Flush::full_frames);
  in_pump_ = false;
}

bool Framing::send_data_frame(std::span<const std::byte> frame) {
  if (!hand_over(frame)) return false;
  session_.handle_data_sent();
  return true;
}

/// False: not now. What the transport cannot take at all breaks the channel.
bool Framing::hand_over(std::span<const std::byte> frame) {
  if (channel_.backend_full_) return false;
  auto sent = channel_.backend_->send(frame, MessageType::binary);
  if (sent) {
    channel_.buffered_estimate_ += frame.size();
    ++channel_.stats_.frames_sent;
    return true;
  }
  if (sent.error().code() == Errc::would_block) {
    channel_.backend_full_ = true;
    channel_.buffered_estimate_ = channel_.backend_->buffered_amount();  // the home watches what was looked at
  } else if (sent.error().code() == Errc::closed) {
    return false;  // the channel is closing below; on_closed says how it ended
  } else {
    channel_.fail(std::move(sent.error()));
  }
  return false;
}

void Framing::send_control() {
  while (!channel_.ended_) {
    const auto frame = session_.poll_control();
    if (frame.empty() || !hand_over(frame)) return;
    session_.handle_control_sent();
  }
}

/// Nothing worth waiting for is in the transport's buffer.
bool Framing::is_idle_below() {
  if (channel_.ended_ || channel_.backend_full_) return false;
  const std::uint64_t mark = channel_.flow_.send_low_water_mark;
  if (channel_.buffered_estimate_ <= mark) return true;
  channel_.buffered_estimate_ = channel_.backend_->buffered_amount();
  return channel_.buffered_estimate_ <= mark;
}

void Framing::want_turn_end() {
  if (!channel_.ended_ && channel_.loop_ != nullptr) channel_.loop_->at_turn_end(*this);
}

/// What the user has taken may be due at once; at the latest the peer hears of it after kReportAfter.
void Framing::look_at_receiver() {
  if (session_.control_due() || channel_.state_ == ReadyState::closing) want_turn_end();
  if (session_.receiver().has_untold() && !report_.armed() && !channel_.ended_ && channel_.loop_ != nullptr)
    channel_.loop_->arm(report_, kReportAfter);
}

void Framing::on_turn_end() {
  turn_open_ = false;
  if (channel_.ended_) return;
  const ChannelReference keep(&channel_);
  in_turn_end_ = true;
  drive(is_idle_below() ? Sender::Flush::everything : Sender::Flush::full_frames);
  in_turn_end_ = false;
  send_control();
  close_if_done();
}

void Framing::on_room() {
  if (!session_.hello_sent()) send_control();  // nothing may go before it
  drive(is_idle_below() ? Sender::Flush::everything : Sender::Flush::full_frames);
  if (session_.control_due()) send_control();
  close_if_done();
}

// Flushing.

bool Framing::start_flush(FlushOperation& operation) {
  if (channel_.state_ == ReadyState::connecting) {
    operation.result_ = wdc::fail(Errc::not_open);
  } else if (operation.goal_ == FlushTo::peer && session_.batches_only()) {
    operation.result_ = wdc::fail(Errc::unsupported, "this channel has no acknowledgements");
  } else if (channel_.ended_) {
    operation.result_ = session_.all_delivered() ? Result<void>() : std::unexpected(channel_.refusal());
  } else {
    return false;
  }
  return true;
}

void Framing::enqueue(FlushOperation& operation) noexcept {
  operation.sequence_ = next_sequence_;
  flushes_.push_back(operation.waiter_);
  if (channel_.window_open()) drive(Sender::Flush::everything);
  look_at_flushes();
  if (session_.control_due()) want_turn_end();
}

void Framing::look_at_flushes() {
  Sender& sender = session_.sender();
  for (auto* node = flushes_.front(); node != nullptr;) {
    auto* const next = flushes_.after(*node);
    FlushOperation& flush = *static_cast<FlushOperation::Waiter*>(node)->operation;
    if (!flush.in_frames_ && sender.scheduler().lowest_sequence(next_sequence_) >= flush.sequence_) {
      flush.in_frames_ = true;
      flush.messages_ = sender.messages_appended();
      flush.parts_ = sender.parts_begun();
    }
    const bool sent = flush.in_frames_ && sender.messages_sent() >= flush.messages_ && !sender.part_waits();
    bool done = sent;
    if (sent && flush.goal_ == FlushTo::peer) {
      done = sender.messages_taken() >= flush.messages_ && sender.lowest_unreleased() >= flush.parts_;
      if (!done && flush.sequence_ != Outgoing::kUnknownSize) {
        session_.request_report();
        flush.sequence_ = Outgoing::kUnknownSize;  // was asked for
      }
    }
    if (done) channel_.loop_->make_ready(*node);
    node = next;
  }
}

// The way in.

void Framing::on_open() {
  session_.handle_open(channel_.backend_->max_message_size());
  send_control();
}

void Framing::on_frame(Message&& frame) {
  begin_turn();
  ++channel_.stats_.frames_received;
  const std::uint64_t before = session_.receiver().messages_received();
  const std::size_t size = frame.size();
  if (frame.bytes().size() != size) return channel_.fail(Error(Errc::out_of_memory));
  if (session_.batches_only() && !make_room(frame.bytes())) return;
  const bool had_peer = session_.has_peer();
  const Fault fault = session_.handle_frame(std::move(frame));
  if (fault != Fault::none) return break_with(fault);
  if (session_.peer_aborted()) {
    Error error(Errc::aborted, "the other side aborted the channel");
    if (session_.peer_fault() != Fault::none)
      error = Error(Errc::protocol_error, "the other side found: " + std::string(name(session_.peer_fault())));
    return channel_.fail(std::move(error));
  }
  channel_.stats_.messages_received += session_.receiver().messages_received() - before;
  if (session_.peer_finished() && !std::exchange(peer_finish_seen_, true)) peer_finished();
  if (can_read()) channel_.reader_.wake(*channel_.loop_);
  // What this may have set free. Control goes at the turn's end, with that of other frames.
  if (!had_peer || waiting() > 0 || !flushes_.empty()) drive(Sender::Flush::full_frames);
  if (channel_.closing_here_ || peer_finish_seen_ || !had_peer) want_turn_end();
  look_at_receiver();
}

/// Without credit the bounds of a plain channel count; a frame is kept or thrown away as a whole.
bool Framing::make_room(std::span<const std::byte> frame) {
  const std::size_t size = frame.size();
  Receiver& receiver = session_.receiver();
  const FlowOptions& flow = channel_.flow_;
  const auto fits = [&] {
    return receiver.unread_cost() + size <= flow.receive_queue_bytes &&
           receiver.messages_unread() < flow.receive_queue_messages;
  };
  if (flow.receive_overflow == ReceiveOverflow::drop_oldest && size <= flow.receive_queue_bytes)
    while (!fits() && receiver.drop_oldest()) {
    }
  if (fits()) return true;
  if (flow.receive_overflow == ReceiveOverflow::close_with_error) {
    channel_.fail(Error(Errc::receive_overflow, receiver.unread_cost() + size, flow.receive_queue_bytes, "bytes"));
    return false;
  }
  const auto batch = BatchCursor::parse(frame);
  if (!batch) return true;  // a fault, full or not
  channel_.stats_.messages_received += batch->messages_left();
  on_messages_dropped(batch->messages_left(), batch->bytes_left());
  return false;
}

void Framing::break_with(Fault fault) {
  say_abort(fault);
  channel_.fail(Error(Errc::protocol_error, std::string(name(fault))));
}

void Framing::on_incoming_progress(Incoming& incoming) {
  if (incoming.wanted == Incoming::Wanted::whole && !is_over(incoming, channel_)) return;  // only its end matters
  if (incoming.is_beginning()) return;
  while (auto* node = incoming.waiters.front()) channel_.loop_->make_ready(*node);
}

void Framing::on_messages_dropped(std::uint64_t messages, std::uint64_t bytes) {
  channel_.stats_.messages_dropped += messages;
  channel_.stats_.bytes_dropped += bytes;
}

void Framing::set_reader(Reader reader) {
  if (reader == reader_ || channel_.flow_.discard_received) return;
  reader_ = reader;
  if (channel_.ended_) return;
  if (reader == Reader::messages) session_.receiver().set_wanted(Incoming::Wanted::whole);
  if (reader == Reader::starts) session_.receiver().set_wanted(Incoming::Wanted::in_parts);
  if (session_.control_due()) want_turn_end();
}

bool Framing::can_read() noexcept {
  return reader_ == Reader::starts ? session_.receiver().can_read_start() : session_.receiver().can_read_whole();
}

// Inlined, it would be in the way of every plain message, and make a module 0.5 to 0.8 KB larger.
[[gnu::noinline]] std::optional<Message> Framing::read() {
  auto message = session_.receiver().read_whole();
  look_at_receiver();
  return message;
}

std::uint64_t Framing::room_elsewhere() const noexcept {
  const bool waits = !channel_.ended_ && !channel_.closing_here_ && channel_.reader_.waiting() != nullptr;
  return waits && session_.has_peer() ? session_.receiver().room_elsewhere() : 0;
}

void Framing::take_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) {
  begin_turn();
  channel_.stats_.frames_received += messages;
  channel_.stats_.messages_received += messages;
  session_.receiver().take_elsewhere(messages, bytes, cost);
  look_at_receiver();
}

std::optional<IncomingMessage> Framing::read_start() {
  auto [message, incoming] = session_.receiver().read_start();
  look_at_receiver();
  if (message) return IncomingMessage(std::move(*message));
  if (incoming != nullptr) return IncomingMessage(ChannelReference(&channel_), *incoming);
  return std::nullopt;
}

void Framing::drop_unread() {
  session_.receiver().drop_unread();
  want_turn_end();
}

bool Framing::is_over(const Incoming& incoming, const Channel& channel) noexcept {
  return incoming.is_over() || channel.ended();
}

bool Framing::can_read_part(Incoming& incoming, const Channel& channel) noexcept {
  return (incoming.has_bytes() && !incoming.is_beginning()) || is_over(incoming, channel);
}

std::optional<Message> Framing::read_part(Incoming& incoming) {
  auto part = session_.receiver().read_part(incoming);
  look_at_receiver();
  return part;
}

void Framing::want_whole(Incoming& incoming) {
  if (incoming.wanted == Incoming::Wanted::whole) return;
  session_.receiver().want_whole(incoming);
  if (session_.control_due()) want_turn_end();
}

Result<Message> Framing::read_whole(Incoming& incoming) {
  if (auto reason = end_reason(incoming); !reason) return std::unexpected(std::move(reason.error()));
  auto message = session_.receiver().read_whole(incoming);
  look_at_receiver();
  return message;
}

void Framing::stop(Incoming& incoming) noexcept {
  session_.receiver().stop(incoming);
  want_turn_end();
}

void Framing::let_go(Incoming& incoming) noexcept {
  session_.receiver().let_go(incoming);
  want_turn_end();
}

Result<void> Framing::end_reason(Incoming& incoming) const {
  if (incoming.too_large)
    return wdc::fail(Errc::message_too_large, incoming.size.value_or(incoming.received),
                     channel_.flow_.framed.max_message_size);
  if (incoming.no_memory) return wdc::fail(Errc::out_of_memory);
  if (incoming.stopped) return wdc::fail(Errc::stopped);
  if (incoming.cancelled) return wdc::fail(Errc::cancelled, "its sender gave the message up");
  if (!incoming.ended && channel_.ended_) return std::unexpected(channel_.refusal());
  return {};
}

// The end.

void Framing::close() {
  session_.finish(Session::Receipt::wanted);
  drive(Sender::Flush::everything);
  want_turn_end();
}

void Framing::peer_finished() {
  if (channel_.state_ != ReadyState::closed) channel_.state_ = ReadyState::closing;
  channel_.wake_all(channel_.openers_);
  if (waiting() > 0) channel_.sends_lost_ = channel_.closing_here_;
  session_.sender().fail_all(Error(Errc::closed));
  session_.finish(Session::Receipt::none);
}

void Framing::close_if_done() {
  if (channel_.ended_ || channel_.backend_closing_) return;
  const bool reading_over = channel_.closing_here_ && !channel_.has_consumer_;
  if (!session_.may_close(reading_over ? Session::Reading::over : Session::Reading::goes_on)) return;
  channel_.backend_closing_ = true;
  channel_.backend_->close();
}

void Framing::say_abort(Fault fault) noexcept {
  if (channel_.ended_ || !channel_.backend_ || channel_.state_ == ReadyState::connecting || session_.batches_only())
    return;
  if (session_.peer_aborted() || channel_.backend_closing_) return;
  if (!session_.hello_sent()) return;  // what comes before HELLO is a fault
  const auto frame = session_.abort(fault);
  if (channel_.backend_->send(frame, MessageType::binary)) ++channel_.stats_.frames_sent;
}

std::optional<Error> Framing::end_of(std::optional<Error> error) const {
  if (error || session_.batches_only() || channel_.backend_closing_ || session_.peer_finished()) return error;
  if (!session_.has_peer()) return error;
  return Error(Errc::aborted, "the other side closed the channel without finishing");
}

Result<void> Framing::close_result() const {
  if (session_.batches_only() || !session_.has_peer() || session_.all_delivered()) return {};
  return wdc::fail(Errc::unread);
}

void Framing::drop_all() { session_.receiver().drop_unread(); }

void Framing::on_end(const Error& error) {
  TurnNode::unlink();
  report_.cancel();
  session_.sender().fail_all(error);
  session_.receiver().drop_incomplete();
  while (auto* node = flushes_.front()) {
    auto& flush = *static_cast<FlushOperation::Waiter*>(node)->operation;
    const bool done = flush.goal_ == FlushTo::peer && session_.all_delivered();
    if (!done) flush.result_ = std::unexpected(error);
    channel_.loop_->make_ready(*node);
  }
}

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#include "src/core/channel.h"

#include <string>
#include <utility>

#include "src/core/validate.h"

namespace wdc::core {

ChannelReference::ChannelReference(Channel* channel) noexcept : channel_(channel) {
  if (channel_ != nullptr) channel_->add_reference();
}

ChannelReference::~ChannelReference() {
  if (channel_ != nullptr) channel_->drop_reference();
}

ChannelReference Channel::create(Loop& loop, std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow) {
  ChannelReference channel(new Channel(loop, std::move(backend), flow));
  channel->itself_ = channel;
  return channel;
}

Channel::Channel(Loop& loop, std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow)
    : loop_(&loop),
      backend_(std::move(backend)),
      info_(backend_->info()),
      flow_(flow),
      state_(backend_->initial_state()) {
  cleanup_.channel = this;
  cleanup_.resume = [](detail::WaitNode& node) { static_cast<Cleanup&>(node).channel->clean_up(); };
  close_timer_.channel = this;
  close_timer_.fire = [](detail::TimerNode& node) {
    auto& timer = static_cast<CloseTimer&>(node);
    timer.channel->fail(Error(Errc::timed_out, "not closed after " + std::to_string(timer.timeout.count()) + " ms"));
  };
  if (state_ == ReadyState::closed) state_ = ReadyState::closing;  // on_closed is still to come
  loop.add_channel(*this);
  if (framed::is_linked()) framing_ = framed::Framing::create(*this);
  backend_->set_buffered_amount_low_threshold(flow_.send_low_water_mark);
  backend_->set_events(*this);
  if (framing_ && state_ == ReadyState::open) framing_->on_open();
}

// Sending.

bool Channel::start_send(SendOperation& operation) {
  if (framing_) [[unlikely]]
    return framing_->start_send(operation);
  if (const SendOptions& options = operation.options_;
      options.deadline || options.key || operation.waiter_.source || options.priority != Priority::low) [[unlikely]] {
    operation.result_ = wdc::fail(Errc::unsupported, "the channel does not speak framed mode");
    return true;
  }
  const std::size_t size = operation.owns_message_ ? operation.message_.size() : operation.bytes_.size();
  if (auto allowed = check_send(size); !allowed) {
    operation.result_ = std::move(allowed);
    return true;
  }
  // A send that comes later never overtakes one that waits.
  if (waiting_count_ == 0 && window_open()) {
    auto sent = hand_over(operation);
    if (sent || sent.error().code() != Errc::would_block) {
      operation.result_ = std::move(sent);
      return true;
    }
  }
  if (waiting_count_ < flow_.send_queue_operations) return false;
  operation.result_ = wdc::fail(Errc::send_queue_full, waiting_count_, flow_.send_queue_operations);
  return true;
}

void Channel::enqueue(SendOperation& operation) noexcept {
  if (framing_) return framing_->enqueue(operation);
  operation.counted_ = true;
  ++waiting_count_;
  ++stats_.send_waits;
  waiting_sends_.push_back(operation.waiter_);
}

void Channel::abandon(SendOperation& operation) noexcept {
  if (framing_) return framing_->abandon(operation);
  operation.counted_ = false;
  operation.waiter_.unlink();
  --waiting_count_;
  close_backend_when_sent();
}

Result<void> Channel::try_send(std::span<const std::byte> bytes, MessageType type) {
  if (framing_) [[unlikely]]
    return framing_->try_send(bytes, type);
  if (auto allowed = check_send(bytes.size()); !allowed) return allowed;
  if (waiting_count_ != 0 || !window_open()) return wdc::fail(Errc::would_block);
  return account(bytes.size(), backend_->send(bytes, type));
}

Result<void> Channel::try_send(Message& message) {
  if (framing_) [[unlikely]]
    return framing_->try_send(message);
  const std::size_t size = message.size();
  if (auto allowed = check_send(size); !allowed) return allowed;
  if (waiting_count_ != 0 || !window_open()) return wdc::fail(Errc::would_block);
  return account(size, backend_->send(message));
}

Result<void> Channel::check_send(std::size_t size) {
  if (!on_owning_thread()) [[unlikely]]
    return wdc::fail(Errc::wrong_thread);
  if (state_ != ReadyState::open) [[unlikely]]
    return std::unexpected(refusal());
  if (size <= max_message_size_) [[likely]]
    return {};
  max_message_size_ = backend_->max_message_size();  // not known before, or changed by a negotiation
  if (max_message_size_ == 0 || size <= max_message_size_) return {};
  return wdc::fail(Errc::message_too_large, size, max_message_size_);
}

bool Channel::below_high_water_mark() {
  if (buffered_estimate_ > flow_.send_high_water_mark) [[unlikely]]
    buffered_estimate_ = backend_->buffered_amount();
  return buffered_estimate_ <= flow_.send_high_water_mark;
}

std::optional<std::uint64_t> Channel::room_elsewhere() {
  const bool at_once = !framing_ && state_ == ReadyState::open && waiting_count_ == 0 && !backend_full_;
  if (!at_once || !below_high_water_mark()) return std::nullopt;
  return flow_.send_high_water_mark - buffered_estimate_;
}

void Channel::send_elsewhere(std::uint64_t messages, std::uint64_t bytes) noexcept {
  buffered_estimate_ += bytes;
  stats_.messages_sent += messages;
  stats_.bytes_sent += bytes;
}

bool Channel::window_open() {
  if (backend_full_) return false;
  if (below_high_water_mark()) [[likely]]
    return true;
  if (!std::exchange(one_more_, false)) return false;
  ++stats_.stalls;
  return true;
}

Result<void> Channel::hand_over(SendOperation& operation) {
  if (!operation.owns_message_)
    return account(operation.bytes_.size(), backend_->send(operation.bytes_, operation.type_));
  const std::size_t size = operation.message_.size();
  return account(size, backend_->send(operation.message_));
}

Result<void> Channel::account(std::size_t size, Result<void> result) noexcept {
  if (result) [[likely]] {
    buffered_estimate_ += size;
    ++stats_.messages_sent;
    stats_.bytes_sent += size;
  } else if (result.error().code() == Errc::would_block) {
    backend_full_ = true;
    buffered_estimate_ = backend_->buffered_amount();  // the home watches a buffer that was looked at
  }
  return result;
}

void Channel::on_stalled() {
  if (ended_) return;
  backend_full_ = false;
  one_more_ = true;
  if (framing_) return framing_->on_room();
  send_waiting();
}

void Channel::on_buffered_amount_low() {
  if (ended_) return;
  backend_full_ = one_more_ = false;
  buffered_estimate_ = backend_->buffered_amount();
  if (framing_) return framing_->on_room();
  send_waiting();
}

/// Sends are accepted here, in their turn; who waits for them is resumed from the pump.
void Channel::send_waiting() {
  while (waiting_count_ != 0 && window_open()) {
    auto& operation = *static_cast<framed::Outgoing*>(waiting_sends_.front())->operation;
    auto sent = hand_over(operation);
    if (!sent && sent.error().code() == Errc::would_block) return;
    settle(operation, std::move(sent));
  }
  close_backend_when_sent();
}

void Channel::settle(SendOperation& operation, Result<void> result) noexcept {
  operation.counted_ = false;
  --waiting_count_;
  operation.result_ = std::move(result);
  loop_->make_ready(operation.waiter_);
}

void Channel::fail_waiting_sends(const Error& error) {
  if (waiting_count_ != 0) sends_lost_ = closing_here_;
  while (waiting_count_ != 0)
    settle(*static_cast<framed::Outgoing*>(waiting_sends_.front())->operation, std::unexpected(error));
}

// Receiving.

void Channel::on_message(Message&& message) {
  if (!admit(message)) return;
  received_.push(std::move(message));
  reader_.wake(*loop_);
}

void ChannelEvents::on_message_directly(Message&& message) {
  static_cast<Channel&>(*this).take_directly(std::move(message));
}

void Channel::take_directly(Message&& message) {
  if (!admit(message)) return;
  auto* const reader = reader_.waiting();
  if (reader == nullptr || !received_.empty()) {
    received_.push(std::move(message));
    return reader_.wake(*loop_);
  }
  const ChannelReference keep(this);
  received_.lend(message);
  loop_->run_now(*reader);
  received_.keep_lent();
}

/// True if the message is to be queued for a reader.
bool Channel::admit(Message& message) {
  if (ended_) return false;
  if (framing_) [[unlikely]] {
    framing_->on_frame(std::move(message));
    return false;
  }
  const std::size_t size = message.size();
  ++stats_.messages_received;
  stats_.bytes_received += size;
  if (flow_.discard_received || (handle_gone_ && !has_consumer_) || (!fits(size) && !make_room(size))) {
    count_dropped(size);
    return false;
  }
  return true;
}

/// True if a message of `size` may be queued now.
bool Channel::fits(std::size_t size) const noexcept {
  return received_.messages() < flow_.receive_queue_messages && size <= flow_.receive_queue_bytes &&
         received_.bytes() <= flow_.receive_queue_bytes - size;
}

/// What the overflow's rule says of a message of `size` that does not fit: true if it may be queued after all.
bool Channel::make_room(std::size_t size) {
  if (flow_.receive_overflow == ReceiveOverflow::drop_newest) return false;
  if (flow_.receive_overflow == ReceiveOverflow::drop_oldest) {
    if (size > flow_.receive_queue_bytes) return false;  // no room could be enough
    while (!fits(size)) count_dropped(received_.pop()->size());
    return true;
  }
  if (received_.messages() >= flow_.receive_queue_messages)
    fail(Error(Errc::receive_overflow, received_.messages() + 1, flow_.receive_queue_messages, "messages"));
  else
    fail(Error(Errc::receive_overflow, std::uint64_t{received_.bytes()} + size, flow_.receive_queue_bytes, "bytes"));
  return false;
}

void Channel::count_dropped(std::size_t size) noexcept {
  ++stats_.messages_dropped;
  stats_.bytes_dropped += size;
}

std::optional<Message> Channel::read() noexcept {
  if (framing_) return framing_->read();
  return received_.pop();
}

Result<void> Channel::read_end() const {
  if (framing_ ? framing_->can_read() : !received_.empty()) return {};
  return close_reason();
}

void Channel::release_consumer() noexcept {
  has_consumer_ = false;
  drop_unread_if_unwanted();
}

void Channel::drop_unread_if_unwanted() noexcept {
  if (!handle_gone_ || has_consumer_) return;
  if (framing_) return framing_->drop_unread();
  while (const auto message = received_.pop()) count_dropped(message->size());
}

// Opening and closing.

void Channel::on_open() {
  if (state_ != ReadyState::connecting) return;
  state_ = ReadyState::open;
  max_message_size_ = backend_->max_message_size();
  wake_all(openers_);
  if (framing_) framing_->on_open();
}

void Channel::close(std::optional<std::chrono::milliseconds> timeout) {
  const bool first = !std::exchange(closing_here_, true);
  if (ended_) return;
  if (first || timeout) {
    close_timer_.timeout = timeout.value_or(flow_.close_timeout);
    loop_->arm(close_timer_, detail::saturated(close_timer_.timeout));
  }
  if (!first) return;
  const bool was_open = state_ != ReadyState::connecting;
  state_ = ReadyState::closing;
  wake_all(openers_);
  if (framing_ && was_open) return framing_->close();
  close_backend_when_sent();
}

void Channel::close_backend_when_sent() {
  if (!closing_here_ || backend_closing_ || ended_ || waiting_count_ != 0) return;
  backend_closing_ = true;
  backend_->close();
}

void Channel::on_closing() {
  if (ended_) return;
  state_ = ReadyState::closing;
  wake_all(openers_);
  fail_waiting_sends(Error(Errc::closed));
}

void Channel::on_closed(std::optional<Error> error) {
  if (ended_) return;
  if (framing_) error = framing_->end_of(std::move(error));
  end(std::move(error));
}

void Channel::abort() {
  received_.clear();
  if (framing_ && !ended_) {
    framing_->say_abort(framed::Fault::none);
    framing_->drop_all();
  }
  fail(Error(Errc::aborted));
}

void Channel::fail(Error error) {
  if (ended_) return;
  backend_->abort();
  end(std::move(error));
}

void Channel::handle_gone() noexcept {
  handle_gone_ = true;
  drop_unread_if_unwanted();
  close(std::nullopt);
}

Result<void> Channel::can_let_go() const {
  if (!on_owning_thread()) return wdc::fail(Errc::wrong_thread);
  if (ended_ || !backend_ || closing_here_ || state_ == ReadyState::closing) return wdc::fail(Errc::closed);
  if (framing_) return wdc::fail(Errc::invalid_state, "the channel speaks framed mode");
  if (!received_.empty()) return wdc::fail(Errc::invalid_state, "there are unread messages");
  if (waiting_count_ != 0) return wdc::fail(Errc::invalid_state, "there are sends that wait");
  if (has_consumer_) return wdc::fail(Errc::invalid_state, "the channel has a reader");
  return {};
}

void Channel::let_go() noexcept {
  backend_.reset();
  end(std::nullopt);
}

void Channel::on_loop_closed() noexcept {
  if (!ended_) end(Error(Errc::loop_closed));
  received_.clear();
  if (framing_) framing_->drop_all();
  loop_ = nullptr;
  close_timer_.cancel();
  cleanup_.unlink();
  clean_up();
}

void Channel::end(std::optional<Error> error) {
  ended_ = true;
  state_ = ReadyState::closed;
  error_ = std::move(error);
  close_timer_.cancel();
  fail_waiting_sends(error_ ? *error_ : Error(Errc::closed));
  if (framing_) framing_->on_end(error_ ? *error_ : Error(Errc::closed));
  wake_all(openers_);
  reader_.wake(*loop_);
  wake_all(closers_);
  // The backend may be in the middle of reporting this: it goes from the pump.
  loop_->make_ready(cleanup_);
}

void Channel::wake_all(detail::WaitList& waiters) noexcept {
  while (auto* node = waiters.front()) loop_->make_ready(*node);
}

void Channel::drop_backend() noexcept {
  if (!backend_) return;
  id_ = backend_->id();
  if (const auto size = backend_->max_message_size(); size != 0) max_message_size_ = size;
  backend_.reset();
}

void Channel::clean_up() noexcept {
  drop_backend();
  ListLink<Peer>::unlink();
  const ChannelReference last = std::move(itself_);  // may be the end of this object
}

// What it knows.

Error Channel::refusal() const {
  if (loop_ == nullptr) return Error(Errc::loop_closed);
  if (error_) return *error_;
  return Error(state_ == ReadyState::connecting ? Errc::not_open : Errc::closed);
}

Result<void> Channel::close_reason() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

Result<void> Channel::close_result() const {
  if (!error_ && sends_lost_)
    return wdc::fail(Errc::closed, "the other side closed before all waiting sends were accepted");
  if (!error_ && framing_ && closing_here_) return framing_->close_result();
  return close_reason();
}

DataChannelStats Channel::stats() const noexcept {
  DataChannelStats stats = stats_;
  stats.receive_queue_messages = received_.messages();
  stats.receive_queue_bytes = received_.bytes();
  stats.send_queue_operations = framing_ ? framing_->waiting() : waiting_count_;
  if (framing_) stats.receive_queue_messages = framing_->session().receiver().messages_unread();
  return stats;
}

Result<DataChannel> make_channel(Loop& loop, std::unique_ptr<ChannelBackend> backend, const FlowOptions& flow) {
  if (!loop.on_owning_thread()) return wdc::fail(Errc::wrong_thread);
  if (auto valid = validate(flow); !valid) return std::unexpected(std::move(valid.error()));
  if (!framed::is_linked() && framed::is_framed(backend->info().protocol))
    return wdc::fail(Errc::unsupported,
                     "this program has no framed mode (in JavaScript: import 'webrtc-data-channel/framed')");
  if (auto valid = framed::validate(backend->info(), flow.framed); !valid)
    return std::unexpected(std::move(valid.error()));
  return Channel::make_handle(Channel::create(loop, std::move(backend), flow));
}

}  // namespace wdc::core

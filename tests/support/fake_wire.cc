// SPDX-License-Identifier: MIT
#include "tests/support/fake_wire.h"

#include <algorithm>
#include <utility>

#include "tests/support/fake_backend.h"

namespace wdc::test {

namespace {

/// Enough for tests: no stray continuation bytes, no 0xFE or 0xFF.
bool looks_like_utf8(std::span<const std::byte> bytes) {
  std::size_t expected = 0;
  for (const std::byte byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    const bool continuation = (value & 0xC0U) == 0x80U;
    if (continuation != (expected > 0)) return false;
    if (continuation)
      --expected;
    else if (value >= 0xF8U)
      return false;
    else
      expected = value >= 0xF0U ? 3 : value >= 0xE0U ? 2 : value >= 0xC0U ? 1 : 0;
  }
  return expected == 0;
}

}  // namespace

class FakeChannel final : public core::ChannelBackend {
 public:
  FakeChannel(std::shared_ptr<FakeWire> wire, std::size_t side) : wire_(std::move(wire)), side_(side) {
    end().exists = true;
    end().channel = this;
  }
  void move_to(std::shared_ptr<FakeWire> wire, std::size_t side) {
    wire_ = std::move(wire);
    side_ = side;
  }
  ~FakeChannel() override { wire_->abandon(side_); }

  void set_events(core::ChannelEvents& events) override { end().events = &events; }
  [[nodiscard]] const core::ChannelInfo& info() const override { return wire_->info(); }
  [[nodiscard]] std::optional<std::uint16_t> id() const override { return wire_->id; }
  [[nodiscard]] ReadyState initial_state() const override { return end().state; }
  [[nodiscard]] Result<void> send(std::span<const std::byte> bytes, MessageType type) override {
    return wire_->send(side_, bytes, type);
  }
  [[nodiscard]] Result<void> send(Message& message) override {
    auto sent = wire_->send(side_, message.bytes(), message.type());
    if (!sent) return sent;
    ++end().forwarded;
    message = Message();
    return {};
  }
  [[nodiscard]] std::uint64_t buffered_amount() const override {
    ++end().buffered_amount_calls;
    return end().buffered;
  }
  void set_buffered_amount_low_threshold(std::uint64_t bytes) override { end().low_threshold = bytes; }
  [[nodiscard]] std::uint64_t max_message_size() const override { return wire_->max_message_size; }
  void close() override {
    ++end().closes;
    wire_->close(side_);
  }
  void abort() override {
    ++end().aborts;
    end().outbox.clear();
    end().first = 0;
    end().buffered = 0;
    wire_->close(side_);
  }

 private:
  [[nodiscard]] FakeWire::End& end() const { return wire_->end(side_); }
  std::shared_ptr<FakeWire> wire_;
  std::size_t side_;
};

FakeWire::FakeWire(FakeBackend& backend, core::ChannelInfo info, ReadyState state)
    : backend_(backend), info_(std::move(info)), pool_(new BufferPool) {
  for (End& end : ends_) end.state = state;
}

FakeWire::~FakeWire() {
  for (End& end : ends_) end.outbox.clear();
  pool_->drop_reference();
}

std::unique_ptr<core::ChannelBackend> FakeWire::take(std::size_t side) {
  return std::make_unique<FakeChannel>(shared_from_this(), side);
}

void FakeWire::join(FakeWire& other) {
  ends_[1] = std::move(other.ends_[0]);
  other.ends_[0] = End{};
  ends_[1].channel->move_to(shared_from_this(), 1);
}

void FakeWire::open() {
  for (End& end : ends_) {
    if (end.state != ReadyState::connecting) continue;
    end.state = ReadyState::open;
    if (end.events != nullptr) end.events->on_open();
  }
}

Result<void> FakeWire::send(std::size_t side, std::span<const std::byte> bytes, MessageType type) {
  End& end = ends_[side];
  if (auto error = std::exchange(end.next_send_error, std::nullopt)) return std::unexpected(std::move(*error));
  if (end.buffered + bytes.size() > end.capacity) return fail(Errc::would_block);
  if (type == MessageType::text && !looks_like_utf8(bytes)) return fail(Errc::invalid_argument, "not UTF-8");
  ++end.sends;
  end.outbox.push_back(pool_->make(bytes, type));
  end.buffered += bytes.size();
  if (automatic) schedule_delivery();
  return {};
}

void FakeWire::schedule_delivery() {
  if (std::exchange(delivery_scheduled_, true)) return;
  backend_.schedule([this] {
    delivery_scheduled_ = false;
    deliver(0);
    deliver(1);
  });
}

void FakeWire::deliver(std::size_t from, std::size_t messages) {
  End& sender = ends_[from];
  End& receiver = ends_[1 - from];
  const std::uint64_t before = sender.buffered;
  const bool blocked = sender.capacity != std::numeric_limits<std::uint64_t>::max();
  while (messages-- > 0 && sender.first < sender.outbox.size()) {
    Message message = std::move(sender.outbox[sender.first++]);
    sender.buffered -= message.size();
    if (receiver.events != nullptr && !receiver.ended) receiver.events->on_message(std::move(message));
  }
  if (sender.first == sender.outbox.size()) {
    sender.outbox.clear();
    sender.first = 0;
  }
  if ((before > sender.low_threshold || blocked) && sender.buffered <= sender.low_threshold &&
      sender.events != nullptr && !sender.ended)
    sender.events->on_buffered_amount_low();
  if (sender.close_wanted && sender.outbox.empty()) finish_close(from);
}

void FakeWire::inject(std::size_t to, Message message) { ends_[to].events->on_message(std::move(message)); }

void FakeWire::inject_directly(std::size_t to, Message message) {
  ends_[to].events->on_message_directly(std::move(message));
}

void FakeWire::close(std::size_t side) {
  End& end = ends_[side];
  if (std::exchange(end.close_wanted, true) || end.deaf_to_close) return;
  if (end.outbox.empty()) backend_.schedule([this, side] { finish_close(side); });
}

void FakeWire::finish_close(std::size_t side) {
  if (ends_[side].deaf_to_close) return;
  const std::size_t other = 1 - side;
  if (ends_[other].events != nullptr && !ends_[other].ended) ends_[other].events->on_closing();
  report_closed(other, std::nullopt);
  report_closed(side, std::nullopt);
}

void FakeWire::report_closed(std::size_t side, std::optional<Error> error) {
  End& end = ends_[side];
  end.state = ReadyState::closed;
  if (end.events != nullptr && !std::exchange(end.ended, true)) end.events->on_closed(std::move(error));
}

void FakeWire::break_both(const Error& error) {
  report_closed(0, error);
  report_closed(1, error);
}

void FakeWire::abandon(std::size_t side) {
  End& end = ends_[side];
  end.events = nullptr;
  end.channel = nullptr;
  end.exists = false;
  close(side);
}

}  // namespace wdc::test

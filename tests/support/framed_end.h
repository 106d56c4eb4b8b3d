// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "src/core/framed/session.h"
#include "wdc/wdc.h"

namespace wdc::test {

using core::framed::Fault;
using core::framed::Incoming;
using core::framed::Outgoing;
using core::framed::Sender;
using core::framed::Session;

/// What every message of these tests holds: its number (if there is room), and bytes that follow from it.
[[nodiscard]] inline std::byte byte_of(std::uint32_t number, std::uint64_t at) {
  if (at < 4) return static_cast<std::byte>(number >> (8 * at) & 0xFF);
  return static_cast<std::byte>((number * 0x9E3779B1U + static_cast<std::uint32_t>(at) * 0x85EBCA77U) >> 24);
}

/// A message that one end sends, from memory or as its own source.
struct TestSend : ByteSource {
  Outgoing outgoing;
  std::uint32_t number = 0;
  std::vector<std::byte> data;
  bool ended = false;
  bool withdrawn = false;
  std::optional<Error> error;

  // As a source.
  bool says_size = false;
  std::mt19937* random = nullptr;
  std::uint64_t given = 0;
  std::uint64_t* total = nullptr;  // given by all of the end's sends
  bool blocks = false;
  std::optional<std::uint64_t> fails_at;
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return says_size ? std::optional<std::uint64_t>(data.size()) : std::nullopt;
  }
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> room) override {
    if (fails_at && given >= *fails_at) return fail(Errc::invalid_state);
    blocks = (*random)() % 4 == 0;
    if (blocks) return fail(Errc::would_block);
    const std::size_t most = std::min<std::size_t>(room.size(), data.size() - given);
    const std::size_t count = most == 0 ? 0 : 1 + (*random)() % most;
    if (count > 0) std::memcpy(room.data(), data.data() + given, count);
    given += count;
    *total += count;
    return count;
  }
};

/// A message in parts that a reader of parts holds.
struct TestIncoming {
  Incoming* incoming = nullptr;
  std::vector<std::byte> bytes;
};

/// One session, what its user does, and the frames on their way from it.
class FramedEnd final : core::framed::SenderEvents, core::framed::ReceiverEvents {
 public:
  explicit FramedEnd(const FramedOptions& options, Session::Mode mode = Session::Mode::full)
      : session(*this, *this, options, mode) {}
  ~FramedEnd() {
    for (auto& held : reading) session.receiver().let_go(*held.incoming);
    session.sender().fail_all(Error(Errc::aborted));
  }

  TestSend& send(std::uint32_t number, std::size_t size, Priority priority, bool text = false) {
    TestSend& one = *sends.emplace_back(std::make_unique<TestSend>());
    one.number = number;
    one.data.resize(size);
    for (std::size_t i = 0; i < size; ++i) one.data[i] = byte_of(number, i);
    one.outgoing.bytes = one.data;
    one.outgoing.size = size;
    one.outgoing.type = text ? MessageType::text : MessageType::binary;
    one.outgoing.priority = priority;
    one.total = &given_bytes;
    given_bytes += size;
    by_outgoing[&one.outgoing] = &one;
    return one;
  }
  void make_source(TestSend& one, bool says_size, std::mt19937& random) {
    given_bytes -= one.data.size();  // as it is read
    one.outgoing.bytes = {};
    one.outgoing.source = &one;
    one.outgoing.size = says_size ? one.data.size() : Outgoing::kUnknownSize;
    one.says_size = says_size;
    one.random = &random;
  }
  /// The same for a binary message from memory, into a frame that the sender lends: false if there is no room. Until
  /// return_lent() this end must not be asked anything else.
  [[nodiscard]] bool start_lent(TestSend& one) {
    if (lent_sizes_.empty()) lent_ = session.sender().lend();
    const std::size_t size = one.data.size();
    if (lent_sizes_.size() == lent_.messages || size > lent_.largest ||
        size + core::framed::FrameRoom::kEntry > lent_.bytes)
      return false;
    if (size > 0) std::memcpy(lent_.place, one.data.data(), size);
    lent_.place += size;
    lent_.bytes -= size + core::framed::FrameRoom::kEntry;
    lent_sizes_.push_back(static_cast<std::uint32_t>(size));
    one.ended = true;
    completed.push_back(&one);
    return true;
  }
  void return_lent() {
    session.sender().append_lent(lent_sizes_);
    lent_sizes_.clear();
  }
  /// As a channel does it: the short way if it is open. Messages that are in frames at the end of it, in their order.
  void start(TestSend& one) {
    if (one.outgoing.source == nullptr &&
        session.sender().append(one.data, one.outgoing.type, one.outgoing.priority) == Sender::Append::done) {
      one.ended = true;
      completed.push_back(&one);
    } else {
      session.sender().enqueue(one.outgoing);
    }
  }
  void withdraw(TestSend& one) {
    one.withdrawn = one.ended = true;
    session.sender().withdraw(one.outgoing);
  }

  /// Puts what is due on its way, as far as the transport's buffer takes it.
  void drain(Sender::Flush flush, std::size_t capacity) {
    const auto put = [&](std::span<const std::byte> frame) {
      if (!outbox.empty() && outbox_bytes + frame.size() > capacity) return false;
      outbox.emplace_back(frame.begin(), frame.end());
      outbox_bytes += frame.size();
      return true;
    };
    for (;;) {
      const auto frame = session.poll_control();
      if (frame.empty() || !put(frame)) break;
      session.handle_control_sent();
    }
    for (;;) {
      const auto frame = session.poll_data(flush);
      if (frame.empty() || !put(frame)) break;
      session.handle_data_sent();
    }
  }
  /// Moves up to `frames` to the other end; the first fault.
  [[nodiscard]] Fault deliver_to(FramedEnd& other, std::size_t frames) {
    for (; frames > 0 && !outbox.empty(); --frames) {
      const auto frame = std::move(outbox.front());
      outbox.pop_front();
      outbox_bytes -= frame.size();
      const Fault fault = other.session.handle_frame(Message::binary(frame));
      if (fault != Fault::none) return fault;
    }
    return Fault::none;
  }

  /// A reader of whole messages takes up to `count`.
  void read_whole(std::size_t count) {
    for (; count > 0; --count) {
      auto message = session.receiver().read_whole();
      if (!message) return;
      taken_bytes += message->size();
      const auto bytes = message->bytes();
      received.push_back({{bytes.begin(), bytes.end()}, message->is_text()});
    }
  }
  /// A reader of parts takes up to `count` messages that have begun.
  void read_starts(std::size_t count) {
    for (; count > 0 && session.receiver().can_read_start(); --count) {
      auto start = session.receiver().read_start();
      if (start.message) {
        taken_bytes += start.message->size();
        const auto bytes = start.message->bytes();
        received.push_back({{bytes.begin(), bytes.end()}, start.message->is_text()});
      } else {
        reading.push_back({start.incoming, {}});
      }
    }
  }
  /// One part, or the end, of a message that is held.
  void read_part(std::size_t index) {
    auto& held = reading[index];
    auto part = session.receiver().read_part(*held.incoming);
    if (part) {
      taken_bytes += part->size();
      const auto bytes = part->bytes();
      held.bytes.insert(held.bytes.end(), bytes.begin(), bytes.end());
    } else if (held.incoming->is_over()) {
      if (held.incoming->ended && !held.incoming->stopped)
        received.push_back({std::move(held.bytes), held.incoming->type == MessageType::text});
      let_go(index);
    }
  }
  void let_go(std::size_t index) {
    session.receiver().let_go(*reading[index].incoming);
    reading.erase(reading.begin() + static_cast<std::ptrdiff_t>(index));
  }

  struct Received {
    std::vector<std::byte> bytes;
    bool text;
  };
  Session session;
  std::vector<std::unique_ptr<TestSend>> sends;
  std::map<Outgoing*, TestSend*> by_outgoing;
  std::vector<const TestSend*> completed;  // whose last byte is in a frame, in that order
  std::uint64_t given_bytes = 0;
  std::deque<std::vector<std::byte>> outbox;
  std::size_t outbox_bytes = 0;
  std::vector<Received> received;
  std::vector<TestIncoming> reading;
  std::uint64_t taken_bytes = 0;
  std::uint64_t dropped = 0;

 private:
  core::framed::FrameRoom lent_;
  std::vector<std::uint32_t> lent_sizes_;

  void on_outgoing_end(Outgoing& message, Result<void> result) override {
    TestSend& one = *by_outgoing.at(&message);
    one.ended = true;
    if (result)
      completed.push_back(&one);
    else
      one.error = result.error();
  }
  void on_incoming_progress(Incoming&) override {}
  void on_messages_dropped(std::uint64_t messages, std::uint64_t) override { dropped += messages; }
};

}  // namespace wdc::test

// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/reassembly.h"

#include <algorithm>

namespace wdc::sctp {

Reassembly::Reassembly(DataKind kind, const ReassemblyLimits& limits, BufferPool& pool, std::uint64_t seed)
    : kind_(kind), limits_(limits), pool_(pool), partial_(kind, pool, limits.window), waiting_(seed) {}

std::int64_t Reassembly::unwrap(std::int64_t near, std::uint32_t number) const {
  if (kind_ == DataKind::i_data) return UnwrappedMid::near(UnwrappedMid(near), Mid(number)).value();
  return UnwrappedSsn::near(UnwrappedSsn(near), Ssn(static_cast<std::uint16_t>(number))).value();
}

std::size_t Reassembly::window() const { return held_ < limits_.window ? limits_.window - held_ : 0; }

/// The peer keeps to the window by bytes; the overhead of small messages may take as much again. Beyond that nothing is
/// kept, and so nothing acknowledged.
bool Reassembly::has_room_for(std::size_t size, bool in_order) const {
  const std::size_t items = partial_.runs() + waiting_.size() + ready_.size();
  if (held_ + size <= limits_.window && held_ + size + items * kOverhead <= 2 * limits_.window) return true;
  // Where all that is held waits for fragments, the user cannot make room: only what comes next can.
  const bool user_has_nothing = held_ == partial_.bytes() + waiting_.bytes();
  return in_order && user_has_nothing && held_ + size + items * kOverhead <= 2 * limits_.window + limits_.message_size;
}

Reassembly::Outcome Reassembly::add(const Fragment& fragment, bool in_order) {
  const std::size_t size = fragment.payload.size();
  if (!has_room_for(size, in_order)) return Outcome::no_room;
  if (fragment.flags.beginning && fragment.flags.end) {
    if (size > limits_.message_size) return Outcome::too_large;
    Buffer payload = pool_.take(size);
    payload.append(fragment.payload);
    held_ += size;
    return deliver(fragment, std::move(payload));
  }

  if (partial_.size_before(fragment) + size > limits_.message_size) return Outcome::too_large;
  Stream& stream = streams_[fragment.stream];
  auto added = partial_.add(fragment, std::max<std::size_t>(stream.expected_size, size));
  if (added.outcome == PartialMessages::Outcome::inconsistent) return Outcome::inconsistent;
  held_ += size;
  if (added.outcome == PartialMessages::Outcome::stored) return Outcome::taken;
  if (added.payload.size() > limits_.message_size) return Outcome::too_large;
  stream.expected_size = static_cast<std::uint32_t>(added.payload.size());
  return deliver(added.message, std::move(added.payload));
}

Reassembly::Outcome Reassembly::deliver(const Fragment& message, Buffer payload) {
  ReceivedMessage received{message.stream, message.ppid, std::move(payload)};
  if (message.flags.unordered) {
    ready_.push(std::move(received));
    return Outcome::taken;
  }
  Stream& stream = streams_[message.stream];
  const std::int64_t number = unwrap(stream.next_number, message.message_number);
  const std::size_t size = received.payload.size();
  if (number == stream.next_number) {
    ++stream.next_number;
    ready_.push(std::move(received));
    release_waiting(message.stream, stream);
  } else if (number < stream.next_number) {
    held_ -= size;  // skipped before, or from before a reset
  } else if (!waiting_.insert(number, std::move(received))) {
    held_ -= size;
    return Outcome::inconsistent;
  } else {
    ++stream.waiting;
  }
  return Outcome::taken;
}

void Reassembly::release_waiting(StreamId id, Stream& stream) {
  while (stream.waiting > 0) {
    auto message = waiting_.take(id, stream.next_number);
    if (!message) break;
    --stream.waiting;
    ++stream.next_number;
    ready_.push(std::move(*message));
  }
}

/// Waits no longer for the stream's messages up to `number`; those of them that are here are delivered, in order (RFC
/// 3758 section 3.6).
void Reassembly::skip_to(StreamId id, std::uint32_t wire_number) {
  Stream& stream = streams_[id];
  const std::int64_t number = unwrap(stream.next_number, wire_number);
  if (number < stream.next_number) return;
  constexpr std::int64_t kWorthASearch = 4'096;  // farther than this, looking through the table is quicker
  while (stream.waiting > 0 && stream.next_number <= number) {
    if (number - stream.next_number > kWorthASearch) {
      stream.next_number = waiting_.lowest(id, stream.next_number).value_or(number + 1);
      if (stream.next_number > number) break;
    }
    if (auto message = waiting_.take(id, stream.next_number)) {
      --stream.waiting;
      ready_.push(std::move(*message));
    }
    ++stream.next_number;
  }
  stream.next_number = number + 1;
  release_waiting(id, stream);
}

void Reassembly::forward(UnwrappedTsn cumulative, const ForwardTsnChunk& chunk) {
  held_ -= partial_.drop_up_to(cumulative);
  for (std::size_t i = 0; i < chunk.skip_count(); ++i) skip_to(chunk.skip(i).stream, chunk.skip(i).ssn.value());
}

void Reassembly::forward(const IForwardTsnChunk& chunk) {
  for (std::size_t i = 0; i < chunk.skip_count(); ++i) {
    const IForwardTsnChunk::Skip skip = chunk.skip(i);
    held_ -= partial_.drop_messages(skip.stream, skip.unordered, skip.mid.value());
    if (!skip.unordered) skip_to(skip.stream, skip.mid.value());
  }
}

void Reassembly::reset_stream(StreamId id) {
  held_ -= partial_.drop_stream(id);
  Stream* const stream = streams_.find(id);
  if (stream == nullptr) return;
  if (stream->waiting > 0) held_ -= waiting_.drop_stream(id);
  *stream = {};
}

void Reassembly::reset_all_streams() {
  streams_.for_each([&](StreamId id, Stream&) { reset_stream(id); });
}

std::optional<ReceivedMessage> Reassembly::poll_message() {
  if (ready_.empty()) return std::nullopt;
  return ready_.pop();
}

void Reassembly::reserve(std::size_t messages, std::size_t runs) {
  waiting_.reserve(messages);
  ready_.reserve(messages);  // they come out all at once
  partial_.reserve(runs);
}

void Reassembly::consumed(std::size_t bytes) { held_ -= std::min(bytes, held_); }

}  // namespace wdc::sctp

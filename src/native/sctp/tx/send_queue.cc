// SPDX-License-Identifier: MIT
#include "src/native/sctp/tx/send_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace wdc::sctp {
namespace {

/// A byte's worth of virtual time at weight 1: leaves the weights' ratios exact enough.
constexpr std::uint64_t kVirtualByte = 1 << 16;

constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.virtual_time != b.virtual_time ? a.virtual_time > b.virtual_time : a.stream.value() > b.stream.value();
};

}  // namespace

void SendQueue::push(MessageIndex index) {
  OutgoingMessage& message = messages_[index];
  message.next = kNoMessage;
  Stream& stream = streams_[message.stream];
  if (stream.tail == kNoMessage) {
    stream.head = index;
  } else {
    messages_[stream.tail].next = index;
  }
  stream.tail = index;
  stream.buffered += message.payload.size();
  buffered_ += message.payload.size();
  if (stream.buffered > stream.low_threshold) stream.watched = true;
  give_turn(message.stream, stream);
}

void SendQueue::give_turn(StreamId id, Stream& stream) {
  if (stream.has_turn || current_ == std::int32_t{id.value()}) return;
  // One that was idle gets no credit for it.
  stream.virtual_time = std::max(stream.virtual_time, virtual_now_);
  stream.has_turn = true;
  turns_.push_back({stream.virtual_time, id});
  std::ranges::push_heap(turns_, kLater);
}

bool SendQueue::head_expired(const Stream& stream, TimePoint now) const {
  const OutgoingMessage& head = messages_[stream.head];
  return head.sent == 0 && head.next_fragment == 0 && head.expires <= now;
}

MessageIndex SendQueue::front(TimePoint now, DataKind kind) {
  for (;;) {
    if (current_ == kNoStream) {
      if (turns_.empty()) return kNoMessage;
      std::ranges::pop_heap(turns_, kLater);
      current_ = turns_.back().stream.value();
      turns_.pop_back();
      streams_[StreamId(static_cast<std::uint16_t>(current_))].has_turn = false;
    }
    const StreamId id(static_cast<std::uint16_t>(current_));
    Stream& stream = streams_[id];
    while (stream.head != kNoMessage && head_expired(stream, now)) {
      const MessageIndex head = stream.head;
      count_sent(id, stream, messages_[head].payload.size());
      drop_head(stream);
      forget_message(messages_, head);
      ++expired_;
    }
    const bool begun = stream.head != kNoMessage && messages_[stream.head].next_fragment > 0;
    if (stream.head == kNoMessage) {
      current_ = kNoStream;
      continue;
    }
    virtual_now_ = std::max(virtual_now_, stream.virtual_time);
    // Between messages, and with I-DATA between fragments, another stream may be further behind.
    const bool may_change = kind == DataKind::i_data || !begun;
    if (may_change && !turns_.empty() && turns_.front().virtual_time < stream.virtual_time) {
      current_ = kNoStream;
      give_turn(id, stream);
      continue;
    }
    return stream.head;
  }
}

void SendQueue::advance(std::size_t bytes) {
  assert(current_ != kNoStream);
  const StreamId id(static_cast<std::uint16_t>(current_));
  Stream& stream = streams_[id];
  OutgoingMessage& message = messages_[stream.head];
  message.sent += static_cast<std::uint32_t>(bytes);
  ++message.next_fragment;
  stream.virtual_time += std::max<std::size_t>(bytes, 1) * kVirtualByte / stream.weight;
  const bool is_cut = message.is_cut();
  if (is_cut) drop_head(stream);
  count_sent(id, stream, bytes);
}

void SendQueue::count_sent(StreamId id, Stream& stream, std::size_t bytes) {
  stream.buffered -= bytes;
  buffered_ -= bytes;
  if (stream.watched && stream.buffered <= stream.low_threshold) {
    stream.watched = false;
    low_.push(id);
  }
}

void SendQueue::drop_head(Stream& stream) {
  stream.head = messages_[stream.head].next;
  if (stream.head == kNoMessage) stream.tail = kNoMessage;
}

void SendQueue::remove_partly_sent(MessageIndex index) {
  OutgoingMessage& message = messages_[index];
  Stream& stream = streams_[message.stream];
  if (stream.head != index) return;
  const std::size_t rest = message.payload.size() - message.sent;
  drop_head(stream);
  count_sent(message.stream, stream, rest);
}

MessageIndex SendQueue::discard(StreamId id, Ppid kept) {
  Stream* const stream = streams_.find(id);
  if (stream == nullptr) return kNoMessage;
  MessageIndex begun = kNoMessage;
  MessageIndex last_kept = kNoMessage;
  std::size_t discarded = 0;
  for (MessageIndex at = stream->head; at != kNoMessage;) {
    const OutgoingMessage& message = messages_[at];
    const MessageIndex next = message.next;
    if (message.next_fragment > 0) begun = at;
    if (message.next_fragment > 0 || message.ppid == kept) {
      last_kept = at;
    } else {
      (last_kept == kNoMessage ? stream->head : messages_[last_kept].next) = next;
      discarded += message.payload.size();
      forget_message(messages_, at);
    }
    at = next;
  }
  stream->tail = last_kept;
  if (stream->head == kNoMessage) take_turn_back(id, *stream);
  count_sent(id, *stream, discarded);
  return begun;
}

void SendQueue::take_turn_back(StreamId id, Stream& stream) {
  if (current_ == std::int32_t{id.value()}) current_ = kNoStream;
  if (!std::exchange(stream.has_turn, false)) return;
  std::erase_if(turns_, [&](const Turn& turn) { return turn.stream == id; });
  std::ranges::make_heap(turns_, kLater);
}

void SendQueue::assign_number(OutgoingMessage& message, DataKind kind) {
  Stream& stream = streams_[message.stream];
  if (kind == DataKind::i_data) {
    // RFC 8260 section 2.1: ordered and unordered messages have numbers of their own.
    message.number = message.unordered ? stream.next_unordered++ : stream.next_ordered++;
  } else {
    message.number = message.unordered ? 0 : (stream.next_ordered++ & 0xffff);
  }
}

void SendQueue::reset_numbers(StreamId id) {
  if (Stream* stream = streams_.find(id)) stream->next_ordered = stream->next_unordered = 0;
}

bool SendQueue::is_idle(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream == nullptr || stream->head == kNoMessage;
}

void SendQueue::set_weight(StreamId id, std::uint16_t weight) {
  streams_[id].weight = std::max<std::uint16_t>(weight, 1);
}

void SendQueue::set_low_threshold(StreamId id, std::size_t bytes) {
  Stream& stream = streams_[id];
  stream.low_threshold = bytes;
  stream.watched = stream.buffered > bytes;
}

std::size_t SendQueue::buffered(StreamId id) const {
  const Stream* stream = streams_.find(id);
  return stream == nullptr ? 0 : stream->buffered;
}

std::optional<StreamId> SendQueue::poll_low() {
  if (low_.empty()) return std::nullopt;
  return low_.pop();
}

void SendQueue::clear() {
  streams_.for_each([&](StreamId, Stream& stream) {
    while (stream.head != kNoMessage) {
      const MessageIndex head = stream.head;
      const bool in_ring = messages_[head].outstanding > 0;
      drop_head(stream);
      if (!in_ring) forget_message(messages_, head);
    }
    stream = Stream{.weight = stream.weight};
  });
  turns_.clear();
  low_.clear();
  current_ = kNoStream;
  buffered_ = 0;
}

}  // namespace wdc::sctp

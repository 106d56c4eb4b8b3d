// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/partial_messages.h"

#include <algorithm>
#include <cassert>

namespace wdc::sctp {

PartialMessages::Key PartialMessages::key_of(const Fragment& fragment) const {
  if (kind_ == DataKind::data) return {0, fragment.tsn.value()};
  const std::uint64_t group = (std::uint64_t{fragment.stream.value()} << 33) |
                              (std::uint64_t{fragment.flags.unordered ? 1U : 0U} << 32) | fragment.message_number;
  return {group, fragment.flags.beginning ? 0 : std::int64_t{fragment.fragment_number}};
}

/// The position of the first run that starts behind `key`.
std::size_t PartialMessages::position_after(const Key& key) const {
  const auto starts_behind = [&](std::size_t position) {
    return position >= order_.size() || key < run_slab_[order_[position]].first;
  };
  if (last_position_ < order_.size() && !starts_behind(last_position_) && starts_behind(last_position_ + 1)) {
    return last_position_ + 1;
  }
  const auto at = std::upper_bound(order_.begin(), order_.end(), key,
                                   [&](const Key& value, RunIndex run) { return value < run_slab_[run].first; });
  return static_cast<std::size_t>(at - order_.begin());
}

bool PartialMessages::same_message(const Run& run, const Fragment& fragment) {
  return run.message.stream == fragment.stream && run.message.message_number == fragment.message_number &&
         run.message.flags.unordered == fragment.flags.unordered;
}

std::size_t PartialMessages::size_before(const Fragment& fragment) const {
  const Key key = key_of(fragment);
  const std::size_t position = position_after(key);
  if (position == 0) return 0;
  const Run& left = run_slab_[order_[position - 1]];
  return left.first.group == key.group && left.next_number == key.number ? left.size : 0;
}

PartialMessages::Added PartialMessages::add(const Fragment& fragment, std::size_t expected_size) {
  const Key key = key_of(fragment);
  std::size_t position = position_after(key);
  Run* left = position > 0 ? &run_slab_[order_[position - 1]] : nullptr;
  if (left != nullptr && left->first.group != key.group) left = nullptr;
  if (left != nullptr && left->next_number > key.number) return {Outcome::inconsistent, {}, {}};  // it overlaps

  const bool continues_left =
      left != nullptr && left->next_number == key.number && !left->has_end && !fragment.flags.beginning;
  if (continues_left && !same_message(*left, fragment)) return {Outcome::inconsistent, {}, {}};
  if (kind_ == DataKind::i_data && left != nullptr && left->has_end) return {Outcome::inconsistent, {}, {}};
  if (kind_ == DataKind::i_data && fragment.flags.end && position < order_.size() &&
      run_slab_[order_[position]].first.group == key.group) {
    return {Outcome::inconsistent, {}, {}};  // there are fragments behind its end
  }

  if (continues_left) {
    --position;
    append_bytes(*left, fragment.payload, std::max(left->size, fragment.payload.size()));
    left->next_number = key.number + 1;
    left->has_end = fragment.flags.end;
  } else {
    const RunIndex index = run_slab_.take();
    Run& run = run_slab_[index];
    run = Run{};
    run.first = key;
    run.next_number = key.number + 1;
    run.message = fragment;
    run.message.payload = {};
    run.has_beginning = fragment.flags.beginning;
    run.has_end = fragment.flags.end;
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(position), index);
    const bool may_reserve = fragment.flags.beginning && reserved_ + expected_size <= reserve_limit_;
    append_bytes(run, fragment.payload, may_reserve ? expected_size : fragment.payload.size());
  }
  Run& run = run_slab_[order_[position]];
  last_position_ = position;

  if (!run.has_end && position + 1 < order_.size()) {
    const Run& right = run_slab_[order_[position + 1]];
    if (right.first.group == key.group && right.first.number == run.next_number && !right.has_beginning) {
      if (!same_message(run, right.message)) return {Outcome::inconsistent, {}, {}};
      join(run, position + 1);
    }
  }
  if (!run.has_beginning || !run.has_end) return {};

  Added added{Outcome::complete, run.message, take_payload(run)};
  run_slab_.give_back(order_[position]);
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(position));
  return added;
}

void PartialMessages::append_bytes(Run& run, ByteView bytes, std::size_t capacity) {
  run.size += bytes.size();
  bytes_ += bytes.size();
  if (run.last_segment == Slab<Segment>::kNone || segment_slab_[run.last_segment].buffer.room() < bytes.size()) {
    const auto index = segment_slab_.take();
    Segment& segment = segment_slab_[index];
    segment.buffer = pool_.take(std::max(capacity, bytes.size()));
    segment.next = Slab<Segment>::kNone;
    reserved_ += segment.buffer.capacity();
    if (run.last_segment == Slab<Segment>::kNone) {
      run.first_segment = index;
    } else {
      segment_slab_[run.last_segment].next = index;
    }
    run.last_segment = index;
  }
  segment_slab_[run.last_segment].buffer.append(bytes);
}

/// Takes the run on the right, which continues `left`, into it: small ones by copying, so that a message that arrives
/// in many runs does not end in as many segments.
void PartialMessages::join(Run& left, std::size_t right_position) {
  Run& right = run_slab_[order_[right_position]];
  left.next_number = right.next_number;
  left.has_end = right.has_end;
  left.size += right.size;
  Segment& last = segment_slab_[left.last_segment];
  if (right.first_segment == right.last_segment && last.buffer.room() >= right.size) {
    last.buffer.append(segment_slab_[right.first_segment].buffer.bytes());
    release_segments(right);
  } else {
    last.next = right.first_segment;
    left.last_segment = right.last_segment;
  }
  run_slab_.give_back(order_[right_position]);
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(right_position));
}

Buffer PartialMessages::take_payload(Run& run) {
  bytes_ -= run.size;
  Segment& first = segment_slab_[run.first_segment];
  if (first.next == Slab<Segment>::kNone) {
    reserved_ -= first.buffer.capacity();
    segment_slab_.give_back(run.first_segment);
    return std::move(first.buffer);
  }
  Buffer whole = pool_.take(run.size);
  for (auto index = run.first_segment; index != Slab<Segment>::kNone; index = segment_slab_[index].next) {
    whole.append(segment_slab_[index].buffer.bytes());
  }
  release_segments(run);
  return whole;
}

void PartialMessages::release_segments(Run& run) {
  for (auto index = run.first_segment; index != Slab<Segment>::kNone;) {
    Segment& segment = segment_slab_[index];
    reserved_ -= segment.buffer.capacity();
    segment.buffer.reset();
    segment_slab_.give_back(std::exchange(index, segment.next));
  }
}

std::size_t PartialMessages::drop_at(std::size_t position) {
  Run& run = run_slab_[order_[position]];
  const std::size_t size = run.size;
  bytes_ -= size;
  release_segments(run);
  run_slab_.give_back(order_[position]);
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(position));
  return size;
}

template <class Condition>
std::size_t PartialMessages::drop_where(Condition condition) {
  std::size_t dropped = 0;
  for (std::size_t position = order_.size(); position-- > 0;) {
    if (condition(run_slab_[order_[position]])) dropped += drop_at(position);
  }
  return dropped;
}

std::size_t PartialMessages::drop_up_to(UnwrappedTsn tsn) {
  assert(kind_ == DataKind::data);
  // A run right behind `tsn` that does not begin a message has lost its beginning for good.
  return drop_where([&](const Run& run) {
    return run.first.number <= tsn.value() || (run.first.number == tsn.value() + 1 && !run.has_beginning);
  });
}

std::size_t PartialMessages::drop_messages(StreamId stream, bool unordered, std::uint32_t number) {
  return drop_where([&](const Run& run) {
    return run.message.stream == stream && run.message.flags.unordered == unordered &&
           static_cast<std::int32_t>(number - run.message.message_number) >= 0;
  });
}

std::size_t PartialMessages::drop_stream(StreamId stream) {
  return drop_where([&](const Run& run) { return run.message.stream == stream; });
}

void PartialMessages::reserve(std::size_t runs) {
  order_.reserve(runs);
  run_slab_.reserve(runs);
  segment_slab_.reserve(runs);
}

void PartialMessages::clear() {
  drop_where([](const Run&) { return true; });
}

}  // namespace wdc::sctp

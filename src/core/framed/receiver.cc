// SPDX-License-Identifier: MIT
#include "src/core/framed/receiver.h"

#include <algorithm>
#include <utility>

namespace wdc::core::framed {

using Wanted = Incoming::Wanted;

Receiver::Receiver(ReceiverEvents& events, const FramedOptions& options, Credit credit)
    : events_(events), options_(options), credit_(credit), limit_(options.window) {
  table_.reserve(options_.messages_in_progress);
}

Receiver::~Receiver() {
  while (auto* item = items_.front()) {
    item->unlink();
    if (item->kind() == ReceiveItem::Kind::batch) static_cast<ReceivedFrame*>(item)->drop_reference();
  }
  for (auto& incoming : incoming_) throw_away(*incoming);
}

Hello Receiver::hello() const noexcept {
  Hello hello;
  hello.window = options_.window;
  hello.message_window = options_.message_window;
  hello.messages = options_.messages_in_progress;
  hello.max_message_size = options_.max_message_size;
  hello.max_frame = std::uint64_t{1} << 20;  // the largest that can be asked of a sender's frame_size
  return hello;
}

// Batches.

Fault Receiver::handle_batch(ReceivedFrame& frame) {
  const auto bytes = frame.bytes();
  const auto parsed = BatchCursor::parse(bytes);
  Fault fault = Fault::none;
  if (!parsed)
    fault = Fault::batch_malformed;
  else if (finished_)
    fault = Fault::after_finish;
  else if (counts() && limit_ - used_ < cost_of(bytes.size()))
    fault = Fault::credit_exceeded;
  if (fault != Fault::none) {
    frame.drop_reference();
    return fault;
  }
  frame.batch = *parsed;
  frame.overhead = static_cast<std::size_t>(cost_of(bytes.size())) - parsed->bytes_left();
  used_ += cost_of(bytes.size());
  messages_received_ += parsed->messages_left();
  if (wanted_ == Wanted::not_at_all) {
    events_.on_messages_dropped(parsed->messages_left(), parsed->bytes_left());
    messages_taken_ = messages_received_;
    bytes_taken_ += parsed->bytes_left();
    give_back(cost_of(bytes.size()));
    frame.drop_reference();
  } else {
    items_.push_back(frame);
  }
  return Fault::none;
}

Message Receiver::read_from_batch(ReceivedFrame& frame) {
  const auto entry = frame.batch.next(frame.bytes());
  Message message = frame.view(entry.offset, entry.size, entry.type);
  ++messages_taken_;
  bytes_taken_ += entry.size;
  std::uint64_t cost = entry.size;
  if (frame.batch.messages_left() == 0) {
    cost += frame.overhead;
    static_cast<ReceiveItem&>(frame).unlink();
    frame.drop_reference();
  }
  give_back(cost);
  return message;
}

void Receiver::drop_batch(ReceivedFrame& frame) {
  const std::uint64_t cost = frame.overhead + frame.batch.bytes_left();
  messages_dropped_ += frame.batch.messages_left();
  events_.on_messages_dropped(frame.batch.messages_left(), frame.batch.bytes_left());
  static_cast<ReceiveItem&>(frame).unlink();
  frame.drop_reference();
  give_back(cost);
}

void Receiver::give_back(std::uint64_t cost) {
  given_back_ += cost;
  check_credit();
}

void Receiver::check_credit() {
  if (!counts()) return;
  const std::uint64_t more = given_back_ + options_.window - limit_;
  const bool worth_it = more >= options_.window / 4 || (more > 0 && limit_ - used_ < kSmallestWindow);
  if (worth_it || (messages_told_ < sync_ && messages_taken_ >= sync_)) credit_due_ = true;
}

Fault Receiver::handle_sync(std::uint64_t messages) noexcept {
  if (messages > messages_received_) return Fault::control_impossible;
  sync_ = std::max(sync_, messages);
  hurried_below_ = next_id_;
  hurry_releases();
  check_credit();
  return Fault::none;
}

Fault Receiver::handle_finish(std::uint64_t messages, std::uint64_t parts) noexcept {
  if (finished_) return Fault::after_finish;
  if (messages != messages_received_ || parts != next_id_) return Fault::control_impossible;
  for (const Incoming* incoming : table_)
    if (!incoming->ended && !incoming->cancelled) return Fault::control_impossible;
  finished_ = true;
  return handle_sync(messages);
}

// Messages in parts: what arrives.

void Receiver::list(Incoming& incoming) noexcept {
  items_.push_back(incoming);
  unread_.push_back(incoming);
}

void Receiver::unlist(Incoming& incoming) noexcept {
  static_cast<ReceiveItem&>(incoming).unlink();
  static_cast<ListLink<Incoming>&>(incoming).unlink();
  first_changed_ = true;
}

Incoming* Receiver::find(std::uint64_t id) noexcept {
  const auto found = std::find_if(table_.begin(), table_.end(), [&](const Incoming* one) { return one->id == id; });
  return found == table_.end() ? nullptr : *found;
}

Incoming& Receiver::make_incoming() {
  if (free_.empty()) {
    incoming_.push_back(std::make_unique<Incoming>());
    free_.reserve(incoming_.size());
    free_.push_back(incoming_.back().get());
  }
  Incoming& incoming = *free_.back();
  free_.pop_back();
  std::destroy_at(&incoming);
  std::construct_at(&incoming);
  incoming.in_table = true;
  incoming.id = next_id_++;
  incoming.limit = incoming.next_limit = options_.message_window;
  table_.push_back(&incoming);
  return incoming;
}

Fault Receiver::handle_part(ReceivedFrame& frame) {
  struct Dropper {
    void operator()(ReceivedFrame* one) const noexcept { one->drop_reference(); }
  };
  std::unique_ptr<ReceivedFrame, Dropper> owner(&frame);
  const auto bytes = frame.bytes();
  const auto part = parse_part(bytes);
  if (!part) return Fault::part_malformed;
  if (finished_) return Fault::after_finish;
  const PartHead& head = part->head;
  Incoming* incoming = nullptr;
  if (head.first) {
    if (head.id != next_id_) return Fault::part_unknown;
    if (table_.size() >= options_.messages_in_progress) return Fault::too_many_messages;
    incoming = &make_incoming();
    if (table_.size() == options_.messages_in_progress) hurry_releases();
    incoming->type = head.text ? MessageType::text : MessageType::binary;
    if (head.sized) incoming->size = head.size;
    list(*incoming);
  } else {
    incoming = find(head.id);
    if (incoming == nullptr || incoming->ended || incoming->cancelled) return Fault::part_unknown;
  }
  if (incoming->limit - incoming->used < cost_of(bytes.size())) return Fault::credit_exceeded;
  const std::size_t size = bytes.size() - part->offset;
  if (incoming->size) {
    const std::uint64_t left = *incoming->size - incoming->received;
    if (size > left || (head.last && size != left)) return Fault::part_malformed;
  }
  incoming->used += cost_of(bytes.size());
  incoming->received += size;
  incoming->ended = head.last;
  if (incoming->stopped || incoming->no_memory) {
    release_if_done(*incoming);
    return Fault::none;
  }
  if (head.first && wanted_ == Wanted::whole) incoming->wanted = Wanted::whole;
  if (wanted_ == Wanted::not_at_all && !incoming->held) {
    take(*incoming, size);
    incoming->given_back = incoming->used;
    set_limit(*incoming, incoming->given_back + options_.message_window, options_.message_window);
    if (head.last) {
      incoming->given_out = true;
      unlist(*incoming);
      events_.on_messages_dropped(1, incoming->received);
      release_if_done(*incoming);
    }
    return Fault::none;
  }
  frame.part_offset = part->offset;
  if (size > 0) incoming->parts.push_back(*owner.release());
  join(*incoming);
  if (incoming->wanted == Wanted::whole) {
    if (!check_size(*incoming, incoming->size.value_or(incoming->received))) return Fault::none;
    assemble(*incoming);
    if (incoming->no_memory) return Fault::none;
    if (!incoming->ended) widen(*incoming);
  }
  if (incoming->ended && incoming->held && incoming->wanted != Wanted::whole && !incoming->has_bytes())
    incoming->given_out = true;
  if (incoming->ended && !incoming->held && options_.order == MessageOrder::completions) {
    unlist(*incoming);
    list(*incoming);
  }
  events_.on_incoming_progress(*incoming);
  release_if_done(*incoming);
  widen_all();
  return Fault::none;
}

Fault Receiver::handle_cancel(std::uint64_t id) {
  Incoming* const incoming = find(id);
  if (incoming == nullptr || incoming->ended || incoming->cancelled) return Fault::control_impossible;
  incoming->cancelled = true;
  throw_away(*incoming);
  unlist(*incoming);
  events_.on_incoming_progress(*incoming);
  release_if_done(*incoming);
  widen_all();
  return Fault::none;
}

/// If the first two frames have as many bytes as the second one's head is long, and the rest of the message: puts the
/// first over that head, and all is in one frame.
void Receiver::join(Incoming& incoming) {
  auto* const first = incoming.parts.front();
  auto* const second = first == nullptr ? nullptr : incoming.parts.after(*first);
  if (second == nullptr || !incoming.ended || !incoming.size) return;
  const std::size_t size = first->part_size();
  if (size + second->part_size() != *incoming.size || size != second->part_offset) return;
  second->put_before_part(first->bytes().subspan(first->part_offset));
  static_cast<ListLink<ReceivedFrame>*>(first)->unlink();
  first->drop_reference();
}

/// Nothing need be moved elsewhere: all of the message is in one frame, or the first bytes wait for their place in it.
bool Receiver::is_in_one_piece(Incoming& incoming) {
  auto* const first = incoming.parts.front();
  if (first == nullptr || incoming.whole.size() > 0 || !incoming.size) return false;
  return incoming.is_beginning() || (incoming.ended && first->part_size() == *incoming.size);
}

/// Moves what has come to the one place; its frames are free again.
void Receiver::assemble(Incoming& incoming) {
  if (is_in_one_piece(incoming)) return;
  while (auto* const frame = incoming.parts.front()) {
    static_cast<ListLink<ReceivedFrame>*>(frame)->unlink();
    const bool stored = incoming.whole.append(frame->bytes().subspan(frame->part_offset), incoming.size.value_or(0));
    incoming.whole_cost += cost_of(frame->bytes().size());
    frame->drop_reference();
    if (stored) continue;
    incoming.no_memory = true;
    unlist(incoming);
    if (!incoming.held) events_.on_messages_dropped(1, incoming.received);
    refuse(incoming);
    return;
  }
}

/// Refuses what would be larger than the largest whole message.
bool Receiver::check_size(Incoming& incoming, std::uint64_t size) {
  if (size <= options_.max_message_size) return true;
  incoming.too_large = true;
  unlist(incoming);
  if (!incoming.held) events_.on_messages_dropped(1, size);
  refuse(incoming);
  return false;
}

void Receiver::refuse(Incoming& incoming) {
  throw_away(incoming);
  incoming.stopped = true;
  if (!incoming.ended && !incoming.cancelled) mark_due(incoming.stop_due);
  events_.on_incoming_progress(incoming);
  release_if_done(incoming);
  widen_all();
}

void Receiver::throw_away(Incoming& incoming) {
  incoming.whole.reset();
  while (auto* const frame = incoming.parts.front()) {
    static_cast<ListLink<ReceivedFrame>*>(frame)->unlink();
    frame->drop_reference();
  }
}

// Credit of messages in parts.

/// What may still come of a message that is wanted whole. Who waits for it, or will get it next, always gets more;
/// the others share whole_total.
void Receiver::widen(Incoming& incoming) {
  const std::uint64_t step = std::max(options_.read_window, options_.message_window);
  std::uint64_t limit = incoming.used + step;
  const Incoming* const first = unread_.front();
  if (!incoming.held && &incoming != first) {
    std::uint64_t beyond = 0;
    for (const Incoming* one : table_)
      if (one != &incoming && one != first && one->wanted == Wanted::whole && !one->held)
        beyond += one->next_limit - options_.message_window;
    const std::uint64_t left = options_.whole_total > beyond ? options_.whole_total - beyond : 0;
    limit = std::min(limit, options_.message_window + left);
  }
  set_limit(incoming, limit, step);
}

/// After something has left the list: another may be the first now, and there is more for the others.
void Receiver::widen_all() {
  if (!std::exchange(first_changed_, false)) return;
  for (Incoming* const one : table_)
    if (one->wanted == Wanted::whole && !one->is_over()) widen(*one);
}

/// Tells it if it is a quarter of `step` more, or if the sender could be waiting for it: it holds out for up to half of
/// the first window. Not if what it has is enough for the rest: with the rest in one part it goes in any case, and in
/// smaller ones each part that comes is another occasion.
void Receiver::set_limit(Incoming& incoming, std::uint64_t limit, std::uint64_t step) {
  incoming.next_limit = std::max(incoming.next_limit, limit);
  if (incoming.size) {
    const std::uint64_t rest = *incoming.size - incoming.received;
    if (incoming.limit - incoming.used >= rest + rest / 64 + cost_of(kLongestPartHead)) return;
  }
  const std::uint64_t more = incoming.next_limit - incoming.limit;
  const auto little = std::max<std::uint64_t>(options_.message_window / 2, kSmallestWindow);
  if (more >= step / 4 || (more > 0 && incoming.limit - incoming.used < little)) mark_due(incoming.credit_due);
}

// Reading.

void Receiver::set_wanted(Wanted wanted) {
  wanted_ = wanted;
  if (wanted == Wanted::not_at_all) return drop_unread();
  if (wanted != Wanted::whole) return;
  for (Incoming* const one : table_)
    if (!one->held && !one->given_out && one->wanted != Wanted::whole) want_whole(*one);
}

/// What a reader of whole messages gets next; null: it is not here yet.
ReceiveItem* Receiver::next_whole() noexcept {
  for (auto* item = items_.front(); item != nullptr; item = items_.after(*item)) {
    if (item->kind() == ReceiveItem::Kind::batch || static_cast<Incoming*>(item)->ended) return item;
    if (options_.order == MessageOrder::starts) return nullptr;
  }
  return nullptr;
}

ReceivedFrame* Receiver::next_batch() noexcept {
  ReceiveItem* const item = next_whole();
  const bool is_batch = item != nullptr && item->kind() == ReceiveItem::Kind::batch;
  return is_batch ? static_cast<ReceivedFrame*>(item) : nullptr;
}

std::uint64_t Receiver::room_elsewhere() const noexcept {
  if (!counts() || wanted_ != Wanted::whole || !items_.empty() || finished_ || credit_due_) return 0;
  const std::uint64_t until_due = options_.window / 4;
  const std::uint64_t more = given_back_ + options_.window - limit_;
  return until_due > more ? until_due - more : 0;
}

void Receiver::take_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) {
  used_ += cost;
  messages_received_ += messages;
  messages_taken_ += messages;
  bytes_taken_ += bytes;
  give_back(cost);
}

std::optional<Message> Receiver::read_whole() {
  ReceiveItem* const item = next_whole();
  if (item == nullptr) return std::nullopt;
  if (item->kind() == ReceiveItem::Kind::batch) return read_from_batch(*static_cast<ReceivedFrame*>(item));
  return read_whole(*static_cast<Incoming*>(item));
}

Receiver::Start Receiver::read_start() {
  ReceiveItem* const item = items_.front();
  if (item == nullptr) return {};
  if (item->kind() == ReceiveItem::Kind::batch) return {read_from_batch(*static_cast<ReceivedFrame*>(item)), nullptr};
  auto& incoming = *static_cast<Incoming*>(item);
  unlist(incoming);
  incoming.held = true;
  if (incoming.ended && !incoming.has_bytes()) incoming.given_out = true;
  release_if_done(incoming);
  widen_all();
  return {std::nullopt, &incoming};
}

std::optional<Message> Receiver::read_part(Incoming& incoming) {
  if (!incoming.is_over()) incoming.wanted = Wanted::in_parts;
  if (incoming.is_beginning()) return std::nullopt;
  std::optional<Message> part;
  if (incoming.whole.size() > 0) {
    part = incoming.whole.take(incoming.type);
    incoming.given_back += std::exchange(incoming.whole_cost, 0);
  } else if (auto* const frame = incoming.parts.front()) {
    static_cast<ListLink<ReceivedFrame>*>(frame)->unlink();
    part = frame->view(frame->part_offset, frame->part_size(), incoming.type);
    incoming.given_back += cost_of(frame->bytes().size());
    frame->drop_reference();
  }
  if (part) take(incoming, part->size());
  if (incoming.ended && !incoming.has_bytes()) incoming.given_out = true;
  if (!incoming.is_over()) {
    const std::uint64_t window = std::max(options_.read_window, options_.message_window);
    set_limit(incoming, incoming.given_back + window, window);
  }
  release_if_done(incoming);
  return part;
}

void Receiver::want_whole(Incoming& incoming) {
  incoming.wanted = Wanted::whole;
  if (incoming.cancelled || incoming.stopped || incoming.no_memory) return;
  const std::uint64_t size = incoming.size.value_or(incoming.received);
  if (!check_size(incoming, size - incoming.taken)) return;
  assemble(incoming);
  if (!incoming.is_over()) widen(incoming);
}

Message Receiver::read_whole(Incoming& incoming) {
  if (!incoming.parts.empty()) assemble(incoming);
  Message message = MessageAccess::empty(incoming.type);
  if (incoming.whole.size() > 0) {
    message = incoming.whole.take(incoming.type);
  } else if (auto* const frame = incoming.parts.front()) {
    static_cast<ListLink<ReceivedFrame>*>(frame)->unlink();
    message = frame->view(frame->part_offset, frame->part_size(), incoming.type);
    frame->drop_reference();
  }
  take(incoming, message.size());
  incoming.given_out = true;
  unlist(incoming);
  release_if_done(incoming);
  widen_all();
  return message;
}

void Receiver::stop(Incoming& incoming) {
  if (incoming.given_out || incoming.stopped || incoming.cancelled) return;
  refuse(incoming);
}

void Receiver::let_go(Incoming& incoming) {
  stop(incoming);
  incoming.held = false;
  recycle_if_unused(incoming);
}

void Receiver::drop_unread() {
  while (auto* const item = items_.front()) {
    if (item->kind() == ReceiveItem::Kind::batch) {
      drop_batch(*static_cast<ReceivedFrame*>(item));
      continue;
    }
    auto& incoming = *static_cast<Incoming*>(item);
    unlist(incoming);
    events_.on_messages_dropped(1, incoming.received);
    refuse(incoming);
  }
}

bool Receiver::drop_oldest() {
  ReceiveItem* const item = items_.front();
  if (item == nullptr || item->kind() != ReceiveItem::Kind::batch) return false;
  drop_batch(*static_cast<ReceivedFrame*>(item));
  return true;
}

void Receiver::drop_incomplete() {
  for (auto* item = items_.front(); item != nullptr;) {
    auto* const next = items_.after(*item);
    if (item->kind() == ReceiveItem::Kind::incoming && !static_cast<Incoming*>(item)->ended) {
      unlist(*static_cast<Incoming*>(item));
      throw_away(*static_cast<Incoming*>(item));
    }
    item = next;
  }
  for (auto& incoming : incoming_)
    if (incoming->held) events_.on_incoming_progress(*incoming);
}

// Records.

void Receiver::mark_due(bool& flag) noexcept {
  if (!std::exchange(flag, true)) ++records_due_;
}

void Receiver::take(Incoming& incoming, std::uint64_t bytes) noexcept {
  incoming.taken += bytes;
  untold_ = true;
}

void Receiver::tell() noexcept {
  untold_ = false;
  hurry_releases();
  for (Incoming* const one : table_)
    if (one->taken > one->told) mark_due(one->report_due);
}

/// The end of a message: nothing of it comes any more, and its user has what it wanted of it.
void Receiver::release_if_done(Incoming& incoming) {
  const bool over = incoming.in_table && (incoming.ended || incoming.cancelled);
  if (!over || !(incoming.given_out || incoming.cancelled || incoming.stopped) || incoming.release_due) return;
  mark_due(incoming.release_due);
  if (!may_wait(incoming)) return hurry_releases();
  ++releases_waiting_;
  waiting_bytes_ += incoming.taken;
}

/// Messages of a few parts would otherwise be answered by a frame each: 4 % more packets with 64 KiB ones in Chromium.
/// Not where their sender may be waiting for it, and no more of them than half of the channel's window.
bool Receiver::may_wait(const Incoming& incoming) const noexcept {
  return incoming.given_out && incoming.taken == incoming.received && incoming.id >= hurried_below_ && !finished_ &&
         table_.size() < options_.messages_in_progress && releases_waiting_ + 1 < options_.messages_in_progress / 4 &&
         waiting_bytes_ + incoming.taken < options_.window / 2;
}

bool Receiver::poll_records(Writer& writer) {
  hurry_releases();  // all go with what goes now
  if (credit_due_) {
    if (writer.left() < kLongestRecord) return true;
    limit_ = given_back_ + options_.window;
    messages_told_ = messages_taken_;
    encode(Record{RecordKind::credit, {limit_, messages_taken_, bytes_taken_}}, writer);
    credit_due_ = false;
  }
  const auto take = [&](bool& flag) {
    if (!std::exchange(flag, false)) return false;
    --records_due_;
    return true;
  };
  for (std::size_t i = 0; i < table_.size() && records_due_ > 0;) {
    Incoming& one = *table_[i];
    if (writer.left() < kLongestRecord) return true;
    if (take(one.stop_due) && !one.release_due) {
      const std::uint64_t reason = one.too_large ? 1 : 0;
      encode(Record{RecordKind::stop, {one.id, reason, one.too_large ? options_.max_message_size : 0}}, writer);
      continue;
    }
    const bool credit = take(one.credit_due) && !one.is_over();
    const bool report = take(one.report_due) && !one.release_due;
    if (credit || report) {
      one.limit = one.next_limit;
      one.told = one.taken;
      encode(Record{RecordKind::message_credit, {one.id, one.limit, one.taken}}, writer);
      continue;
    }
    if (take(one.release_due)) {
      encode(Record{RecordKind::release, {one.id, one.taken}}, writer);
      one.in_table = false;
      table_.erase(table_.begin() + static_cast<std::ptrdiff_t>(i));
      recycle_if_unused(one);
      continue;
    }
    ++i;
  }
  return false;
}

void Receiver::recycle_if_unused(Incoming& incoming) {
  if (!incoming.in_table && !incoming.held) free_.push_back(&incoming);
}

}  // namespace wdc::core::framed

// SPDX-License-Identifier: MIT
#include "src/core/framed/sender.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace wdc::core::framed {

void Sender::open(const Hello& peer, std::size_t frame_limit, std::size_t largest_frame) {
  peer_ = peer;
  limit_ = peer.window;
  frame_limit_ = static_cast<std::size_t>(std::min<std::uint64_t>(frame_limit, peer.max_frame));
  largest_frame_ = static_cast<std::size_t>(std::min<std::uint64_t>(largest_frame, peer.max_frame));
  buffer_.set_limit(frame_limit_);
  slot_count_ = static_cast<std::size_t>(std::min<std::uint64_t>(peer.messages, kMostSlots));
  slots_ = std::make_unique<OutgoingSlot[]>(slot_count_);
  open_ = true;
}

void Sender::open_batches_only(std::size_t frame_limit, std::size_t largest_frame) {
  batches_only_ = true;
  limit_ = std::numeric_limits<std::uint64_t>::max();
  frame_limit_ = std::min(frame_limit, largest_frame);
  largest_frame_ = largest_frame;
  buffer_.set_limit(frame_limit_);
  open_ = true;
}

// Small messages.

bool Sender::credit_for(std::size_t size) const noexcept {
  if (batches_only_) return true;
  const std::uint64_t left = limit_ - used_;
  if (buffer_.empty()) return cost_of(FrameBuffer::alone(size)) <= left;
  if (buffer_.fits(size)) return cost_of(buffer_.size_with(size)) <= left;
  return cost_of(buffer_.size_with(0)) + cost_of(FrameBuffer::alone(size)) <= left;
}

Sender::Append Sender::append(std::span<const std::byte> bytes, MessageType type, Priority priority) {
  if (!open_ || is_reading_ || scheduler_.waits(priority)) return Append::waits;
  if (!size_in_batch(bytes.size()) || !credit_for(bytes.size())) return Append::waits;
  if (!frame_.empty()) return Append::full;
  const bool grows = batches_only_ && buffer_.empty();
  if (!grows && !buffer_.fits(bytes.size())) return Append::full;
  append_to_batch(bytes, type);
  given_bytes_ += bytes.size();
  return Append::done;
}

FrameRoom Sender::lend() const noexcept {
  if (!open_ || is_reading_ || !frame_.empty() || buffer_.empty() || scheduler_.waits(Priority::low)) return {};
  if (batches_only_) return buffer_.room(buffer_.limit());
  const std::uint64_t credit = limit_ - used_;
  constexpr std::uint64_t kAlone = kFrameCost + FrameBuffer::alone(0xFFFF) - 0xFFFF;
  if (credit <= kFrameCost || peer_.window / 2 < kAlone) return {};
  auto room = buffer_.room(static_cast<std::size_t>(std::min<std::uint64_t>(credit - kFrameCost, buffer_.limit())));
  room.largest = static_cast<std::size_t>(std::min<std::uint64_t>(room.largest, peer_.window / 2 - kAlone));
  assert(size_in_batch(room.largest));
  return room;
}

void Sender::append_lent(std::span<const std::uint32_t> sizes) noexcept {
  for (const std::uint32_t size : sizes) {
    assert(buffer_.fits(size));
    static_cast<void>(buffer_.append(size, MessageType::binary));
    given_bytes_ += size;
  }
  appended_messages_ += sizes.size();
}

std::uint64_t Sender::room_elsewhere() const noexcept {
  return open_ && !batches_only_ && !is_reading_ && drained() ? limit_ - used_ : 0;
}

void Sender::send_elsewhere(std::uint64_t messages, std::uint64_t bytes, std::uint64_t cost) noexcept {
  appended_messages_ += messages;
  sent_messages_ += messages;
  given_bytes_ += bytes;
  sent_bytes_ += bytes;
  batch_bytes_sent_ += bytes;
  used_ += cost;
}

void Sender::append_to_batch(std::span<const std::byte> bytes, MessageType type) {
  if (batches_only_ && buffer_.empty()) buffer_.set_limit(std::max(frame_limit_, FrameBuffer::alone(bytes.size())));
  const auto place = buffer_.append(bytes.size(), type);
  if (!bytes.empty()) std::memcpy(place.data(), bytes.data(), bytes.size());
  ++appended_messages_;
}

std::span<const std::byte> Sender::finish_batch() noexcept {
  frame_messages_ = buffer_.messages();
  frame_bytes_ = buffer_.bytes();
  frame_slot_ = nullptr;
  frame_ = buffer_.finish_batch();
  buffer_.clear();
  used_ += cost_of(frame_.size());
  return frame_;
}

// All messages, by turns.

void Sender::enqueue(Outgoing& message) noexcept {
  scheduler_.add(message);
  given_bytes_ += message.bytes.size();
}

void Sender::replace(Outgoing& old, Outgoing& fresh) noexcept {
  scheduler_.replace(old, fresh);
  given_bytes_ += fresh.bytes.size();
}

bool Sender::can_start(const Outgoing& message) const noexcept {
  return in_batch(message) ? credit_for(message.bytes.size()) : slots_in_use_ < slot_count_;
}

std::span<const std::byte> Sender::poll_frame(Flush flush) {
  if (!frame_.empty()) return frame_;
  if (!open_ || is_reading_) return {};
  for (;;) {
    const auto [message, start] = scheduler_.pick([this](const Outgoing& one) { return can_start(one); });
    if (message == nullptr) break;
    if (start && in_batch(*message)) {
      const std::size_t size = message->bytes.size();
      if (!buffer_.fits(size) && !(batches_only_ && buffer_.empty())) {
        scheduler_.alternate(message->priority, true);
        return finish_batch();
      }
      append_to_batch(message->bytes, message->type);
      scheduler_.charge(message->priority, size);
      end(*message, {});
      continue;
    }
    // What was sent before goes before.
    if (!buffer_.empty()) return finish_batch();
    make_part(*message);
    if (!frame_.empty()) return frame_;
  }
  return flush == Flush::everything && !buffer_.empty() ? finish_batch() : std::span<const std::byte>();
}

void Sender::handle_sent() noexcept {
  sent_bytes_ += frame_bytes_;
  if (frame_slot_ != nullptr) {
    frame_slot_->sent += frame_bytes_;
  } else {
    sent_messages_ += frame_messages_;
    batch_bytes_sent_ += frame_bytes_;
  }
  frame_slot_ = nullptr;
  frame_ = {};
}

// Messages in parts.

/// A message in memory that fits a frame of its own, but for the head, goes in two: first as many bytes as the second
/// one's head is long, then the rest. Where that one arrives the first bytes take the place of its head, and the
/// message is in one piece, with nothing copied.
bool Sender::is_in_one_piece(const Outgoing& message) const noexcept {
  return message.in_memory && message.size <= largest_frame_ &&
         message.size + 2 * (kFrameCost + kLongestPartHead) <= peer_.message_window;
}

/// Bytes of the next frame of the message.
std::size_t Sender::limit_for(const Outgoing& message, const PartHead& head) const noexcept {
  if (!is_in_one_piece(message)) return frame_limit_;
  const std::size_t later_head = encoded_size(PartHead{.id = head.id});
  if (head.first) return encoded_size(head) + later_head;
  return message.offset == later_head ? static_cast<std::size_t>(message.size) : frame_limit_;
}

/// How many bytes of the message may go now; none: not before more credit has come.
std::optional<std::size_t> Sender::room_for(const Outgoing& message, const PartHead& head) const noexcept {
  const std::size_t head_size = encoded_size(head);
  std::uint64_t wanted = limit_for(message, head) - head_size;
  if (message.size != Outgoing::kUnknownSize) wanted = std::min(wanted, message.size - message.offset);
  const std::uint64_t left = message.slot == nullptr ? peer_.message_window : message.slot->limit - message.slot->used;
  const std::uint64_t whole = kFrameCost + head_size + wanted;
  if (left < std::min(whole, std::max(peer_.message_window / 2, kSmallestWindow))) return std::nullopt;
  return static_cast<std::size_t>(std::min(wanted, left - kFrameCost - head_size));
}

void Sender::make_part(Outgoing& message) {
  PartHead head;
  head.first = message.slot == nullptr;
  head.id = head.first ? next_id_ : message.slot->id;
  if (head.first) {
    head.text = message.type == MessageType::text;
    head.sized = message.size != Outgoing::kUnknownSize;
    head.size = head.sized ? message.size : 0;
  }
  const auto room = room_for(message, head);
  if (!room) return scheduler_.park(message);
  const bool from_source = message.source != nullptr;
  reading_ = &message;
  buffer_.set_limit(std::max(frame_limit_, encoded_size(head) + *room));
  const auto filled = fill(message, buffer_.part_room(head).first(*room));
  buffer_.set_limit(frame_limit_);
  // A source's user may have taken its message back meanwhile.
  if (std::exchange(reading_, nullptr) == nullptr) return;
  if (!filled) {
    if (filled.error().code() == Errc::would_block) return scheduler_.park(message);
    if (message.slot != nullptr) give_up(*message.slot);
    return end(message, std::unexpected(filled.error()));
  }
  if (head.first) begin(message);
  OutgoingSlot& slot = *message.slot;
  message.offset += *filled;
  if (from_source) given_bytes_ += *filled;
  head.last = message.offset == message.size || (from_source && *filled == 0);
  frame_ = buffer_.finish_part(head, *filled);
  frame_slot_ = &slot;
  frame_bytes_ = *filled;
  slot.used += cost_of(frame_.size());
  scheduler_.charge(message.priority, frame_.size());
  scheduler_.alternate(message.priority, head.first);
  if (!head.last) return scheduler_.add(message);  // behind the others
  slot.ended = true;
  slot.message = nullptr;
  message.slot = nullptr;
  end(message, {});
}

Result<std::size_t> Sender::fill(Outgoing& message, std::span<std::byte> room) {
  if (message.source == nullptr) {
    if (!room.empty()) std::memcpy(room.data(), message.bytes.data() + message.offset, room.size());
    return room.size();
  }
  if (message.offset == message.size) return 0;  // a source of nothing
  is_reading_ = true;
  auto read = message.source->read(room);
  is_reading_ = false;
  if (reading_ == nullptr || !read) return read;
  if (*read > room.size())
    return wdc::fail(Errc::invalid_argument, *read, room.size(), "a source wrote more than there was room for");
  if (*read == 0 && message.size != Outgoing::kUnknownSize)
    return wdc::fail(Errc::invalid_argument, message.offset, message.size, "a source ended before its size");
  return read;
}

void Sender::begin(Outgoing& message) noexcept {
  const auto free = std::find_if(slots().begin(), slots().end(), [](const OutgoingSlot& slot) { return !slot.in_use; });
  *free = OutgoingSlot{};
  free->message = &message;
  free->id = next_id_++;
  free->limit = peer_.message_window;
  free->in_use = true;
  ++slots_in_use_;
  message.slot = &*free;
}

void Sender::give_up(OutgoingSlot& slot) noexcept {
  if (slot.message != nullptr) slot.message->slot = nullptr;
  slot.message = nullptr;
  slot.ended = slot.given_up = slot.cancel_due = true;
  ++cancels_due_;
}

void Sender::end(Outgoing& message, Result<void> result) {
  scheduler_.remove(message);
  events_.on_outgoing_end(message, std::move(result));
}

void Sender::withdraw(Outgoing& message) noexcept {
  if (reading_ == &message) reading_ = nullptr;
  if (message.slot != nullptr) give_up(*message.slot);
  scheduler_.remove(message);
}

void Sender::take_back(Outgoing& message) noexcept {
  if (message.slot == nullptr) given_bytes_ -= message.bytes.size();
  withdraw(message);
}

void Sender::fail_all(const Error& error) {
  while (auto* message = scheduler_.any()) {
    withdraw(*message);
    events_.on_outgoing_end(*message, std::unexpected(error));
  }
}

// What the peer says.

OutgoingSlot* Sender::find(std::uint64_t id) noexcept {
  for (OutgoingSlot& slot : slots())
    if (slot.in_use && slot.id == id) return &slot;
  return nullptr;
}

Fault Sender::handle_credit(std::uint64_t limit, std::uint64_t messages, std::uint64_t bytes) noexcept {
  if (limit < limit_ || messages < taken_messages_ || messages > sent_messages_ || bytes < batch_bytes_taken_ ||
      bytes > batch_bytes_sent_)
    return Fault::control_impossible;
  limit_ = limit;
  taken_messages_ = messages;
  batch_bytes_taken_ = bytes;
  return Fault::none;
}

Fault Sender::handle_message_credit(std::uint64_t id, std::uint64_t limit, std::uint64_t bytes) noexcept {
  OutgoingSlot* const slot = find(id);
  if (slot == nullptr || limit < slot->limit || bytes < slot->taken || bytes > slot->sent)
    return Fault::control_impossible;
  slot->limit = limit;
  slot->taken = bytes;
  if (slot->message != nullptr) scheduler_.resume(*slot->message);
  return Fault::none;
}

Fault Sender::handle_stop(std::uint64_t id, std::uint64_t reason, std::uint64_t limit) {
  OutgoingSlot* const slot = find(id);
  if (slot == nullptr || reason > 1) return Fault::control_impossible;
  Outgoing* const message = slot->message;
  if (message == nullptr) return Fault::none;  // crossed its last part, or was given up here, too
  const std::uint64_t size = message->size == Outgoing::kUnknownSize ? message->offset : message->size;
  if (reading_ == message) reading_ = nullptr;
  give_up(*slot);
  end(*message, reason == 0 ? wdc::fail(Errc::stopped) : wdc::fail(Errc::message_too_large, size, limit));
  return Fault::none;
}

Fault Sender::handle_release(std::uint64_t id, std::uint64_t bytes) noexcept {
  OutgoingSlot* const slot = find(id);
  if (slot == nullptr || !slot->ended || slot->cancel_due || slot == frame_slot_ || bytes < slot->taken ||
      bytes > slot->sent)
    return Fault::control_impossible;
  released_taken_ += bytes;
  released_lost_ += slot->sent - bytes;
  if (!slot->given_up && bytes < slot->sent) some_unread_ = true;
  *slot = OutgoingSlot{};
  --slots_in_use_;
  return Fault::none;
}

bool Sender::poll_cancels(Writer& writer) noexcept {
  if (cancels_due_ == 0) return false;
  for (OutgoingSlot& slot : slots()) {
    // Not before the part that it comes after.
    if (!slot.cancel_due || &slot == frame_slot_) continue;
    if (writer.left() < kLongestRecord) return true;
    encode(Record{RecordKind::cancel, {slot.id}}, writer);
    slot.cancel_due = false;
    --cancels_due_;
  }
  return false;
}

// What became of it.

std::uint64_t Sender::lowest_unreleased() const noexcept {
  std::uint64_t lowest = next_id_;
  for (const OutgoingSlot& slot : slots())
    if (slot.in_use) lowest = std::min(lowest, slot.id);
  return lowest;
}

Delivery Sender::delivery() const noexcept {
  Delivery delivery;
  delivery.acknowledged = batch_bytes_taken_ + released_taken_;
  for (const OutgoingSlot& slot : slots()) delivery.acknowledged += slot.taken;
  delivery.in_doubt = sent_bytes_ - delivery.acknowledged - released_lost_;
  delivery.unsent = given_bytes_ - delivery.acknowledged - delivery.in_doubt;
  return delivery;
}

}  // namespace wdc::core::framed

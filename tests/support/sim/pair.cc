// SPDX-License-Identifier: MIT
#include "tests/support/sim/pair.h"

#include <algorithm>
#include <cstring>

namespace wdc::sim {

sctp::SendStatus End::send(std::uint16_t stream, std::string_view text, TimePoint now, const sctp::SendOptions& options,
                           std::uint32_t ppid) {
  auto* const copy = new std::byte[text.size()];
  std::memcpy(copy, text.data(), text.size());
  const auto release = [](void* owner, sctp::ByteView) noexcept { delete[] static_cast<std::byte*>(owner); };
  return association.send(sctp::StreamId(stream), sctp::Ppid(ppid), sctp::Payload({copy, text.size()}, copy, release),
                          options, now);
}

Pair::Pair(const sctp::AssociationOptions& a_options, const sctp::AssociationOptions& b_options,
           const LinkOptions& there, const LinkOptions& back, std::uint64_t seed)
    : a(a_options, seed * 4 + 1),
      b(b_options, seed * 4 + 2),
      a_to_b(there, seed * 4 + 3),
      b_to_a(back, seed * 4 + 4),
      memory_(64 * std::max(a_options.packet_size, b_options.packet_size)) {}

bool Pair::drain(End& end) {
  bool any = false;
  while (auto event = end.association.poll_event()) {
    end.events.push_back(std::move(*event));
    any = true;
  }
  while (end.reads) {
    auto message = end.association.poll_message();
    if (!message) break;
    const auto bytes = message->payload.bytes();
    end.messages.push_back({message->stream.value(), message->ppid.value(),
                            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
    end.association.consumed(bytes.size());
    any = true;
  }
  return any;
}

bool Pair::transmit(End& from, Link& link, bool from_a) {
  bool any = false;
  for (;;) {
    sctp::PacketTrain train(memory_, from.association.packet_size());
    from.association.poll_transmit(train, now);
    if (train.empty()) return any;
    any = true;
    for (std::size_t i = 0; i < train.count(); ++i) {
      if (!tap || tap(from_a, train.packet(i))) link.send(train.packet(i), now);
    }
  }
}

bool Pair::receive(End& to, Link& link) {
  burst_.clear();
  views_.clear();
  while (auto packet = link.poll(now)) burst_.push_back(std::move(*packet));
  if (burst_.empty()) return false;
  for (const auto& packet : burst_) views_.emplace_back(packet);
  to.association.handle_packets(views_, now);
  for (auto& packet : burst_) link.recycle(std::move(packet));
  drain(to);
  if (after_burst) after_burst(to);
  return true;
}

bool Pair::settle() {
  bool any = false;
  for (bool again = true; again;) {
    again = drain(a);
    again |= drain(b);
    again |= transmit(a, a_to_b, true);
    again |= transmit(b, b_to_a, false);
    again |= receive(b, a_to_b);
    again |= receive(a, b_to_a);
    any |= again;
  }
  return any;
}

TimePoint Pair::next_time() const {
  return std::min(
      {a_to_b.next_arrival(), b_to_a.next_arrival(), a.association.next_deadline(), b.association.next_deadline()});
}

bool Pair::run_until(const std::function<bool()>& condition, Duration limit) {
  const TimePoint end = now + limit;
  for (;;) {
    settle();
    if (condition()) return true;
    const TimePoint next = next_time();
    if (next > end) {
      now = end;
      return false;
    }
    now = std::max(now, next);
    if (a.association.next_deadline() <= now) a.association.handle_timeout(now);
    if (b.association.next_deadline() <= now) b.association.handle_timeout(now);
  }
}

void Pair::run_for(Duration limit) {
  run_until([] { return false; }, limit);
}

bool Pair::connect(bool simultaneous, Duration limit) {
  a.association.connect(now);
  if (simultaneous) b.association.connect(now);
  return run_until([&] { return a.count<sctp::ConnectedEvent>() == 1 && b.count<sctp::ConnectedEvent>() == 1; }, limit);
}

}  // namespace wdc::sim

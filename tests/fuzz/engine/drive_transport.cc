// SPDX-License-Identifier: MIT
#include "tests/fuzz/engine/drive_transport.h"

#include <array>
#include <deque>
#include <vector>

#include "src/native/dtls/certificate.h"
#include "src/native/dtls/context.h"
#include "src/native/engine/transport.h"
#include "tests/fuzz/input.h"
#include "tests/support/sim/random.h"

namespace wdc::fuzz {
namespace {

using namespace native;
using namespace std::chrono_literals;
using Bytes = std::vector<std::byte>;

struct Identity {
  static constexpr dtls::WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  dtls::Certificate certificate = dtls::Certificate::make(kToday).value();
  std::unique_ptr<dtls::Context> context =
      dtls::Context::make(certificate, kToday, dtls::make_openssl_aead_provider()).value();
};

Identity& identity() {
  static Identity one;
  return one;
}

class Numbers final : public RandomSource {
 public:
  explicit Numbers(std::uint64_t seed) : random_(seed) {}
  std::uint64_t next() override { return random_.next(); }

 private:
  sim::Random random_;
};

SocketAddress address(unsigned host) {
  const std::array bytes{std::byte{192}, std::byte{0}, std::byte{2}, static_cast<std::byte>(host)};
  return {.ip = IpAddress::v4(bytes), .port = 5'000};
}

/// A transport at an address, and what it has said.
struct End {
  End(unsigned host, ice::Role role)
      : random(host),
        local(address(host)),
        transport(options(role), {*identity().context, buffers, random, train_memory}) {
    transport.ice().add_local_address(local, ice::CandidateType::host, 1, now);
    transport.ice().end_of_local_addresses(now);
  }
  static TransportOptions options(ice::Role role) {
    TransportOptions made;
    made.ice.role = role;
    made.sctp.receive_window = 100'000;
    made.sctp.receive_message_size = 10'000;
    return made;
  }
  void meet(const ice::Credentials& credentials, const SocketAddress& peer, dtls::Role role) {
    require(transport.ice().set_remote_credentials(credentials, ice::PeerKind::full, now));
    ice::Candidate candidate;
    candidate.foundation = "1";
    candidate.address = peer;
    candidate.priority = 1;
    static_cast<void>(transport.ice().add_remote_candidate(candidate, now));
    require(transport.start({.role = role, .fingerprints = {*identity().certificate.fingerprint()}}, now).has_value());
  }
  void take(std::span<Bytes> burst, const SocketAddress& from) {
    std::vector<dtls::MutableByteView> views(burst.begin(), burst.end());
    transport.handle_datagrams({local, from}, views, now);
    drain();
  }
  void drain() {
    for (bool goes_on = true; goes_on;) {
      goes_on = false;
      while (transport.poll_ice_event(now)) goes_on = true;
      while (auto message = transport.poll_message(now)) {
        goes_on = true;
        messages += 1;
        require(message->payload.size() > 0 && message->payload.size() <= 10'000);
        transport.consumed(message->charge());
      }
      while (auto event = transport.poll_event()) {
        goes_on = true;
        if (std::holds_alternative<UpEvent>(*event)) ++ups;
        if (std::holds_alternative<DownEvent>(*event)) ++downs;
      }
    }
    std::size_t count = 0;
    while (const auto burst = transport.poll_transmit(now)) {
      require(burst->path.local == local && ++count < 1'000);
      for (const auto datagram : burst->datagrams) {
        require(!datagram.empty() && datagram.size() <= 1'200);
        outgoing.push_back({burst->path.remote, {datagram.begin(), datagram.end()}});
      }
    }
    require(ups <= 1 && downs <= 1);
    if (outgoing.size() > 2'000) outgoing.clear();
  }
  void pass(Duration time) {
    now += time;
    if (transport.next_deadline() <= now) transport.handle_timeout(now);
    drain();
  }

  struct Sent {
    SocketAddress to;
    Bytes bytes;
  };
  TimePoint now{1'000s};
  Numbers random;
  SocketAddress local;
  sctp::BufferPool buffers;
  Bytes train_memory = Bytes(sctp::PacketTrain::kMostPackets * 1'200);
  Transport transport;
  std::deque<Sent> outgoing;
  int ups = 0, downs = 0, messages = 0;
};

Bytes copy(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

/// Something that looks like a record of DTLS, or like nothing.
Bytes rubbish(Input& input) {
  Bytes datagram = copy(input.take(input.byte()));
  const auto kind = input.byte();
  if (!datagram.empty() && kind % 2 == 0) datagram[0] = static_cast<std::byte>(20 + kind / 2 % 6);
  if (datagram.size() > 13 && kind % 4 == 0) {  // a record of the right version and length
    datagram[1] = std::byte{254};
    datagram[2] = std::byte{253};
    datagram[3] = static_cast<std::byte>(0);
    datagram[4] = static_cast<std::byte>(kind / 64 % 2);
    datagram[11] = std::byte{0};
    datagram[12] = static_cast<std::byte>(datagram.size() - 13);
  }
  return datagram;
}

const ice::Credentials kStranger{"peer", "the-password-of-the-peer"};

/// Authentic in ICE, and no more.
void be_a_stranger(Input& input, dtls::Role role) {
  End end(1, ice::Role::controlled);
  const bool is_early = input.byte() % 2 == 0;  // datagrams come before the descriptions
  if (!is_early) end.meet(kStranger, address(2), role);
  end.drain();
  for (int steps = 0; !input.empty() && steps < 100; ++steps) {
    if (is_early && steps == 10) end.meet(kStranger, address(2), role);
    const SocketAddress from = address(2 + input.byte() % 4);
    switch (input.byte() % 5) {
      case 0:
        end.pass(std::chrono::milliseconds(input.word()));
        break;
      case 1: {  // a check
        ice::TransactionId transaction;
        transaction.bytes[0] = static_cast<std::byte>(input.byte());
        ice::StunWriter writer(ice::StunClass::request, ice::StunMethod::binding, transaction);
        writer.add_username(end.transport.ice().local_credentials().username_fragment, kStranger.username_fragment);
        writer.add_priority(1);
        writer.add_controlling(input.byte());
        writer.add_use_candidate();
        writer.add_integrity(end.transport.ice().local_credentials().password);
        std::array burst{writer.finish(), rubbish(input)};
        end.take(burst, from);
        break;
      }
      case 2: {  // the answer to a check
        if (end.outgoing.empty()) break;
        const auto& sent = end.outgoing[input.byte() % end.outgoing.size()];
        const auto check = ice::StunMessage::parse(sent.bytes);
        if (!check || check->message_class != ice::StunClass::request) break;
        ice::StunWriter writer(ice::StunClass::success, ice::StunMethod::binding, check->transaction);
        writer.add_xor_mapped_address(end.local);
        writer.add_integrity(kStranger.password);
        std::array burst{writer.finish()};
        const auto to = sent.to;
        end.take(burst, to);
        break;
      }
      default: {
        std::vector<Bytes> burst;
        for (int count = input.byte() % 12; count >= 0; --count) burst.push_back(rubbish(input));
        end.take(burst, from);
        break;
      }
    }
  }
  // Nobody with the right certificate was there.
  require(end.ups == 0 && end.messages == 0);
  for (int rounds = 0; end.transport.next_deadline() != kNever && rounds < 10'000; ++rounds) {
    end.now = std::max(end.now, end.transport.next_deadline());
    end.transport.handle_timeout(end.now);
    end.drain();
    if (end.now > TimePoint(1'000s + 24h)) break;
  }
}

/// Between two ends that are connected.
void be_a_thief(Input& input) {
  End a(1, ice::Role::controlling);
  End b(2, ice::Role::controlled);
  a.meet(b.transport.ice().local_credentials(), b.local, dtls::Role::client);
  b.meet(a.transport.ice().local_credentials(), a.local, dtls::Role::server);
  std::deque<Bytes> seen;
  const auto deliver = [&](End& from, End& to) {
    while (!from.outgoing.empty()) {
      std::array burst{std::move(from.outgoing.front().bytes)};
      from.outgoing.pop_front();
      if (seen.size() >= 64) seen.pop_front();
      seen.push_back(burst[0]);
      to.take(burst, from.local);
    }
  };
  a.drain();
  b.drain();
  for (int turns = 0; turns < 200 && (a.ups == 0 || b.ups == 0); ++turns) {
    deliver(a, b);
    deliver(b, a);
    for (End* const end : {&a, &b}) end->pass(5ms);
  }
  require(a.ups == 1 && b.ups == 1);
  const auto id = a.transport.open_channel({}, a.now);
  require(id.has_value());
  int said = 0;
  for (int steps = 0; !input.empty() && steps < 100; ++steps) {
    End& victim = input.byte() % 2 == 0 ? a : b;
    const SocketAddress from = input.byte() % 8 == 0 ? address(9) : (&victim == &a ? b : a).local;
    std::vector<Bytes> burst;
    switch (input.byte() % 6) {
      case 0: {
        auto* const text = new Bytes(1 + input.word() % 5'000);
        sctp::Payload payload(*text, text,
                              [](void* owner, sctp::ByteView) noexcept { delete static_cast<Bytes*>(owner); });
        if (a.transport.is_up() && a.transport.send(*id, dcep::PayloadKind::binary, false, std::move(payload), {},
                                                    a.now) == sctp::SendStatus::ok)
          ++said;
        a.drain();
        break;
      }
      case 1:
        deliver(a, b);
        deliver(b, a);
        break;
      case 2:  // as they were, some twice
        for (int count = input.byte() % 8; count >= 0; --count) burst.push_back(seen[input.byte() % seen.size()]);
        victim.take(burst, from);
        break;
      case 3: {  // changed
        Bytes datagram = seen[input.byte() % seen.size()];
        datagram[input.word() % datagram.size()] ^= static_cast<std::byte>(input.byte());
        if (input.byte() % 4 == 0) datagram.resize(input.word() % (datagram.size() + 1));
        burst.push_back(std::move(datagram));
        burst.push_back(rubbish(input));
        victim.take(burst, from);
        break;
      }
      case 4:
        for (End* const end : {&a, &b}) end->pass(std::chrono::milliseconds(input.byte()));
        break;
      default:
        if (input.byte() % 16 == 0) a.transport.abort_channel(*id, a.now);
        if (input.byte() % 64 == 1) victim.transport.close(victim.now);
        victim.drain();
        break;
    }
  }
  // None was there twice, and none that nobody had sent.
  require(b.messages <= said && a.messages == 0);
}

}  // namespace

void drive_transport(std::span<const std::byte> bytes) {
  Input input(bytes);
  switch (input.byte() % 3) {
    case 0:
      return be_a_stranger(input, dtls::Role::client);
    case 1:
      return be_a_stranger(input, dtls::Role::server);
    default:
      return be_a_thief(input);
  }
}

}  // namespace wdc::fuzz

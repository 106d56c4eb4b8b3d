// SPDX-License-Identifier: MIT
#include "tests/fuzz/dtls/drive_session.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <vector>

#include "src/native/dtls/session.h"
#include "tests/fuzz/input.h"

namespace wdc::fuzz {
namespace {

using namespace dtls;
using namespace std::chrono_literals;
using Bytes = std::vector<std::byte>;

constexpr WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

struct Identity {
  Certificate certificate = Certificate::make(kToday).value();
  std::unique_ptr<Context> context = Context::make(certificate, kToday, make_openssl_aead_provider()).value();
};

Identity& identity() {
  static Identity one;
  return one;
}

/// A session and what it has said.
struct End {
  explicit End(Role role) : session(*identity().context, {.role = role}) {
    require(session.set_remote_fingerprints({*identity().certificate.fingerprint()}).has_value());
  }
  void handle(Bytes datagram, TimePoint now) {
    const MutableByteView view(datagram);
    for (const MutableByteView text : session.handle_datagrams({&view, 1}, now))
      texts.emplace_back(text.begin(), text.end());
    drain();
  }
  void drain() {
    while (const auto datagram = session.poll_transmit()) {
      require(!datagram->empty() && datagram->size() <= 1'200);
      outgoing.emplace_back(datagram->begin(), datagram->end());
    }
    while (const auto event = session.poll_event()) {
      if (std::holds_alternative<ConnectedEvent>(*event)) ++connected;
      if (std::holds_alternative<ClosedEvent>(*event)) ++closed;
    }
    require(connected <= 1 && closed <= 1);
    require((closed == 1) == (session.state() == Session::State::closed));
  }

  Session session;
  std::vector<Bytes> texts;
  std::vector<Bytes> outgoing;
  int connected = 0;
  int closed = 0;
};

/// What the input wants a datagram to be: mostly records whose lengths are right.
Bytes datagram_from(Input& input) {
  Bytes datagram;
  for (int records = 1 + input.byte() % 3; records > 0; --records) {
    static constexpr std::array<std::uint8_t, 8> kTypes{20, 21, 22, 22, 22, 23, 24, 0};
    const std::uint8_t type = kTypes[input.byte() % kTypes.size()];
    const std::uint8_t flags = input.byte();
    const std::uint64_t sequence = input.byte();
    const ByteView fragment = input.take(input.word() % 1'500);
    RecordHeader header{ContentType{type}, (flags & 1) != 0 ? kDtls10 : kDtls12,
                        static_cast<std::uint16_t>(flags >> 1 & 3), sequence,
                        static_cast<std::uint16_t>(fragment.size())};
    if ((flags & 0xe0) == 0xe0) header.length = input.word();
    const std::size_t start = datagram.size();
    datagram.resize(start + kHeaderSize);
    header.write(datagram.data() + start);
    datagram.insert(datagram.end(), fragment.begin(), fragment.end());
  }
  return datagram;
}

void be_a_stranger(Input& input, Role role) {
  End end(role);
  TimePoint now{};
  end.session.start(now);
  end.drain();
  for (int steps = 0; !input.empty() && steps < 50; ++steps) {
    if (input.byte() % 8 == 0) {
      now += 1ms * input.word();
      if (end.session.next_deadline() <= now) end.session.handle_timeout(now);
      end.drain();
    } else {
      end.handle(datagram_from(input), now);
    }
  }
  // Nobody with the right certificate was there.
  require(end.connected == 0 && end.texts.empty());
  end.session.handle_timeout(now + 1h);
  end.drain();
  require(end.closed == 1 && end.session.next_deadline() == kNever);
}

void be_a_thief(Input& input) {
  End a(Role::client);
  End b(Role::server);
  const TimePoint now{};
  a.session.start(now);
  b.session.start(now);
  a.drain();
  for (int turns = 0; turns < 10 && (a.connected == 0 || b.connected == 0); ++turns) {
    for (Bytes& datagram : std::exchange(a.outgoing, {})) b.handle(std::move(datagram), now);
    for (Bytes& datagram : std::exchange(b.outgoing, {})) a.handle(std::move(datagram), now);
  }
  require(a.connected == 1 && b.connected == 1);
  std::vector<Bytes> stolen;
  std::uint8_t number = 0;
  for (int steps = 0; !input.empty() && steps < 100; ++steps) {
    switch (input.byte() % 5) {
      case 0: {  // a sends
        Bytes record(kHeadRoom + 1 + kTailRoom, static_cast<std::byte>(number++));
        MutableByteView text = std::span(record).subspan(kHeadRoom, 1);
        if (a.session.seal({&text, 1})) stolen.push_back(std::move(record));
        break;
      }
      case 1:  // as it was
        if (!stolen.empty()) b.handle(stolen[input.byte() % stolen.size()], now);
        break;
      case 2:  // changed
        if (!stolen.empty()) {
          Bytes record = stolen[input.byte() % stolen.size()];
          record[input.byte() % record.size()] ^= static_cast<std::byte>(input.byte());
          b.handle(std::move(record), now);
        }
        break;
      case 3:
        b.handle(datagram_from(input), now);
        break;
      default:  // several, and rubbish
        if (stolen.size() >= 2) {
          Bytes datagram = stolen[0];
          datagram.insert(datagram.end(), stolen[1].begin(), stolen[1].end());
          const ByteView rubbish = input.take(input.byte() % 40);
          datagram.insert(datagram.end(), rubbish.begin(), rubbish.end());
          b.handle(std::move(datagram), now);
        }
        break;
    }
  }
  require(b.closed == 0);
  std::set<std::byte> seen;
  for (const Bytes& text : b.texts) {
    require(text.size() == 1 && std::to_integer<std::uint8_t>(text[0]) < number && seen.insert(text[0]).second);
  }
}

/// Records of any type, order and length under one key: each is opened once.
void write_records(Input& input) {
  const auto provider = make_openssl_aead_provider();
  const std::array<std::byte, 16> key{};
  const auto make = [&](AeadDirection direction) {
    return provider->create(AeadAlgorithm::aes_128_gcm, direction, key);
  };
  RecordSealer sealer(make(AeadDirection::seal), {}, {.sealed_blocks = 4'000});
  RecordOpener opener(make(AeadDirection::open), {});
  std::vector<Bytes> records;
  for (int count = 1 + input.byte(); count > 0; --count) {
    const ByteView text = input.take(input.byte());
    Bytes record(kHeadRoom + text.size() + kTailRoom);
    MutableByteView view = std::span(record).subspan(kHeadRoom, text.size());
    std::ranges::copy(text, view.begin());
    if (!sealer.seal(ContentType{input.byte()}, {&view, 1})) break;
    records.push_back(std::move(record));
  }
  require(sealer.next_sequence() == records.size() && sealer.sealed_blocks() <= 4'000);
  std::size_t opened = 0;
  std::set<std::uint64_t> seen;
  while (!input.empty() && !records.empty()) {
    std::vector<Bytes> burst;
    for (int count = input.byte() % 80; count >= 0; --count) burst.push_back(records[input.byte() % records.size()]);
    std::vector<ArrivedRecord> arrived;
    for (Bytes& record : burst) arrived.push_back({*RecordWalk(record).next(), {}, {}});
    opener.open(arrived);
    for (const ArrivedRecord& one : arrived) {
      const bool first = seen.insert(one.record.header.sequence).second;
      require(one.status == (first ? OpenStatus::opened : OpenStatus::replayed));
      opened += first ? 1 : 0;
    }
  }
  require(opened == seen.size() && opener.failed_tags() == 0);
}

}  // namespace

void drive_session(ByteView bytes) {
  Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      be_a_stranger(input, Role::server);
      break;
    case 1:
      be_a_stranger(input, Role::client);
      break;
    case 2:
      be_a_thief(input);
      break;
    default:
      write_records(input);
      break;
  }
}

}  // namespace wdc::fuzz

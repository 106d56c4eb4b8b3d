// SPDX-License-Identifier: MIT
#include "src/native/dtls/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "src/native/dtls/record_job.h"
#include "tests/support/dtls/ends.h"

namespace wdc::dtls {
namespace {

using namespace std::chrono_literals;
using sim::Bytes;
using sim::DtlsWire;
using sim::kToday;
using sim::OpenSslEnd;
using sim::SessionEnd;
using testing::ElementsAre;
using testing::HasSubstr;

struct Identity {
  Certificate certificate = Certificate::make(kToday).value();
  std::unique_ptr<Context> context = Context::make(certificate, kToday).value();
  [[nodiscard]] std::vector<Fingerprint> fingerprints() const { return {*certificate.fingerprint()}; }
};

// Keys take time to make; sharing them between tests shares no state of a session.
Identity& alice() {
  static Identity identity;
  return identity;
}
Identity& bob() {
  static Identity identity;
  return identity;
}

/// Two sessions; a is the client.
struct Pair {
  explicit Pair(const sim::LinkOptions& link = {.delay = 5ms}, std::uint64_t seed = 1, SessionOptions client = {},
                SessionOptions server = {})
      : a(*alice().context, with_role(client, Role::client)),
        b(*bob().context, with_role(server, Role::server)),
        wire(a, b, link, seed) {}
  static SessionOptions with_role(SessionOptions options, Role role) {
    options.role = role;
    return options;
  }
  void trust() {
    EXPECT_TRUE(a.session.set_remote_fingerprints(bob().fingerprints()));
    EXPECT_TRUE(b.session.set_remote_fingerprints(alice().fingerprints()));
  }
  bool connect() {
    trust();
    return wire.connect();
  }

  SessionEnd a;
  SessionEnd b;
  DtlsWire wire;
};

void deliver(SessionEnd& to, Bytes datagram, TimePoint now) { to.handle(datagram, now); }

int seeds() {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? std::atoi(wanted) : 40;
}

TEST(SessionTest, ConnectsAndCarriesTextsBothWays) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(pair.a.cipher_suite, "ECDHE-ECDSA-AES128-GCM-SHA256");
  pair.a.send("hello");
  pair.b.send("world");
  pair.wire.run(1s);
  EXPECT_THAT(pair.b.received, ElementsAre("hello"));
  EXPECT_THAT(pair.a.received, ElementsAre("world"));
  EXPECT_EQ(pair.a.connected_events, 1);
  EXPECT_EQ(pair.b.connected_events, 1);
  EXPECT_EQ(pair.a.session.next_deadline(), kNever);
  EXPECT_EQ(pair.b.session.next_deadline(), kNever);
}

TEST(SessionTest, OneCounterNumbersWhatOpenSslMadeAndWhatIsOurs) {
  Pair pair;
  std::array<std::vector<std::uint64_t>, 2> sequences;
  pair.wire.tap = [&](bool from_a, Bytes& datagram) {
    RecordWalk walk(datagram);
    while (const auto record = walk.next()) {
      if (record->header.epoch != 1) continue;
      sequences[from_a ? 0 : 1].push_back(record->header.sequence);
      // The nonce on the wire is never one that OpenSSL drew.
      EXPECT_EQ(load_big_endian<std::uint64_t>(record->fragment().data()), record->header.epoch_and_sequence());
    }
    return true;
  };
  ASSERT_TRUE(pair.connect());
  pair.a.send("x");
  pair.wire.run(1s);
  pair.a.close();
  pair.wire.run(1s);
  EXPECT_THAT(sequences[0], ElementsAre(0, 1, 2));  // Finished, x, close_notify
  EXPECT_THAT(sequences[1], ElementsAre(0, 1));     // Finished, close_notify
}

TEST(SessionTest, SurvivesLossReorderingAndDuplicationOfFlights) {
  for (int seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair({.delay = 20ms, .loss = 0.25, .reorder = 0.2, .reorder_delay = 60ms, .duplicate = 0.2},
              static_cast<std::uint64_t>(seed), {.datagram_size = 300}, {.datagram_size = 300});
    ASSERT_TRUE(pair.connect());
    EXPECT_EQ(pair.a.connected_events, 1);
    EXPECT_EQ(pair.b.connected_events, 1);
  }
}

TEST(SessionTest, CorruptedDatagramsNeverConnectWronglyAndNeverHang) {
  for (int seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Pair pair({.delay = 5ms, .loss = 0.05, .corrupt = 0.1}, static_cast<std::uint64_t>(seed));
    pair.trust();
    pair.wire.start();
    const auto ended = [](const SessionEnd& end) { return end.connected() || end.closed(); };
    ASSERT_TRUE(pair.wire.run(31s, [&] { return ended(pair.a) && ended(pair.b); }));
    // A changed message makes the two transcripts differ: none is accepted that was not sent.
    if (!pair.a.connected() || !pair.b.connected()) continue;
    for (int i = 0; i < 20; ++i) pair.a.send("text");
    pair.wire.run(1s);
    EXPECT_GE(pair.b.received.size(), 5U);
    EXPECT_THAT(pair.b.received, testing::Each("text"));
  }
}

TEST(SessionTest, TheServerAnswersARepeatedFinishedAfterOpenSslIsGone) {
  Pair pair;
  // The server's last flight is lost three times.
  int lost = 0;
  pair.wire.tap = [&](bool from_a, Bytes&) { return from_a || !pair.b.connected() || ++lost > 3; };
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(lost, 4);
  EXPECT_EQ(pair.b.session.stats().flights_repeated, 3U);
}

TEST(SessionTest, AClientWithoutAnAnswerDoublesItsTimerAndGivesUp) {
  Pair pair({.loss = 1});
  pair.trust();
  std::vector<Duration> times;
  const TimePoint start = pair.wire.now;
  pair.wire.tap = [&](bool, Bytes&) {
    times.push_back(pair.wire.now - start);
    return true;
  };
  pair.wire.start();
  ASSERT_TRUE(pair.wire.run(60s, [&] { return pair.a.closed() && pair.b.closed(); }));
  ASSERT_GE(times.size(), 6U);
  EXPECT_THAT(std::vector(times.begin(), times.begin() + 6), ElementsAre(0ms, 400ms, 1'200ms, 2'800ms, 6'000ms, 10s));
  EXPECT_EQ(pair.wire.now - start, 30s);
  EXPECT_EQ(pair.a.error->code(), Errc::timed_out);
  EXPECT_EQ(pair.b.error->code(), Errc::timed_out);
}

TEST(SessionTest, RepeatedFlightsHaveNewRecordNumbers) {
  Pair pair;
  std::vector<std::uint64_t> numbers;
  pair.wire.tap = [&](bool from_a, Bytes& datagram) {
    if (from_a) numbers.push_back(RecordWalk(datagram).next()->header.sequence);
    return false;
  };
  pair.wire.start();
  pair.wire.run(2s);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2));
}

TEST(SessionTest, AWrongFingerprintEndsTheHandshakeAtBothEnds) {
  Pair pair;
  EXPECT_TRUE(pair.a.session.set_remote_fingerprints(alice().fingerprints()));
  EXPECT_TRUE(pair.b.session.set_remote_fingerprints(alice().fingerprints()));
  pair.wire.start();
  pair.wire.run(5s);
  ASSERT_TRUE(pair.a.closed() && pair.b.closed());
  EXPECT_EQ(pair.a.error->code(), Errc::negotiation_failed);
  EXPECT_THAT(pair.a.error->message(), HasSubstr(bob().certificate.fingerprint()->value()));
  EXPECT_THAT(pair.a.error->message(), HasSubstr(alice().certificate.fingerprint()->value()));
  EXPECT_THAT(pair.b.error->message(), HasSubstr("bad certificate (42)"));
  EXPECT_EQ(pair.a.connected_events + pair.b.connected_events, 0);
}

TEST(SessionTest, SeveralFingerprintsAreRefusedUnlessAllMatch) {
  Pair pair;
  const auto right = *bob().certificate.fingerprint(HashFunction::sha_256);
  const auto wrong = *alice().certificate.fingerprint(HashFunction::sha_384);
  EXPECT_TRUE(pair.a.session.set_remote_fingerprints({right, wrong}));
  EXPECT_TRUE(pair.b.session.set_remote_fingerprints(alice().fingerprints()));
  EXPECT_FALSE(pair.wire.connect(5s));
  EXPECT_TRUE(pair.a.closed());
}

TEST(SessionTest, ApplicationDataWaitsUntilTheFingerprintIsChecked) {
  Pair pair;
  EXPECT_TRUE(pair.b.session.set_remote_fingerprints(alice().fingerprints()));
  pair.wire.start();  // a does not know yet what b's certificate must be: the answer is on its way
  ASSERT_TRUE(pair.wire.run(5s, [&] { return pair.b.connected(); }));
  pair.b.send("early");
  pair.wire.run(1s);
  EXPECT_EQ(pair.a.session.state(), Session::State::verifying);
  EXPECT_THAT(pair.a.received, ElementsAre());
  EXPECT_TRUE(pair.a.record("not yet").empty());

  EXPECT_TRUE(pair.a.session.set_remote_fingerprints(bob().fingerprints()));
  pair.a.take_events();
  EXPECT_TRUE(pair.a.connected());
  pair.a.take_texts(pair.a.session.take_early_texts(pair.wire.now));
  EXPECT_THAT(pair.a.received, ElementsAre("early"));
}

TEST(SessionTest, AFingerprintThatComesLateAndIsWrongDeliversNothing) {
  Pair pair;
  EXPECT_TRUE(pair.b.session.set_remote_fingerprints(alice().fingerprints()));
  pair.wire.start();
  ASSERT_TRUE(pair.wire.run(5s, [&] { return pair.b.connected(); }));
  pair.b.send("from nobody");
  pair.wire.run(1s);
  EXPECT_TRUE(pair.a.session.set_remote_fingerprints(alice().fingerprints()));
  pair.a.take_events();
  EXPECT_TRUE(pair.a.closed());
  pair.a.take_texts(pair.a.session.take_early_texts(pair.wire.now));
  EXPECT_THAT(pair.a.received, ElementsAre());
  pair.wire.run(1s);
  EXPECT_THAT(pair.b.error->message(), HasSubstr("bad certificate (42)"));
}

TEST(SessionTest, FingerprintsAreGivenOnce) {
  Pair pair;
  EXPECT_EQ(pair.a.session.set_remote_fingerprints({}).error().code(), Errc::invalid_argument);
  pair.trust();
  EXPECT_EQ(pair.a.session.set_remote_fingerprints(bob().fingerprints()).error().code(), Errc::invalid_state);
}

TEST(SessionTest, ApplicationDataBeforeTheFinishedIsKeptAndBounded) {
  Pair pair;
  // The server's last flight is held back, what it sends afterwards is not.
  std::vector<Bytes> held;
  pair.wire.tap = [&](bool from_a, Bytes& datagram) {
    if (from_a || !pair.b.connected()) return true;
    held.push_back(datagram);
    return false;
  };
  pair.trust();
  pair.wire.start();
  ASSERT_TRUE(pair.wire.run(5s, [&] { return pair.b.connected() && !held.empty(); }));
  ASSERT_EQ(pair.a.session.state(), Session::State::handshaking);
  for (int i = 0; i < 100; ++i) deliver(pair.a, pair.b.record("text " + std::to_string(i)), pair.wire.now);
  EXPECT_THAT(pair.a.received, ElementsAre());
  EXPECT_EQ(pair.a.session.stats().early_records_dropped, 36U);
  deliver(pair.a, held.front(), pair.wire.now);
  ASSERT_TRUE(pair.a.connected());
  ASSERT_EQ(pair.a.received.size(), 64U);
  EXPECT_EQ(pair.a.received.front(), "text 0");
  EXPECT_EQ(pair.a.received.back(), "text 63");
}

TEST(SessionTest, EarlyBytesAreBoundedToo) {
  SessionEnd end(*alice().context, {.role = Role::server});
  end.start(TimePoint{});
  Bytes record(kHeaderSize + 10'000);
  RecordHeader{ContentType::application_data, kDtls12, 1, 0, 10'000}.write(record.data());
  for (int i = 0; i < 10; ++i) deliver(end, record, TimePoint{});
  EXPECT_EQ(end.session.stats().early_records_dropped, 4U);
}

TEST(SessionTest, FutureEpochsAreDroppedAndCounted) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  for (const std::uint16_t epoch : {std::uint16_t{2}, std::uint16_t{65'535}}) {
    Bytes record = pair.b.record("text");
    store_big_endian(record.data() + 3, epoch);
    deliver(pair.a, record, pair.wire.now);
  }
  EXPECT_EQ(pair.a.session.stats().records_of_other_epochs, 2U);
  EXPECT_THAT(pair.a.received, ElementsAre());
  EXPECT_TRUE(pair.a.connected());
}

TEST(SessionTest, PlainTextAfterTheHandshakeIsDropped) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  Bytes alert(kHeaderSize + 2);
  RecordHeader{ContentType::alert, kDtls12, 0, 77, 2}.write(alert.data());
  alert[kHeaderSize] = std::byte{2};
  alert[kHeaderSize + 1] = std::byte{40};
  deliver(pair.a, alert, pair.wire.now);
  EXPECT_TRUE(pair.a.connected());
  EXPECT_EQ(pair.a.session.stats().records_of_other_epochs, 1U);
}

TEST(SessionTest, SeveralRecordsInADatagramAndRubbishBehindThem) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  Bytes datagram = pair.b.record("one");
  const Bytes second = pair.b.record("two");
  datagram.insert(datagram.end(), second.begin(), second.end());
  datagram.insert(datagram.end(), 20, std::byte{0x5a});
  deliver(pair.a, datagram, pair.wire.now);
  EXPECT_THAT(pair.a.received, ElementsAre("one", "two"));
  EXPECT_EQ(pair.a.session.stats().records_malformed, 1U);
}

TEST(SessionTest, ABurstOfReplayedAndForgedRecordsDeliversEachTextOnce) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  std::vector<Bytes> datagrams;
  for (int i = 0; i < 300; ++i) {
    datagrams.push_back(pair.b.record(std::to_string(i)));
    datagrams.push_back(datagrams.back());
    datagrams.push_back(datagrams.back());
    datagrams.back().back() ^= std::byte{1};
  }
  std::vector<MutableByteView> views(datagrams.begin(), datagrams.end());
  pair.a.take_texts(pair.a.session.handle_datagrams(views, pair.wire.now));
  ASSERT_EQ(pair.a.received.size(), 300U);
  EXPECT_EQ(pair.a.received[299], "299");
  // A changed copy is replayed or forged, by whether its original was looked at before.
  const SessionStats& stats = pair.a.session.stats();
  EXPECT_EQ(stats.records_replayed + stats.records_forged, 600U);
  EXPECT_GE(stats.records_replayed, 300U);
}

TEST(SessionTest, CloseIsToldAndAnswered) {
  Pair pair;
  ASSERT_TRUE(pair.connect());
  pair.a.close();
  pair.wire.run(1s);
  EXPECT_TRUE(pair.a.closed() && pair.b.closed());
  EXPECT_FALSE(pair.a.error || pair.b.error);
  EXPECT_EQ(pair.a.closed_events, 1);
  EXPECT_EQ(pair.b.closed_events, 1);
  EXPECT_TRUE(pair.b.record("too late").empty());
  pair.a.close();
  EXPECT_EQ(pair.a.closed_events, 1);
}

TEST(SessionTest, ClosingInMidHandshakeTellsThePeer) {
  Pair pair;
  pair.trust();
  pair.wire.start();
  pair.a.close();
  pair.wire.run(31s);
  EXPECT_TRUE(pair.a.closed() && pair.b.closed());
  EXPECT_FALSE(pair.a.error);
}

TEST(SessionTest, AKeyThatHasProtectedAllItMayEndsTheSessionWithAnError) {
  Pair pair({}, 1, {.limits = {.last_sequence = 3}});
  ASSERT_TRUE(pair.connect());
  int sent = 0;
  while (!pair.a.record("x").empty()) ++sent;
  pair.a.take_events();
  EXPECT_EQ(sent, 3);  // and the Finished
  EXPECT_TRUE(pair.a.closed());
  EXPECT_THAT(pair.a.error->message(), HasSubstr("all it may"));
}

TEST(SessionTest, ManyForgedRecordsEndTheSession) {
  Pair pair({}, 1, {.limits = {.failed_tags = 5}});
  ASSERT_TRUE(pair.connect());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(pair.a.connected());
    Bytes record = pair.b.record("x");
    record.back() ^= std::byte{1};
    deliver(pair.a, record, pair.wire.now);
  }
  EXPECT_TRUE(pair.a.closed());
  pair.wire.run(1s);
  EXPECT_THAT(pair.b.error->message(), HasSubstr("internal error (80)"));
}

// --- What a stranger may send to a server
// -------------------------------------------------------------------------------

Bytes handshake_record(std::uint8_t type, std::uint32_t length, std::uint16_t message, std::uint32_t offset,
                       std::uint32_t fragment_length, const Bytes& body, std::uint64_t sequence) {
  Bytes record(kHeaderSize + 12);
  RecordHeader{ContentType::handshake, kDtls10, 0, sequence, static_cast<std::uint16_t>(12 + body.size())}.write(
      record.data());
  std::byte* const header = record.data() + kHeaderSize;
  store_big_endian(header, static_cast<std::uint32_t>(type) << 24 | length);
  store_big_endian(header + 4, message);
  const auto put24 = [](std::byte* to, std::uint32_t value) {
    to[0] = static_cast<std::byte>(value >> 16);
    to[1] = static_cast<std::byte>(value >> 8);
    to[2] = static_cast<std::byte>(value);
  };
  put24(header + 6, offset);
  put24(header + 9, fragment_length);
  record.insert(record.end(), body.begin(), body.end());
  return record;
}

void append16(Bytes& bytes, std::size_t value) {
  bytes.push_back(static_cast<std::byte>(value >> 8));
  bytes.push_back(static_cast<std::byte>(value));
}

void append_extension(Bytes& bytes, std::uint16_t type, const Bytes& body) {
  append16(bytes, type);
  append16(bytes, body.size());
  bytes.insert(bytes.end(), body.begin(), body.end());
}

Bytes octets(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

/// A ClientHello as browsers send it: DTLS 1.3 offered before 1.2, with a key share of ML-KEM's size.
Bytes browser_client_hello() {
  Bytes hello = octets({0xfe, 0xfd});
  hello.insert(hello.end(), 32, std::byte{0x42});  // random
  hello.insert(hello.end(), 2, std::byte{0});      // no session, no cookie
  append16(hello, 6);
  append16(hello, 0x1301);  // TLS_AES_128_GCM_SHA256
  append16(hello, 0xc02b);  // ECDHE-ECDSA-AES128-GCM-SHA256
  append16(hello, 0xc02f);
  hello.push_back(std::byte{1});
  hello.push_back(std::byte{0});  // no compression
  Bytes extensions;
  append_extension(extensions, 23, {});                                            // extended master secret
  append_extension(extensions, 0xff01, octets({0}));                               // renegotiation_info
  append_extension(extensions, 10, octets({0, 6, 0x11, 0xec, 0, 0x1d, 0, 0x17}));  // X25519MLKEM768, X25519, P-256
  append_extension(extensions, 11, octets({1, 0}));
  append_extension(extensions, 13, octets({0, 4, 4, 3, 8, 4}));
  append_extension(extensions, 43, octets({4, 0xfe, 0xfc, 0xfe, 0xfd}));  // DTLS 1.3, DTLS 1.2
  Bytes share = octets({0x04, 0xc4, 0x11, 0xec, 0x04, 0xc0});
  share.insert(share.end(), 0x4c0, std::byte{0x77});
  append_extension(extensions, 51, share);
  append_extension(extensions, 14, octets({0, 4, 0, 7, 0, 8, 0}));  // use_srtp
  append16(hello, extensions.size());
  hello.insert(hello.end(), extensions.begin(), extensions.end());
  return hello;
}

/// A server that nobody has talked to.
struct Server {
  Server() : end(*bob().context, {.role = Role::server}) { end.start(TimePoint{}); }
  void handle(const Bytes& datagram) { deliver(end, datagram, TimePoint{}); }
  /// The types of the handshake messages of the answer.
  std::vector<int> answer() {
    std::vector<int> types;
    while (auto datagram = end.poll()) {
      RecordWalk walk(*datagram);
      while (const auto record = walk.next()) {
        if (record->header.type == ContentType::alert) {
          types.push_back(-std::to_integer<int>(record->fragment()[1]));
        } else {
          EXPECT_EQ(record->header.version, kDtls12);
          types.push_back(std::to_integer<int>(record->fragment()[0]));
        }
      }
    }
    return types;
  }
  SessionEnd end;
};

/// Cut into fragments of `size`, in records of their own.
std::vector<Bytes> fragments(const Bytes& hello, std::size_t size, std::size_t overlap = 0) {
  std::vector<Bytes> records;
  std::uint64_t sequence = 0;
  for (std::size_t at = 0; at < hello.size(); at += size) {
    const std::size_t from = at >= overlap ? at - overlap : 0;
    const std::size_t to = std::min(hello.size(), at + size);
    const Bytes part(hello.begin() + static_cast<std::ptrdiff_t>(from),
                     hello.begin() + static_cast<std::ptrdiff_t>(to));
    records.push_back(handshake_record(1, static_cast<std::uint32_t>(hello.size()), 0, static_cast<std::uint32_t>(from),
                                       static_cast<std::uint32_t>(part.size()), part, sequence++));
  }
  return records;
}

constexpr std::array kServerFlight{2, 11, 12, 13, 14};  // ServerHello ... ServerHelloDone

bool begins_server_flight(const std::vector<int>& types) { return !types.empty() && types[0] == kServerFlight[0]; }

TEST(SessionServerTest, AClientHelloOfSeveralRecordsThatOffersDtls13FallsBackTo12) {
  Server server;
  const auto records = fragments(browser_client_hello(), 1'100);
  ASSERT_EQ(records.size(), 2U);
  server.handle(records[0]);
  EXPECT_THAT(server.answer(), ElementsAre());
  server.handle(records[1]);
  EXPECT_TRUE(begins_server_flight(server.answer()));
}

TEST(SessionServerTest, FragmentsInAnyOrderAndInOneDatagram) {
  Server backwards;
  auto records = fragments(browser_client_hello(), 300);
  for (auto record = records.rbegin(); record != records.rend(); ++record) backwards.handle(*record);
  EXPECT_TRUE(begins_server_flight(backwards.answer()));
  Server together;
  Bytes datagram;
  for (const Bytes& record : records) datagram.insert(datagram.end(), record.begin(), record.end());
  together.handle(datagram);
  EXPECT_TRUE(begins_server_flight(together.answer()));
}

TEST(SessionServerTest, OverlappingFragmentsAreJoined) {
  Server server;
  for (const Bytes& record : fragments(browser_client_hello(), 300, 100)) server.handle(record);
  EXPECT_TRUE(begins_server_flight(server.answer()));
}

TEST(SessionServerTest, AFragmentOfNoLengthEndsNothing) {
  Server server;
  const Bytes hello = browser_client_hello();
  const auto size = static_cast<std::uint32_t>(hello.size());
  for (const std::uint32_t offset : {0U, 5U, size}) {
    server.handle(handshake_record(1, size, 0, offset, 0, {}, 1'000 + offset));
  }
  // OpenSSL may refuse them, but it must say so; what it may not do is answer or hang.
  EXPECT_FALSE(begins_server_flight(server.answer()));
}

TEST(SessionServerTest, AFragmentBeyondItsMessageIsRefused) {
  Server server;
  server.handle(handshake_record(1, 50, 0, 40, 20, Bytes(20), 0));
  EXPECT_FALSE(begins_server_flight(server.answer()));
  EXPECT_EQ(server.end.connected_events, 0);
}

TEST(SessionServerTest, AMessageThatClaimsSixteenMegabytesIsRefused) {
  Server server;
  server.handle(handshake_record(1, 0xffffff, 0, 0, 1'000, Bytes(1'000), 0));
  ASSERT_TRUE(server.end.closed());
  EXPECT_EQ(server.end.error->code(), Errc::negotiation_failed);
}

TEST(SessionServerTest, RubbishIsCountedAndHarmless) {
  Server server;
  server.handle({});
  server.handle(Bytes(1));
  server.handle(Bytes(2'000, std::byte{0x16}));
  server.handle(Bytes(2'000, std::byte{0xff}));
  EXPECT_EQ(server.end.session.stats().records_malformed, 3U);
  for (const Bytes& record : fragments(browser_client_hello(), 1'100)) server.handle(record);
  EXPECT_TRUE(begins_server_flight(server.answer()));
}

// --- OpenSSL's own DTLS as the other end
// --------------------------------------------------------------------------------

struct Mixed {
  Mixed(Role ours, sim::OpenSslOptions options, const sim::LinkOptions& link = {.delay = 5ms}, std::uint64_t seed = 1)
      : our_end(*alice().context, {.role = ours, .handshake_timeout = 10min}),
        openssl(bob().certificate, with_role(std::move(options), ours == Role::client ? Role::server : Role::client)),
        wire(our_end, openssl, link, seed) {
    EXPECT_TRUE(our_end.session.set_remote_fingerprints(bob().fingerprints()));
  }
  static sim::OpenSslOptions with_role(sim::OpenSslOptions options, Role role) {
    options.role = role;
    return options;
  }

  SessionEnd our_end;
  OpenSslEnd openssl;
  DtlsWire wire;
};

class OpenSslTest : public testing::TestWithParam<Role> {};
INSTANTIATE_TEST_SUITE_P(BothRoles, OpenSslTest, testing::Values(Role::client, Role::server),
                         [](const auto& role) { return role.param == Role::client ? "AsClient" : "AsServer"; });

TEST_P(OpenSslTest, ItsRecordLayerOpensOursAndOursOpensIts) {
  for (const char* const suite : {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}) {
    Mixed mixed(GetParam(), {.cipher_suites = suite});
    ASSERT_TRUE(mixed.wire.connect()) << mixed.openssl.error();
    EXPECT_EQ(mixed.our_end.cipher_suite, suite);
    std::vector<std::string> texts;
    for (std::size_t size = 1; size <= 1'100; size += 37) texts.emplace_back(size, static_cast<char>('a' + size % 26));
    for (const std::string& text : texts) {
      mixed.our_end.send(text);
      mixed.openssl.send(text);
    }
    mixed.wire.run(1s);
    EXPECT_EQ(mixed.openssl.received, texts);
    EXPECT_EQ(mixed.our_end.received, texts);
  }
}

TEST_P(OpenSslTest, ConnectsOverABadLink) {
  for (int seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Mixed mixed(GetParam(), {.mtu = 400},
                {.delay = 20ms, .loss = 0.2, .reorder = 0.2, .reorder_delay = 60ms, .duplicate = 0.2},
                static_cast<std::uint64_t>(seed));
    ASSERT_TRUE(mixed.wire.connect(10min)) << mixed.openssl.error();  // its timers reach a minute
  }
}

TEST_P(OpenSslTest, CloseNotifyIsUnderstoodBothWays) {
  Mixed first(GetParam(), {});
  ASSERT_TRUE(first.wire.connect());
  first.our_end.close();
  first.wire.run(1s);
  EXPECT_TRUE(first.openssl.closed());
  EXPECT_EQ(first.openssl.error(), "");
  Mixed second(GetParam(), {});
  ASSERT_TRUE(second.wire.connect());
  second.openssl.close();
  second.wire.run(1s);
  EXPECT_TRUE(second.our_end.closed());
  EXPECT_FALSE(second.our_end.error);
}

TEST_P(OpenSslTest, APeerWithoutTheExtendedMasterSecretIsRefused) {
  Mixed mixed(GetParam(), {.ssl_options = SSL_OP_NO_EXTENDED_MASTER_SECRET});
  EXPECT_FALSE(mixed.wire.connect(5s));
  ASSERT_TRUE(mixed.our_end.closed());
  EXPECT_THAT(mixed.our_end.error->message(), HasSubstr("extended master secret"));
  EXPECT_TRUE(mixed.openssl.closed());  // it was told
}

TEST_P(OpenSslTest, APeerWithoutGcmIsRefused) {
  Mixed mixed(GetParam(), {.cipher_suites = "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"});
  EXPECT_FALSE(mixed.wire.connect(5s));
  ASSERT_TRUE(mixed.our_end.closed());
  EXPECT_EQ(mixed.our_end.error->code(), Errc::negotiation_failed);
}

TEST(OpenSslClientTest, ALongClientHelloOfSeveralRecordsIsJoined) {
  Mixed mixed(Role::server, {.mtu = 600, .alpn_bytes = 3'000});
  int from_client = 0;
  mixed.wire.tap = [&](bool from_a, Bytes&) { return from_client += from_a ? 0 : 1, true; };
  ASSERT_TRUE(mixed.wire.connect()) << mixed.openssl.error();
  EXPECT_GE(from_client, 6);
}

TEST(OpenSslClientTest, ATicketIsNeverGiven) {
  Mixed mixed(Role::server, {});
  ASSERT_TRUE(mixed.wire.connect());
  EXPECT_EQ(SSL_SESSION_has_ticket(SSL_get_session(mixed.openssl.ssl())), 0);
}

TEST(OpenSslClientTest, ItsRenegotiationIsNotAnswered) {
  Mixed mixed(Role::server, {});
  ASSERT_TRUE(mixed.wire.connect());
  SSL_renegotiate(mixed.openssl.ssl());
  SSL_do_handshake(mixed.openssl.ssl());
  mixed.wire.run(3s);
  EXPECT_TRUE(mixed.our_end.connected());
  EXPECT_GE(mixed.our_end.session.stats().records_ignored, 1U);
}

}  // namespace
}  // namespace wdc::dtls

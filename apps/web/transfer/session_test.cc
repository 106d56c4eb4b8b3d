// SPDX-License-Identifier: MIT
#include "apps/web/transfer/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace wdc::transfer {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Bytes file_of(std::size_t size) {
  Bytes file(size);
  for (std::size_t i = 0; i < size; ++i) file[i] = static_cast<std::byte>(i * 31 + i / 251);
  return file;
}

Digest hash_of(const Bytes& file) {
  Sha256 hash;
  hash.update(file);
  return hash.finish();
}

/// One end with a person and a disk: what it sends waits in `sent` until deliver() takes it to the other end.
struct End {
  explicit End(std::size_t max_message_size = 262'144, std::uint32_t window = kDefaultWindow)
      : session(max_message_size, window) {}

  void offer(const Bytes& content, std::string_view name = "a.bin", std::string_view type = "") {
    file = content;
    session.outgoing().offer(content.size(), name, type);
  }

  void drain() {
    for (auto& event : session.take_events()) {
      if (std::holds_alternative<FileOffered>(event)) {
        arrived.clear();
        if (accepts) session.incoming().accept();
      }
      events.push_back(std::move(event));
    }
    for (;;) {
      if (auto frame = session.poll_frame()) {
        sent.push_back(std::move(*frame));
      } else if (const auto piece = session.outgoing().poll_piece()) {
        Bytes message(kDataHeader + piece->length);
        std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(piece->offset), piece->length,
                    message.begin() + kDataHeader);
        session.outgoing().commit_piece(message);
        sent.push_back(std::move(message));
      } else {
        return;
      }
    }
  }

  [[nodiscard]] Checked<void> handle(const Bytes& message) {
    const auto bytes = session.handle_message(message);
    if (!bytes) return std::unexpected(bytes.error());
    arrived.insert(arrived.end(), bytes->begin(), bytes->end());
    if (!bytes->empty() && writes_at_once) session.incoming().handle_put_away(session.incoming().id(), bytes->size());
    return {};
  }

  template <class T>
  [[nodiscard]] const T* last() const {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (const auto* found = std::get_if<T>(&*event)) return found;
    }
    return nullptr;
  }

  [[nodiscard]] const FileDone* done(Direction direction) const {
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      const auto* found = std::get_if<FileDone>(&*event);
      if (found != nullptr && found->direction == direction) return found;
    }
    return nullptr;
  }

  Session session;
  Bytes file;
  Bytes arrived;
  std::deque<Bytes> sent;
  std::vector<Event> events;
  bool accepts = true;
  bool writes_at_once = true;
};

struct Pair {
  Pair() = default;
  Pair(std::size_t max_message_size, std::uint32_t window) : a(max_message_size, window), b(max_message_size, window) {}

  /// Carries messages both ways until nobody has anything to say, at most `limit` of them.
  void run(int limit = 1'000'000) {
    a.drain();
    b.drain();
    while (limit-- > 0 && (step(a, b) || step(b, a))) {
    }
  }

  static bool step(End& from, End& to) {
    if (from.sent.empty()) return false;
    const auto message = std::move(from.sent.front());
    from.sent.pop_front();
    const auto handled = to.handle(message);
    EXPECT_TRUE(handled) << handled.error().text;
    to.drain();
    from.drain();
    return true;
  }

  End a;
  End b;
};

void expect_whole(const End& from, const End& to) {
  const auto* sent = from.done(Direction::outgoing);
  const auto* received = to.done(Direction::incoming);
  ASSERT_TRUE(sent != nullptr && received != nullptr);
  EXPECT_EQ(to.arrived, from.file);
  EXPECT_EQ(sent->sha256, hash_of(from.file));
  EXPECT_EQ(received->sha256, hash_of(from.file));
}

TEST(SessionTest, BothEndsAreReadyAfterHello) {
  Pair pair;
  pair.run();
  EXPECT_TRUE(pair.a.session.ready());
  EXPECT_TRUE(pair.b.session.ready());
  EXPECT_TRUE(pair.a.last<PeerReady>());
}

class SizeTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SizeTest, AFileArrivesWhole) {
  Pair pair(262'144, 4 * kMinWindow);
  pair.a.offer(file_of(GetParam()), "näme.bin", "text/plain");
  pair.run();
  const auto* offered = pair.b.last<FileOffered>();
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->name, "näme.bin");
  EXPECT_EQ(offered->type, "text/plain");
  EXPECT_EQ(offered->size, GetParam());
  expect_whole(pair.a, pair.b);
  EXPECT_EQ(pair.a.session.outgoing().acknowledged(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Sizes, SizeTest, ::testing::Values(0, 1, 65'519, 65'520, 65'521, 131'040, 1'000'001));

TEST(SessionTest, TheSmallestWindowAndTinyMessagesStillArrive) {
  Pair pair(100, kMinWindow);
  pair.a.offer(file_of(100'000));
  pair.run();
  expect_whole(pair.a, pair.b);
}

TEST(SessionTest, MessagesFitTheChannel) {
  for (const std::size_t limit : {1'000U, 65'536U, 1'000'000'000U}) {
    Pair pair(limit, kDefaultWindow);
    pair.a.offer(file_of(300'000));
    pair.a.drain();
    pair.b.drain();
    std::size_t largest = 0;
    do {
      for (const auto& message : pair.a.sent) largest = std::max(largest, message.size());
    } while (Pair::step(pair.a, pair.b) || Pair::step(pair.b, pair.a));
    EXPECT_EQ(largest, std::min<std::size_t>(limit, 65'536));
  }
}

TEST(SessionTest, FilesFollowOneAnotherInBothDirectionsAtOnce) {
  Pair pair;
  for (std::size_t i = 1; i <= 5; ++i) {
    pair.a.offer(file_of(30'000 * i));
    pair.b.offer(file_of(20'001 * i));
    pair.run();
    expect_whole(pair.a, pair.b);
    expect_whole(pair.b, pair.a);
  }
}

TEST(SessionTest, NoMoreThanTheWindowIsUnacknowledged) {
  constexpr std::uint32_t kWindow = 8 * kMinWindow;
  Pair pair(262'144, kWindow);
  pair.b.writes_at_once = false;
  pair.a.offer(file_of(3 * kWindow));
  pair.run();
  EXPECT_LE(pair.a.session.outgoing().sent(), kWindow);
  EXPECT_GT(pair.a.session.outgoing().sent(), kWindow - kDataMessageSize);
  EXPECT_EQ(pair.a.session.outgoing().acknowledged(), 0U);
  // The disk takes half of it: as much more may come.
  pair.b.session.incoming().handle_put_away(1, kWindow / 2);
  pair.run();
  EXPECT_EQ(pair.a.session.outgoing().acknowledged(), kWindow / 2);
  EXPECT_LE(pair.a.session.outgoing().sent(), kWindow / 2 * 3);
  EXPECT_GT(pair.a.session.outgoing().sent(), kWindow);
}

TEST(SessionTest, AFileIsDoneOnlyWhenItIsPutAway) {
  Pair pair;
  pair.b.writes_at_once = false;
  pair.a.offer(file_of(1'000));
  pair.run();
  EXPECT_EQ(pair.a.last<FileDone>(), nullptr);
  pair.b.session.incoming().handle_put_away(1, 999);
  pair.run();
  EXPECT_EQ(pair.a.last<FileDone>(), nullptr);
  pair.b.session.incoming().handle_put_away(1, 1);
  pair.run();
  expect_whole(pair.a, pair.b);
}

TEST(SessionTest, ADeclinedFileIsNotSent) {
  Pair pair;
  pair.b.accepts = false;
  pair.a.offer(file_of(1'000));
  pair.run();
  pair.b.session.incoming().stop(Reason::declined);
  pair.run();
  const auto* stopped = pair.a.last<FileStopped>();
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->reason, Reason::declined);
  EXPECT_TRUE(stopped->by_peer);
  EXPECT_TRUE(pair.b.arrived.empty());
  pair.b.accepts = true;
  pair.a.offer(file_of(2'000));
  pair.run();
  expect_whole(pair.a, pair.b);
}

TEST(SessionTest, EitherEndMayStopAtAnyMomentAndTheNextFileArrives) {
  for (const bool sender_stops : {true, false}) {
    for (int moment = 0; moment < 30; ++moment) {
      SCOPED_TRACE(testing::Message() << (sender_stops ? "sender" : "receiver") << " after " << moment << " messages");
      Pair pair(16'400, kMinWindow);
      pair.a.offer(file_of(150'000));
      pair.run(moment);
      if (sender_stops) {
        pair.a.session.outgoing().cancel(Reason::cancelled);
      } else {
        pair.b.session.incoming().stop(Reason::cancelled);
      }
      pair.run();
      if (!pair.a.session.outgoing().idle()) FAIL() << "the sender goes on";
      EXPECT_TRUE(pair.b.session.incoming().idle());
      pair.a.offer(file_of(5'000));
      pair.run();
      expect_whole(pair.a, pair.b);
    }
  }
}

TEST(SessionTest, BothEndsMayStopAtTheSameTime) {
  Pair pair(16'400, kMinWindow);
  pair.a.offer(file_of(300'000));
  pair.run(10);
  pair.a.session.outgoing().cancel(Reason::read_failed);
  pair.b.session.incoming().stop(Reason::write_failed);
  pair.run();
  EXPECT_FALSE(pair.a.last<FileStopped>()->by_peer);
  EXPECT_FALSE(pair.b.last<FileStopped>()->by_peer);
  pair.a.offer(file_of(1));
  pair.run();
  expect_whole(pair.a, pair.b);
}

TEST(SessionTest, BytesPutAwayLateDoNotCountForTheNextFile) {
  Pair pair;
  pair.b.writes_at_once = false;
  pair.a.offer(file_of(1'000));
  pair.run();
  pair.a.session.outgoing().cancel(Reason::cancelled);
  pair.a.offer(file_of(500));
  pair.run();
  pair.b.session.incoming().handle_put_away(1, 1'000);
  pair.run();
  EXPECT_EQ(pair.a.last<FileDone>(), nullptr);
  pair.b.session.incoming().handle_put_away(2, 500);
  pair.run();
  EXPECT_NE(pair.a.last<FileDone>(), nullptr);
}

TEST(SessionTest, ADifferentHashEndsTheTransferOnBothEnds) {
  Pair pair;
  pair.a.offer(file_of(1'000));
  pair.a.drain();
  pair.b.drain();
  do {
    for (auto& message : pair.a.sent) {
      if (message[0] == std::byte{5}) message.back() ^= std::byte{1};
    }
  } while (Pair::step(pair.a, pair.b) || Pair::step(pair.b, pair.a));
  EXPECT_EQ(pair.a.last<FileStopped>()->reason, Reason::hash_mismatch);
  EXPECT_EQ(pair.b.last<FileStopped>()->reason, Reason::hash_mismatch);
  EXPECT_EQ(pair.b.last<FileDone>(), nullptr);
}

TEST(SessionTest, NamesAreMadeHarmlessOnArrivalAndCutBeforeTheyLeave) {
  Pair pair;
  pair.a.offer({}, "../../.bashrc\n", "text/html; x=y");
  pair.run();
  EXPECT_EQ(pair.b.last<FileOffered>()->name, "bashrc");
  EXPECT_EQ(pair.b.last<FileOffered>()->type, "application/octet-stream");
  pair.a.offer({}, std::string(1'000, 'x'), std::string(1'000, 'y'));
  pair.run();
  EXPECT_EQ(pair.b.last<FileOffered>()->name, std::string(255, 'x'));
}

/// What a hostile far end says to an end that has greeted it; `prepare` gets the end into the state wanted first.
struct Hostile {
  const char* what;
  std::function<void(End&)> prepare;
  Frame frame;
};

void offered(End& end) { ASSERT_TRUE(end.handle(encode(Offer{1, 100'000, "a", ""}))); }
void unaccepted(End& end) {
  end.accepts = false;
  offered(end);
  end.drain();
}
void accepted(End& end) {
  offered(end);
  end.drain();
}
void offering(End& end) {
  end.offer(file_of(100'000));
  end.drain();
}
void sending(End& end) {
  end.offer(file_of(200'000));
  ASSERT_TRUE(end.handle(encode(Accept{1, kMinWindow})));
  end.drain();
}
void nothing(End&) {}

TEST(SessionTest, EveryBreachOfTheProtocolIsNoticed) {
  static const auto some = file_of(1'000);
  static const auto much = file_of(100'001);
  const Digest digest{};
  const std::vector<Hostile> breaches{
      {"a second hello", nothing, Hello{}},
      {"an offer with id 0", nothing, Offer{0, 1, "", ""}},
      {"an offer that skips an id", nothing, Offer{2, 1, "", ""}},
      {"an offer while another is open", offered, Offer{2, 1, "", ""}},
      {"an accept of nothing", nothing, Accept{1, kMinWindow}},
      {"a stop of nothing", nothing, Stop{1, Reason::declined}},
      {"an ack of nothing", nothing, Ack{1, 0}},
      {"a done of nothing", nothing, Done{1, digest}},
      {"a cancel of nothing", nothing, Cancel{1, Reason::cancelled}},
      {"data of nothing", nothing, Data{1, 0, some}},
      {"a finish of nothing", nothing, Finish{1, 0, digest}},
      {"a second accept", sending, Accept{1, kMinWindow}},
      {"data before accept", unaccepted, Data{1, 0, some}},
      {"a finish before accept", unaccepted, Finish{1, 100'000, digest}},
      {"data with a gap", accepted, Data{1, 1, some}},
      {"data past the size", accepted, Data{1, 0, much}},
      {"a finish too early", accepted, Finish{1, 100'000, digest}},
      {"a finish with another size", accepted, Finish{1, 0, digest}},
      {"an ack for more than was sent", sending, Ack{1, 100'000}},
      {"an ack before accept", offering, Ack{1, 1}},
      {"a done before the end", sending, Done{1, digest}},
      {"a done before accept", offering, Done{1, digest}},
  };
  for (const auto& breach : breaches) {
    End end;
    ASSERT_TRUE(end.handle(encode(Hello{})));
    end.drain();
    breach.prepare(end);
    const auto handled = end.handle(encode(breach.frame));
    ASSERT_FALSE(handled) << breach.what;
    EXPECT_FALSE(handled.error().text.empty());
  }
}

TEST(SessionTest, TheFirstFrameMustBeHello) {
  End end;
  const auto handled = end.handle(encode(Offer{1, 1, "", ""}));
  ASSERT_FALSE(handled);
  EXPECT_THAT(handled.error().text, HasSubstr("hello"));
}

TEST(SessionTest, AnAckMayNotFall) {
  End end;
  ASSERT_TRUE(end.handle(encode(Hello{})));
  sending(end);
  ASSERT_TRUE(end.handle(encode(Ack{1, 1'000})));
  EXPECT_TRUE(end.handle(encode(Ack{1, 1'000})));
  EXPECT_FALSE(end.handle(encode(Ack{1, 999})));
}

TEST(SessionTest, DataPastTheWindowIsRefused) {
  End end(262'144, kMinWindow);
  end.writes_at_once = false;
  ASSERT_TRUE(end.handle(encode(Hello{})));
  accepted(end);
  const auto half = file_of(kMinWindow / 2);
  ASSERT_TRUE(end.handle(encode(Data{1, 0, half})));
  ASSERT_TRUE(end.handle(encode(Data{1, half.size(), half})));
  const auto handled = end.handle(encode(Data{1, 2 * half.size(), std::span(half).first(1)}));
  ASSERT_FALSE(handled);
  EXPECT_THAT(handled.error().text, HasSubstr("window of 65536"));
}

TEST(SessionTest, ADoneWithAnotherHashIsRefused) {
  End end;
  ASSERT_TRUE(end.handle(encode(Hello{})));
  end.offer(file_of(10));
  ASSERT_TRUE(end.handle(encode(Accept{1, kMinWindow})));
  end.drain();
  EXPECT_FALSE(end.handle(encode(Done{1, Digest{}})));
  EXPECT_TRUE(end.handle(encode(Done{1, hash_of(end.file)})));
}

TEST(SessionTest, OffersAndCancelsWithoutEndLeaveNothingBehind) {
  End end;
  end.accepts = false;
  ASSERT_TRUE(end.handle(encode(Hello{})));
  end.drain();
  end.sent.clear();
  for (std::uint32_t id = 1; id <= 10'000; ++id) {
    ASSERT_TRUE(end.handle(encode(Offer{id, kMaxFileBytes, "a", ""})));
    ASSERT_TRUE(end.handle(encode(Cancel{id, Reason::cancelled})));
    end.drain();
    end.events.clear();
  }
  EXPECT_TRUE(end.sent.empty());
}

}  // namespace
}  // namespace wdc::transfer

// SPDX-License-Identifier: MIT
#include "apps/web/transfer/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "tests/support/loop_fixture.h"

namespace wdc::transfer {
namespace {

using ::testing::StartsWith;
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

/// The content message of a file.
Bytes content_of(std::uint32_t id, const Bytes& file) {
  const auto header = encode_content_header(id);
  const auto digest = hash_of(file);
  Bytes content(header.size() + file.size() + digest.size());
  std::ranges::copy(header, content.begin());
  std::copy_n(file.begin(), file.size(), content.begin() + kHeaderSize);
  std::copy_n(digest.begin(), digest.size(), content.end() - sizeof(Digest));
  return content;
}

/// One end with a person and a disk.
class End final : public User {
 public:
  End(EventLoop& loop, DataChannel channel) : session(loop, std::move(channel), *this) {
    running_ = spawn(loop, run());
  }

  bool offer(const Bytes& content, std::string_view name = "a.bin", std::string_view type = "") {
    file = content;
    return session.offer(content.size(), name, type);
  }

  /// What a person does about it, in a turn of its own.
  bool answer() {
    if (!std::exchange(asked_, false) || !accepts) return false;
    session.accept();
    return true;
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

  void on_event(const Event& event) override {
    if (std::holds_alternative<FileOffered>(event)) {
      arrived.clear();
      asked_ = true;
    }
    events.push_back(event);
  }

  Answer read(std::uint64_t offset, std::span<std::byte> target) override {
    if (offset + target.size() > readable) return Answer::later;
    if (offset + target.size() > broken_at) return Answer::failed;
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), target.size(), target.begin());
    return Answer::now;
  }

  Answer write(std::uint32_t, std::span<const std::byte> bytes) override {
    if (arrived.size() + bytes.size() > room) return Answer::failed;
    arrived.insert(arrived.end(), bytes.begin(), bytes.end());
    return writes_at_once ? Answer::now : Answer::later;
  }

  static constexpr std::uint64_t kAll = ~std::uint64_t{0};

  std::vector<Event> events;
  Bytes file;
  Bytes arrived;
  std::uint64_t readable = kAll;
  std::uint64_t broken_at = kAll;
  std::uint64_t room = kAll;
  bool accepts = true;
  bool writes_at_once = true;
  std::optional<std::string> ended;
  Session session;

 private:
  Task<void> run() { ended = co_await session.run(); }

  bool asked_ = false;
  Spawned<void> running_;
};

void expect_whole(const End& from, const End& to) {
  const auto* sent = from.done(Direction::outgoing);
  const auto* received = to.done(Direction::incoming);
  ASSERT_TRUE(sent != nullptr && received != nullptr);
  EXPECT_EQ(to.arrived, from.file);
  EXPECT_EQ(sent->sha256, hash_of(from.file));
  EXPECT_EQ(received->sha256, hash_of(from.file));
}

class SessionTest : public test::LoopTest {
 protected:
  SessionTest() { open(); }

  void open(FlowOptions near = flow_options(), FlowOptions far = flow_options()) {
    b_.reset();
    a_.reset();
    auto pair = make_pair(near, far, ReadyState::open, {.protocol = std::string(kProtocol)});
    a_ = std::make_unique<End>(*loop, std::move(pair.near));
    b_ = std::make_unique<End>(*loop, std::move(pair.far));
  }
  End& a() { return *a_; }
  End& b() { return *b_; }

  /// At most `turns`, then what follows by itself does not.
  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      loop->poll();
      a().answer();
      b().answer();
    }
  }
  void settle_all() {
    do settle();
    while (a().answer() || b().answer());
  }

 private:
  std::unique_ptr<End> a_;
  std::unique_ptr<End> b_;
};

TEST_F(SessionTest, AFileOfAnySizeArrivesWhole) {
  for (const std::size_t size : {0U, 1U, 65'495U, 65'496U, 65'536U, 131'040U, 1'000'001U, 5'000'000U}) {
    ASSERT_TRUE(a().offer(file_of(size), "näme.bin", "text/plain"));
    settle_all();
    const auto* offered = b().last<FileOffered>();
    ASSERT_TRUE(offered);
    EXPECT_EQ(offered->name, "näme.bin");
    EXPECT_EQ(offered->type, "text/plain");
    EXPECT_EQ(offered->size, size);
    expect_whole(a(), b());
    EXPECT_EQ(a().session.progress(Direction::outgoing), size);
    EXPECT_EQ(b().session.progress(Direction::incoming), size);
  }
}

TEST_F(SessionTest, AFileArrivesThroughTheSmallestWindows) {
  FlowOptions flow;
  flow.framed = {.window = 1'000, .message_window = 200, .read_window = 200, .frame_size = 256};
  open(flow, flow);
  ASSERT_TRUE(a().offer(file_of(20'000)));
  for (int i = 0; i < 100 && !a().done(Direction::outgoing); ++i) settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, FilesFollowOneAnotherInBothDirectionsAtOnce) {
  for (std::size_t i = 1; i <= 5; ++i) {
    ASSERT_TRUE(a().offer(file_of(300'000 * i)));
    ASSERT_TRUE(b().offer(file_of(200'001 * i)));
    EXPECT_FALSE(a().session.offer(1, "another", ""));
    settle_all();
    expect_whole(a(), b());
    expect_whole(b(), a());
  }
  EXPECT_FALSE(a().session.offer(kMaxFileBytes + 1, "too large", ""));
}

TEST_F(SessionTest, ASlowDiskHoldsItsSenderBack) {
  constexpr std::size_t kSize = 8'000'000;
  b().writes_at_once = false;
  ASSERT_TRUE(a().offer(file_of(kSize)));
  settle_all();
  const auto unwritten = b().arrived.size();
  EXPECT_GE(unwritten, FileReceiver::kMostUnwritten);
  EXPECT_LE(unwritten, FileReceiver::kMostUnwritten + 65'536);
  EXPECT_LE(a().session.progress(Direction::outgoing), unwritten);
  EXPECT_LT(b().session.progress(Direction::incoming), kSize);
  while (!b().done(Direction::incoming)) {
    const auto before = b().arrived.size();
    b().session.handle_put_away(1, 1'000'000);
    settle_all();
    EXPECT_LE(b().arrived.size(), before + 1'000'000 + 65'536);
  }
  settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, ASenderWaitsForItsFile) {
  a().readable = 0;
  ASSERT_TRUE(a().offer(file_of(500'000)));
  settle_all();
  EXPECT_TRUE(b().arrived.empty());
  for (a().readable = 100'000; a().readable <= 500'000; a().readable += 100'000) {
    a().session.handle_readable();
    settle_all();
    EXPECT_LE(b().arrived.size(), a().readable);
  }
  expect_whole(a(), b());
}

TEST_F(SessionTest, AFileIsDoneOnlyWhenItIsPutAway) {
  b().writes_at_once = false;
  ASSERT_TRUE(a().offer(file_of(1'000)));
  settle_all();
  EXPECT_EQ(a().last<FileDone>(), nullptr);
  b().session.handle_put_away(1, 999);
  settle_all();
  EXPECT_EQ(a().last<FileDone>(), nullptr);
  b().session.handle_put_away(1, 1);
  settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, ADeclinedFileIsNotSent) {
  b().accepts = false;
  ASSERT_TRUE(a().offer(file_of(1'000)));
  settle_all();
  b().session.cancel(Direction::incoming, Reason::declined);
  settle_all();
  const auto* stopped = a().last<FileStopped>();
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->reason, Reason::declined);
  EXPECT_TRUE(stopped->by_peer);
  EXPECT_TRUE(b().arrived.empty());
  b().accepts = true;
  ASSERT_TRUE(a().offer(file_of(2'000)));
  settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, EitherEndMayStopAtAnyMomentAndTheNextFileArrives) {
  for (const bool sender_stops : {true, false}) {
    int stopped = 0;
    for (int moment = 0; moment < 25; ++moment) {
      SCOPED_TRACE(testing::Message() << (sender_stops ? "sender" : "receiver") << " after " << moment << " turns");
      open();
      ASSERT_TRUE(a().offer(file_of(2'000'000)));
      turns(moment);
      const bool under_way = b().last<FileOffered>() != nullptr && b().done(Direction::incoming) == nullptr;
      if (sender_stops) {
        a().session.cancel(Direction::outgoing, Reason::cancelled);
      } else {
        b().session.cancel(Direction::incoming, Reason::cancelled);
      }
      settle_all();
      // All of it may have been there already when the other end heard that it was cancelled.
      if (under_way && b().done(Direction::incoming) == nullptr) {
        ASSERT_TRUE(a().last<FileStopped>() && b().last<FileStopped>());
        EXPECT_EQ(a().last<FileStopped>()->by_peer, !sender_stops);
        EXPECT_EQ(b().last<FileStopped>()->by_peer, sender_stops);
        ++stopped;
      }
      ASSERT_TRUE(a().offer(file_of(5'000)));
      settle_all();
      expect_whole(a(), b());
      EXPECT_FALSE(a().ended || b().ended);
    }
    EXPECT_GE(stopped, 5);
  }
}

TEST_F(SessionTest, BothEndsMayStopAtTheSameTime) {
  ASSERT_TRUE(a().offer(file_of(5'000'000)));
  turns(10);
  a().session.cancel(Direction::outgoing, Reason::read_failed);
  b().session.cancel(Direction::incoming, Reason::write_failed);
  settle_all();
  ASSERT_TRUE(a().last<FileStopped>() && b().last<FileStopped>());
  EXPECT_FALSE(a().last<FileStopped>()->by_peer);
  EXPECT_FALSE(b().last<FileStopped>()->by_peer);
  ASSERT_TRUE(a().offer(file_of(1)));
  settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, AFileThatCannotBeReadOrWrittenAnyMoreEndsOnBothSides) {
  a().broken_at = 1'000'000;
  ASSERT_TRUE(a().offer(file_of(2'000'000)));
  settle_all();
  EXPECT_EQ(a().last<FileStopped>()->reason, Reason::read_failed);
  EXPECT_EQ(b().last<FileStopped>()->reason, Reason::read_failed);
  EXPECT_TRUE(b().last<FileStopped>()->by_peer);
  a().broken_at = End::kAll;
  b().room = 1'000'000;
  ASSERT_TRUE(a().offer(file_of(2'000'000)));
  settle_all();
  EXPECT_EQ(a().last<FileStopped>()->reason, Reason::write_failed);
  EXPECT_TRUE(a().last<FileStopped>()->by_peer);
  EXPECT_EQ(b().last<FileStopped>()->reason, Reason::write_failed);
  b().room = End::kAll;
  ASSERT_TRUE(a().offer(file_of(2'000'000)));
  settle_all();
  expect_whole(a(), b());
}

TEST_F(SessionTest, BytesPutAwayLateDoNotCountForTheNextFile) {
  b().writes_at_once = false;
  ASSERT_TRUE(a().offer(file_of(1'000)));
  settle_all();
  a().session.cancel(Direction::outgoing, Reason::cancelled);
  settle_all();
  ASSERT_TRUE(a().offer(file_of(500)));
  settle_all();
  b().session.handle_put_away(1, 1'000);
  settle_all();
  EXPECT_EQ(a().last<FileDone>(), nullptr);
  b().session.handle_put_away(2, 500);
  settle_all();
  EXPECT_NE(a().last<FileDone>(), nullptr);
}

TEST_F(SessionTest, NamesAreMadeHarmlessOnArrivalAndCutBeforeTheyLeave) {
  ASSERT_TRUE(a().offer({}, "../../.bashrc\n", "text/html; x=y"));
  settle_all();
  EXPECT_EQ(b().last<FileOffered>()->name, "bashrc");
  EXPECT_EQ(b().last<FileOffered>()->type, "application/octet-stream");
  ASSERT_TRUE(a().offer({}, std::string(1'000, 'x'), std::string(1'000, 'y')));
  settle_all();
  EXPECT_EQ(b().last<FileOffered>()->name, std::string(255, 'x'));
}

TEST_F(SessionTest, TheEndOfTheChannelEndsTheSession) {
  a().accepts = false;
  ASSERT_TRUE(b().offer(file_of(10)));
  auto pair = make_pair(flow_options(), flow_options(), ReadyState::open, {.protocol = std::string(kProtocol)});
  End left(*loop, std::move(pair.near));
  settle();
  auto closing = start(pair.far.close());
  settle();
  EXPECT_EQ(left.ended, "closed: the other side has left");
  EXPECT_TRUE(closing.take());
}

/// One honest end, and a channel whose other side says what it wants.
class HostileSession : public test::LoopTest {
 public:
  HostileSession() { open(); }
  void open() {
    end_.reset();
    auto pair = make_pair(flow_options(), {}, ReadyState::open, {.protocol = std::string(kProtocol)});
    end_ = std::make_unique<End>(*loop, std::move(pair.near));
    channel_ = std::move(pair.far);
    settle();
  }
  End& end() { return *end_; }
  void settle_end() {
    do settle();
    while (end_->answer());
  }
  void say(const Bytes& message) {
    sends_.push_back(start(channel_.send(Message::binary(message))));
    settle_end();
  }
  void say(const Control& control) { say(encode(control)); }
  void say_text() {
    sends_.push_back(start(channel_.send_text("hello")));
    settle_end();
  }

  // States to begin in.
  void nothing() {}
  void offered() {
    end().accepts = false;
    say(Offer{1, 100'000, "a", ""});
  }
  void accepted() { say(Offer{1, 100'000, "a", ""}); }
  void offering() {
    ASSERT_TRUE(end().offer(file_of(100'000)));
    settle_end();
  }
  void sending() {
    end().readable = 50'000;
    offering();
    say(Accept{1});
  }
  void sent() {
    offering();
    say(Accept{1});
    auto received = start(read_all());
    settle_end();
  }
  /// What an honest other end would read.
  Task<void> read_all() {
    auto messages = channel_.message_stream();
    while (co_await messages.next()) {
    }
  }

 private:
  std::unique_ptr<End> end_;
  DataChannel channel_;
  std::vector<Spawned<Result<void>>> sends_;
};

TEST_F(HostileSession, IsEndedByEveryBreachOfTheProtocol) {
  const Digest digest{};
  const auto whole = content_of(1, file_of(100'000));
  const auto control = [](Control said) { return [said](HostileSession& test) { test.say(said); }; };
  const auto bytes = [](Bytes said) { return [said](HostileSession& test) { test.say(said); }; };
  struct Breach {
    const char* what;
    void (HostileSession::*prepare)();
    std::function<void(HostileSession&)> say;
  };
  const std::vector<Breach> breaches{
      {"an empty message", &HostileSession::nothing, bytes({})},
      {"a text", &HostileSession::nothing, [](HostileSession& test) { test.say_text(); }},
      {"an unknown type", &HostileSession::nothing, bytes(Bytes(8, std::byte{9}))},
      {"an offer in parts", &HostileSession::nothing, bytes(Bytes(200'000, std::byte{1}))},
      {"an offer with id 0", &HostileSession::nothing, control(Offer{0, 1, "", ""})},
      {"an offer that skips an id", &HostileSession::nothing, control(Offer{2, 1, "", ""})},
      {"an offer while another is open", &HostileSession::offered, control(Offer{2, 1, "", ""})},
      {"an accept of nothing", &HostileSession::nothing, control(Accept{1})},
      {"a stop of nothing", &HostileSession::nothing, control(Stop{1, Reason::declined})},
      {"a done of nothing", &HostileSession::nothing, control(Done{1, digest})},
      {"a cancel of nothing", &HostileSession::nothing, control(Cancel{1, Reason::cancelled})},
      {"content of nothing", &HostileSession::nothing, bytes(content_of(1, {}))},
      {"content without an id", &HostileSession::accepted, bytes(Bytes(7, std::byte{4}))},
      {"content before accept", &HostileSession::offered, bytes(whole)},
      {"content that is too short", &HostileSession::accepted, bytes(content_of(1, file_of(99'999)))},
      {"content that is too long", &HostileSession::accepted, bytes(content_of(1, file_of(100'001)))},
      {"a second accept", &HostileSession::sending, control(Accept{1})},
      {"a done before accept", &HostileSession::offering, control(Done{1, digest})},
      {"a done before the end", &HostileSession::sending, control(Done{1, digest})},
      {"a done with another hash", &HostileSession::sent, control(Done{1, digest})},
  };
  for (const auto& breach : breaches) {
    SCOPED_TRACE(breach.what);
    open();
    (this->*breach.prepare)();
    ASSERT_FALSE(end().ended) << *end().ended;
    breach.say(*this);
    ASSERT_TRUE(end().ended);
    EXPECT_THAT(*end().ended, StartsWith("protocol_error: "));
    EXPECT_GT(end().ended->size(), std::string_view("protocol_error: ").size());
  }
}

TEST_F(HostileSession, TakesTheRightHash) {
  sent();
  say(Done{1, hash_of(end().file)});
  EXPECT_FALSE(end().ended);
  EXPECT_TRUE(end().done(Direction::outgoing));
}

TEST_F(HostileSession, RefusesAFileWithAnotherHash) {
  accepted();
  auto content = content_of(1, file_of(100'000));
  content[70'000] ^= std::byte{1};
  say(content);
  EXPECT_FALSE(end().ended);
  ASSERT_TRUE(end().last<FileStopped>());
  EXPECT_EQ(end().last<FileStopped>()->reason, Reason::hash_mismatch);
  EXPECT_EQ(end().last<FileDone>(), nullptr);
}

TEST_F(HostileSession, KeepsNothingOfOffersAndContentsWithoutEnd) {
  end().accepts = false;
  for (std::uint32_t id = 1; id <= 2'000; ++id) {
    say(Offer{id, kMaxFileBytes, "a", ""});
    say(Cancel{id, Reason::cancelled});
    say(content_of(id, {}));  // too late: dropped
    end().events.clear();
  }
  EXPECT_FALSE(end().ended);
  EXPECT_TRUE(end().arrived.empty());
}

}  // namespace
}  // namespace wdc::transfer

// SPDX-License-Identifier: MIT
// Two sessions over a transport that does as it likes, and users who do, too, against a model: what was sent and not
// taken back arrives once, whole and in order, whatever the windows.
#include <cstdlib>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/framed_end.h"

namespace wdc::test {
namespace {

using core::framed::kSmallestWindow;

std::uint32_t seeds(std::uint32_t usual) {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10)) : usual;
}

class World {
 public:
  explicit World(std::uint32_t seed)
      : random_(seed),
        two_ways_(chance(3)),
        prioritised_(chance(2)),
        light_(chance(3)),
        options_{make_options(), make_options()},
        reads_parts_{chance(2), chance(2)},
        ends_{std::make_unique<FramedEnd>(options_[0]), std::make_unique<FramedEnd>(options_[1])} {
    for (std::size_t side = 0; side < 2; ++side) {
      end(side).session.receiver().set_wanted(reads_parts_[side] ? Incoming::Wanted::in_parts
                                                                 : Incoming::Wanted::whole);
      end(side).session.handle_open(chance(3) ? below(4'000) + 256 : 262'144);
    }
  }

  void run(std::size_t steps) {
    for (std::size_t i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) step();
  }

  /// Everything goes on until nothing can: then nothing may be left.
  void settle() {
    for (std::size_t idle = 0; idle < 50; ++idle) {
      const auto before = progress();
      for (std::size_t side = 0; side < 2; ++side) {
        wake_sources(side);
        end(side).drain(Sender::Flush::everything, kPlenty);
        deliver(side, 1'000'000);
        read(side, 1'000'000);
      }
      check_numbers();
      if (::testing::Test::HasFatalFailure()) return;
      if (progress() != before) idle = 0;
    }
  }

  /// Has the receivers say what was taken: unasked they do so seldom.
  void ask() {
    for (std::size_t side = 0; side < 2; ++side) end(side).session.request_report();
    settle();
  }

  void check_all_arrived() {
    for (std::size_t side = 0; side < 2; ++side) {
      FramedEnd& from = end(side);
      FramedEnd& to = end(1 - side);
      ASSERT_TRUE(from.session.sender().drained()) << state(side);
      ASSERT_TRUE(from.session.sender().acknowledged());
      ASSERT_TRUE(to.session.receiver().all_taken());
      ASSERT_TRUE(to.reading.empty());
      check_messages(from, to, 1 - side);
      const Delivery delivery = from.session.sender().delivery();
      ASSERT_EQ(delivery.acknowledged, to.taken_bytes);
      ASSERT_EQ(delivery.in_doubt, 0U);
    }
  }

  void finish() {
    for (std::size_t side = 0; side < 2; ++side) end(side).session.finish(Session::Receipt::wanted);
    settle();
    for (std::size_t side = 0; side < 2; ++side) ASSERT_TRUE(end(side).session.may_close(Session::Reading::goes_on));
  }

  /// What holds at every moment, so also when the connection breaks at this one.
  void check_numbers() {
    for (std::size_t side = 0; side < 2; ++side) {
      Sender& sender = end(side).session.sender();
      if (sender.scheduler().waits(Priority::low) || !sender.frame_waits()) {
        ASSERT_EQ(sender.lend().messages, 0U) << "before one that waits, or into a frame that has gone";
      }
      const Delivery delivery = sender.delivery();
      const std::uint64_t taken = end(1 - side).taken_bytes;
      ASSERT_LE(delivery.acknowledged, taken) << "reported delivered, but not taken";
      ASSERT_LE(taken, delivery.acknowledged + delivery.in_doubt) << "taken, but reported as not sent";
      ASSERT_LT(delivery.in_doubt, std::uint64_t{1} << 40);
      ASSERT_LT(delivery.unsent, std::uint64_t{1} << 40);
      ASSERT_EQ(delivery.acknowledged + delivery.in_doubt + delivery.unsent, end(side).given_bytes);
    }
  }

  /// For the report of a world that stands still.
  [[nodiscard]] std::string state(std::size_t side) {
    std::string text = "window " + std::to_string(options_[1 - side].window) + ", of a message " +
                       std::to_string(options_[1 - side].message_window) + ", places " +
                       std::to_string(options_[1 - side].messages_in_progress) +
                       (reads_parts_[1 - side] ? ", read in parts" : ", read whole") + "; waiting:";
    for (const auto& send : end(side).sends)
      if (!send->ended)
        text += " [" + std::to_string(send->number) + ": " + std::to_string(send->outgoing.offset) + " of " +
                std::to_string(send->data.size()) + (send->outgoing.slot != nullptr ? " started" : "") +
                (send->outgoing.parked ? " parked" : "") + (send->outgoing.source != nullptr ? " source" : "") + "]";
    return text;
  }

  [[nodiscard]] bool chance(std::uint32_t of) { return random_() % of == 0; }
  [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_()) % limit; }
  [[nodiscard]] FramedEnd& end(std::size_t side) { return *ends_[side]; }
  [[nodiscard]] std::uint64_t lent() const { return lent_; }

 private:
  static constexpr std::size_t kPlenty = std::size_t{1} << 30;

  FramedOptions make_options() {
    const auto window = [&]() -> std::size_t {
      if (light_) return 100'000;
      if (chance(3)) return static_cast<std::size_t>(kSmallestWindow) + below(3);
      return static_cast<std::size_t>(kSmallestWindow) + below(chance(2) ? 1'000 : 100'000);
    };
    FramedOptions options;
    options.window = window();
    options.message_window = window();
    options.read_window = window();
    options.messages_in_progress = 1 + below(chance(2) ? 3 : 20);
    options.whole_total = chance(2) ? below(50'000) : 0;
    options.order = chance(2) ? MessageOrder::completions : MessageOrder::starts;
    options.frame_size = chance(2) ? 256 + below(5'000) : FramedOptions::kDefaultFrameSize;
    return options;
  }

  std::size_t random_size() {
    // A message through the smallest window takes as many turns as it has bytes.
    const auto large = static_cast<std::uint32_t>(
        std::min<std::size_t>(30'000, 4 * std::min({options_[0].message_window, options_[1].message_window,
                                                    options_[0].read_window, options_[1].read_window})));
    if (light_) return small_size();
    switch (below(8)) {
      case 0:
        return 4 + below(3);
      case 1:
        return 100 + below(30);
      case 2:
        return below(std::min(large, 2'000U)) + 4;
      case 3:
        return below(large) + 4;
      case 4:
        return 64;
      case 5:
        return below(4);
      default:
        return small_size();
    }
  }
  [[nodiscard]] std::size_t small_size() { return 4 + below(200); }

  void step() {
    const std::size_t side = below(2);
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        if (side == 0 || two_ways_) send(side);
        break;
      case 3:
        if (side == 0 || two_ways_) withdraw_one(side);
        break;
      case 4:
      case 5:
      case 6:
        drain(side);
        break;
      case 7:
      case 8:
        deliver(side, below(light_ ? 40 : 4) + 1);
        break;
      case 9:
        wake_sources(side);
        break;
      case 10:
        if (reads_parts_[side] && !end(side).reading.empty() && chance(6))
          end(side).let_go(below(static_cast<std::uint32_t>(end(side).reading.size())));
        break;
      default:
        read(side, below(5));
    }
    check_numbers();
  }

  void send(std::size_t side) {
    const Priority priority = prioritised_ ? static_cast<Priority>(below(4)) : Priority::low;
    const bool lends = chance(2);
    for (std::uint32_t count = chance(4) ? below(40) : 1; count > 0; --count) {
      const std::size_t size = random_size();
      const bool text = chance(3);
      TestSend& one = end(side).send(next_number_++, size, priority, text);
      const bool from_source = !light_ && chance(10);
      if (from_source) {
        end(side).make_source(one, chance(2), random_);
        if (chance(5)) one.fails_at = below(3'000);
      }
      if (one.outgoing.type == MessageType::binary && priority == Priority::low && !from_source && lends &&
          end(side).start_lent(one)) {
        ++lent_;
        continue;
      }
      end(side).return_lent();
      end(side).start(one);
    }
    end(side).return_lent();
  }

  void drain(std::size_t side) {
    const auto flush = chance(2) ? Sender::Flush::everything : Sender::Flush::full_frames;
    end(side).drain(flush, chance(4) ? 500 : 20'000);
  }

  void withdraw_one(std::size_t side) {
    auto& sends = end(side).sends;
    for (std::size_t tries = 0; tries < 3 && !sends.empty() && chance(2); ++tries) {
      TestSend& one = *sends[below(static_cast<std::uint32_t>(sends.size()))];
      if (!one.ended) return end(side).withdraw(one);
    }
  }

  void wake_sources(std::size_t side) {
    for (auto& one : end(side).sends)
      if (!one->ended && one->outgoing.source != nullptr) end(side).session.sender().resume(one->outgoing);
  }

  void deliver(std::size_t side, std::size_t frames) {
    const Fault fault = end(side).deliver_to(end(1 - side), frames);
    ASSERT_EQ(fault, Fault::none) << core::framed::name(fault);
  }

  void read(std::size_t side, std::size_t count) {
    FramedEnd& reader = end(side);
    if (!reads_parts_[side]) return reader.read_whole(count);
    reader.read_starts(count);
    const auto seen = [&] { return std::pair(reader.taken_bytes, reader.reading.size()); };
    for (auto before = std::pair<std::uint64_t, std::size_t>(); count > 0 && before != seen();
         count -= std::min<std::size_t>(count, 100)) {
      before = seen();
      for (std::size_t i = reader.reading.size(); i-- > 0;) reader.read_part(i);
    }
  }

  std::size_t progress() {
    std::size_t sum = 0;
    for (std::size_t side = 0; side < 2; ++side)
      sum += end(side).received.size() + end(side).outbox.size() + static_cast<std::size_t>(end(side).taken_bytes) +
             end(side).session.sender().scheduler().count() + end(side).reading.size() +
             static_cast<std::size_t>(end(side).session.sender().delivery().in_doubt) +
             2 * static_cast<std::size_t>(end(side).session.sender().delivery().acknowledged);
    return sum;
  }

  void check_messages(FramedEnd& from, FramedEnd& to, std::size_t reader) {
    std::set<std::uint32_t> arrived;
    std::map<Priority, std::uint32_t> last;
    const bool ordered = options_[reader].order == MessageOrder::starts && !reads_parts_[reader];
    // Messages that have no room for their number: how many there are of each.
    std::map<std::pair<std::vector<std::byte>, bool>, int> short_ones;
    for (const TestSend* send : from.completed)
      if (send->data.size() < 4) ++short_ones[{send->data, send->outgoing.type == MessageType::text}];
    for (const auto& message : to.received) {
      if (message.bytes.size() < 4) {
        int& left = short_ones[std::pair(message.bytes, message.text)];
        ASSERT_GE(--left, 0) << "twice, or never sent";
        continue;
      }
      std::uint32_t number = 0;
      for (unsigned i = 0; i < 4; ++i) number |= std::to_integer<std::uint32_t>(message.bytes[i]) << (8 * i);
      const auto found =
          std::find_if(from.sends.begin(), from.sends.end(), [&](const auto& send) { return send->number == number; });
      ASSERT_NE(found, from.sends.end());
      TestSend& send = **found;
      ASSERT_EQ(message.bytes, send.data);
      ASSERT_EQ(message.text, send.outgoing.type == MessageType::text);
      ASSERT_TRUE(arrived.insert(number).second) << "twice: " << number;
      ASSERT_FALSE(send.error) << send.error->message();
      if (!ordered || send.outgoing.source != nullptr) continue;
      auto& before = last[send.outgoing.priority];
      ASSERT_GE(number, before) << "out of order";
      before = number;
    }
    for (const auto& send : from.sends) {
      ASSERT_TRUE(send->ended) << "message " << send->number << " of " << send->data.size() << " bytes never ended";
      if (send->data.size() < 4) continue;
      const bool lost = send->withdrawn || send->error || (reads_parts_[reader] && !arrived.contains(send->number));
      ASSERT_TRUE(lost || arrived.contains(send->number)) << "lost: " << send->number;
    }
    if (reads_parts_[reader]) return;
    for (const auto& [message, left] : short_ones) ASSERT_EQ(left, 0) << "lost: one of " << message.first.size();
    if (options_[reader].order == MessageOrder::completions) check_completions(from, to);
  }

  /// A reader of whole messages gets them exactly in the order in which their last bytes were sent.
  static void check_completions(const FramedEnd& from, const FramedEnd& to) {
    ASSERT_EQ(to.received.size(), from.completed.size());
    for (std::size_t i = 0; i < to.received.size(); ++i) {
      ASSERT_EQ(to.received[i].bytes, from.completed[i]->data) << "message " << i;
      ASSERT_EQ(to.received[i].text, from.completed[i]->outgoing.type == MessageType::text);
    }
  }

  std::mt19937 random_;
  bool two_ways_;
  bool prioritised_;
  bool light_;  // only small messages from memory, which go out at once: frames wait for more of them, and are lent
  FramedOptions options_[2];
  bool reads_parts_[2];
  std::unique_ptr<FramedEnd> ends_[2];
  std::uint32_t next_number_ = 1;
  std::uint64_t lent_ = 0;  // messages that were put into a lent frame
};

TEST(FramedSessions, BringEveryMessageOnceWhateverHappens) {
  const std::uint32_t count = seeds(200);
  std::uint64_t lent = 0;
  for (std::uint32_t seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(300);
    if (!HasFatalFailure()) world.settle();
    if (!HasFatalFailure()) world.ask();
    if (!HasFatalFailure()) world.check_all_arrived();
    if (!HasFatalFailure()) world.finish();
    if (HasFatalFailure()) return;
    lent += world.lent();
  }
  EXPECT_GT(lent, 5 * std::uint64_t{count});
}

TEST(FramedSessions, UseTheirWholeFramesIfHelloCameBeforeTheyWereOpen) {
  FramedEnd near({});
  FramedEnd far({});
  near.session.handle_open(262'144);
  near.drain(Sender::Flush::everything, 100'000);
  ASSERT_EQ(near.deliver_to(far, 1), Fault::none);
  EXPECT_FALSE(far.session.has_peer());
  EXPECT_FALSE(far.session.control_due());
  far.session.handle_open(262'144);
  far.start(far.send(1, 60'000, Priority::low));
  far.drain(Sender::Flush::everything, 1'000'000);
  ASSERT_EQ(far.outbox.size(), 2U);  // HELLO, and all of it
  ASSERT_EQ(far.deliver_to(near, 2), Fault::none);
  near.read_whole(1);
  ASSERT_EQ(near.received.size(), 1U);
}

/// Large messages and streams of small ones, one of each priority: while all have something, they share 1 : 2 : 4 : 8.
TEST(FramedSessions, ShareTheChannelByPriority) {
  for (const std::size_t size : std::initializer_list<std::size_t>{100, 4'000'000}) {
    FramedOptions options;
    options.window = options.message_window = options.read_window = std::size_t{64} << 20;
    options.frame_size = 4'096;
    FramedEnd near(options);
    FramedEnd far(options);
    far.session.receiver().set_wanted(Incoming::Wanted::in_parts);
    near.session.handle_open(0);
    far.session.handle_open(0);
    near.drain(Sender::Flush::everything, 100'000);
    far.drain(Sender::Flush::everything, 100'000);
    ASSERT_EQ(near.deliver_to(far, 1), Fault::none);
    ASSERT_EQ(far.deliver_to(near, 1), Fault::none);
    constexpr std::size_t kOfEach = 4'000'000;
    for (std::uint32_t priority = 0; priority < 4; ++priority)
      for (std::size_t i = 0; i < kOfEach / size; ++i)
        near.session.sender().enqueue(near.send(priority, size, static_cast<Priority>(priority)).outgoing);
    std::uint64_t frames = 0;
    const auto left = [&](Priority priority) {
      std::uint64_t bytes = 0;
      for (const auto& one : near.sends)
        if (!one->ended && one->outgoing.priority == priority) bytes += one->data.size() - one->outgoing.offset;
      return bytes;
    };
    for (; frames < 1'500 && !near.session.poll_data(Sender::Flush::everything).empty(); ++frames)
      near.session.handle_data_sent();
    ASSERT_EQ(frames, 1'500U);
    const auto high = static_cast<double>(kOfEach - left(Priority::high));
    ASSERT_GT(left(Priority::high), 0U);
    EXPECT_NEAR(static_cast<double>(kOfEach - left(Priority::medium)) / high, 1.0 / 2, 0.02) << size;
    EXPECT_NEAR(static_cast<double>(kOfEach - left(Priority::low)) / high, 1.0 / 4, 0.02) << size;
    EXPECT_NEAR(static_cast<double>(kOfEach - left(Priority::very_low)) / high, 1.0 / 8, 0.02) << size;
  }
}

/// One message after the other, of many sizes, through windows that are as small as can be.
TEST(FramedSessions, NeverStandStillHoweverSmallTheWindows) {
  for (std::size_t window = kSmallestWindow; window < kSmallestWindow + 300; window += window < 160 ? 1 : 13) {
    for (const std::size_t message_window : {std::size_t{kSmallestWindow}, std::size_t{kSmallestWindow} + 1, window}) {
      for (const auto wanted : {Incoming::Wanted::whole, Incoming::Wanted::in_parts}) {
        FramedOptions options;
        options.window = window;
        options.message_window = options.read_window = message_window;
        options.messages_in_progress = 2;
        options.whole_total = 0;
        FramedEnd near(options);
        FramedEnd far(options);
        far.session.receiver().set_wanted(wanted);
        near.session.handle_open(0);
        far.session.handle_open(0);
        std::uint32_t number = 0;
        for (const std::size_t size :
             std::initializer_list<std::size_t>{0, 1, 4, 5, 17, 18, 19, 64, 111, 112, 145, 146, 147, 300, 1'000})
          near.session.sender().enqueue(near.send(number++, size, Priority::low).outgoing);
        for (std::size_t rounds = 0; rounds < 20'000 && far.received.size() < number; ++rounds) {
          near.drain(Sender::Flush::everything, 1'000);
          ASSERT_EQ(near.deliver_to(far, 1), Fault::none);
          if (wanted == Incoming::Wanted::whole) far.read_whole(1);
          if (wanted == Incoming::Wanted::in_parts) {
            far.read_starts(1);
            for (std::size_t i = far.reading.size(); i-- > 0;) far.read_part(i);
          }
          far.drain(Sender::Flush::everything, 1'000);
          ASSERT_EQ(far.deliver_to(near, 1), Fault::none);
        }
        ASSERT_EQ(far.received.size(), number) << "window " << window << ", of a message " << message_window;
      }
    }
  }
}

}  // namespace
}  // namespace wdc::test

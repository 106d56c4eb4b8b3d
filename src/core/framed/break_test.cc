// SPDX-License-Identifier: MIT
// Two framed channels whose users do as they like until something breaks at a random point: a connection that is lost,
// either kind of close, either end. The numbers of delivery() hold at every moment, everything ends, and nothing counts
// as acknowledged that the other user did not take.
#include <cstdlib>
#include <functional>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "tests/support/loop_fixture.h"

namespace wdc::test {
namespace {

using namespace std::chrono_literals;

std::uint32_t seeds(std::uint32_t usual) {
  const char* const wanted = std::getenv("WDC_SEEDS");
  return wanted != nullptr ? static_cast<std::uint32_t>(std::strtoul(wanted, nullptr, 10)) : usual;
}

/// Bytes in its own time; its user may do anything from inside read().
struct RandomSource final : ByteSource {
  Result<std::size_t> read(std::span<std::byte> room) override {
    blocked = (surprise && surprise()) || (*random)() % 5 == 0;
    if (blocked) return fail(Errc::would_block);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), total - given));
    std::fill_n(room.begin(), count, std::byte{'s'});
    given += count;
    return count;
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return says_size ? std::optional<std::uint64_t>(total) : std::nullopt;
  }
  [[nodiscard]] bool in_memory() const override { return claims_memory; }  // and blocks all the same
  void unblock() {
    if (std::exchange(blocked, false)) ready();
  }
  std::mt19937* random = nullptr;
  std::function<bool()> surprise;
  std::uint64_t total = 0;
  std::uint64_t given = 0;
  bool says_size = false;
  bool claims_memory = false;
  bool blocked = false;
};

/// A send in progress, with what it borrows.
struct PendingSend {
  std::vector<std::byte> data;
  RandomSource source;
  std::optional<Spawned<Result<void>>> operation;
  bool cancelled = false;
};

class World : public LoopTest {
 public:
  explicit World(std::uint32_t seed) : random_(seed) {
    core::ChannelInfo info;
    info.protocol = "wdc.framed.v1";
    auto pair = make_pair(make_options(), make_options(), ReadyState::open, info);
    wire_ = pair.wire;
    wire_->automatic = chance(4);
    sides_[0].channel = std::move(pair.near);
    sides_[1].channel = std::move(pair.far);
    for (std::size_t i = 0; i < 2; ++i) {
      sides_[i].in_parts = chance(2);
      sides_[i].reads_to_the_end = !chance(3);
      if (chance(3)) wire_->end(i).capacity = 300 + below(200'000);
    }
  }
  void TestBody() override {}

  void run() {
    for (std::uint32_t i = below(300); i > 0 && !HasFatalFailure(); --i) step();
    for (std::uint32_t breaks = 1 + below(3); breaks > 0 && !HasFatalFailure(); --breaks) {
      break_something();
      for (std::uint32_t i = below(60); i > 0 && !HasFatalFailure(); --i) step();
    }
    if (!HasFatalFailure()) come_to_an_end();
  }

  static std::uint64_t clean_closes;
  static std::uint64_t unclean_closes;

 private:
  struct Side {
    DataChannel channel;
    bool in_parts = false;
    bool reads_to_the_end = true;
    std::list<PendingSend> sends;
    std::optional<IncomingStream> stream;
    std::optional<Spawned<std::optional<IncomingMessage>>> next;
    std::list<IncomingMessage> reading;
    std::optional<Spawned<Result<void>>> closing;
    std::optional<Spawned<Result<void>>> flushing;
    std::uint64_t from_memory = 0;  // given to the channel
    std::uint64_t taken = 0;

    [[nodiscard]] std::uint64_t given() const {
      std::uint64_t all = from_memory;
      for (const auto& send : sends) all += send.source.given;
      return all;
    }
  };

  [[nodiscard]] bool chance(std::uint32_t of) { return random_() % of == 0; }
  [[nodiscard]] std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_()) % limit; }
  [[nodiscard]] static std::uint64_t sum(const Delivery& delivery) {
    return delivery.acknowledged + delivery.in_doubt + delivery.unsent;
  }

  FlowOptions make_options() {
    const auto window = [&]() -> std::size_t { return 146 + below(chance(2) ? 2'000 : 300'000); };
    FlowOptions flow;
    flow.send_high_water_mark = chance(2) ? 1 + below(5'000) : 1 << 20;
    flow.send_low_water_mark = below(static_cast<std::uint32_t>(flow.send_high_water_mark));
    flow.send_queue_operations = chance(3) ? 1 + below(4) : 1'024;
    flow.close_timeout = 1s;
    flow.framed.window = window();
    flow.framed.message_window = window();
    flow.framed.read_window = window();
    flow.framed.messages_in_progress = 1 + below(5);
    flow.framed.order = chance(2) ? MessageOrder::completions : MessageOrder::starts;
    flow.framed.send_overflow = chance(2) ? SendOverflow::refuse : SendOverflow::drop_oldest;
    return flow;
  }

  std::size_t random_size() {
    switch (below(6)) {
      case 0:
        return below(4);
      case 1:
        return below(5'000);
      case 2:
        return below(chance(4) ? 200'000 : 20'000);
      default:
        return below(200);
    }
  }

  // What users and the transport do.

  void step() {
    const std::size_t index = below(2);
    Side& one = sides_[index];
    switch (below(13)) {
      case 0:
      case 1:
        for (std::uint32_t count = 1 + below(30); count > 0; --count) {
          const std::vector<std::byte> data(random_size());
          const std::uint64_t before = one.channel ? sum(one.channel.delivery()) : 0;
          const auto sent = one.channel.try_send_bytes(data);
          if (!one.channel) break;
          // One in parts may be taken back in the middle.
          const std::uint64_t given = sum(one.channel.delivery()) - before;
          ASSERT_TRUE(given == data.size() || (!sent && given == 0));
          one.from_memory += given;
        }
        break;
      case 2:
      case 3:
        send(one);
        break;
      case 4:
        cancel_one(one);
        break;
      case 5:
        for (auto& pending : one.sends) pending.source.unblock();
        break;
      case 6:
        if (!one.flushing)
          one.flushing = start(one.channel.flush(chance(2) ? FlushTo::peer : FlushTo::transport));
        else if (one.flushing->done() || chance(5))
          one.flushing.reset();
        break;
      case 7:
      case 8:
        wire_->deliver(index, 1 + below(5));
        break;
      case 9:
      case 10:
        read(one, below(20));
        break;
      case 11:
        if (chance(4)) pass(std::chrono::milliseconds(below(20)));
        if (!one.reading.empty() && chance(4)) one.reading.pop_front();
        break;
      default:
        break;
    }
    poll();
    check();
  }

  void break_something() {
    Side& one = sides_[below(2)];
    switch (below(6)) {
      case 0:
        wire_->break_both(Error(Errc::peer_lost));
        break;
      case 1:
        one.channel.abort();
        break;
      case 2:
        one.channel = DataChannel();
        break;
      default:
        close(one);
    }
    if (chance(2)) poll();
    check();
  }

  void close(Side& one) {
    if (!one.closing && one.channel) one.closing = start(one.channel.close());
  }

  /// From inside a source's read(); true: something happened.
  bool surprise() {
    Side& one = sides_[below(2)];
    switch (below(30)) {
      case 0:
        one.channel.abort();
        return true;
      case 1:
        close(one);
        return true;
      case 2:
      case 3:
        cancel_one(one);
        return true;
      case 4:
        one.reading.clear();
        return true;
      case 5:
        one.channel = DataChannel();
        return true;
      case 6:
        if (one.channel.try_send_text("from inside")) one.from_memory += 11;
        return true;
      default:
        return false;
    }
  }

  void send(Side& one) {
    PendingSend& pending = one.sends.emplace_back();
    SendOptions options;
    options.priority = static_cast<Priority>(below(4));
    if (chance(8)) options.key = below(2);
    if (chance(8)) options.deadline = std::chrono::milliseconds(1 + below(50));
    if (chance(4)) {
      pending.source.random = &random_;
      pending.source.total = random_size();
      pending.source.says_size = chance(2);
      pending.source.claims_memory = chance(2);
      if (chance(3)) pending.source.surprise = [this] { return surprise(); };
      pending.operation = start(one.channel.send_from(pending.source, MessageType::binary, options));
      return poll();
    }
    pending.data.resize(random_size());
    const std::uint64_t unaccounted = sum(one.channel.delivery()) - one.given();
    ASSERT_EQ(unaccounted, one.channel ? 0U : 0U - one.given());
    pending.operation = start(one.channel.send_bytes(pending.data, options));
    poll();
    if (!one.channel) return;
    // It was given, or refused at once: nothing between.
    const std::uint64_t more = sum(one.channel.delivery()) - one.given();
    ASSERT_TRUE(more == 0 || more == pending.data.size()) << more << " of " << pending.data.size();
    ASSERT_TRUE(more == pending.data.size() || pending.operation->done());
    one.from_memory += more;
  }

  void cancel_one(Side& one) {
    if (one.sends.empty()) return;
    const auto pending = std::next(one.sends.begin(), below(static_cast<std::uint32_t>(one.sends.size())));
    if (std::exchange(pending->cancelled, true)) return;
    pending->operation->cancel();
  }

  void read(Side& one, std::uint32_t count) {
    if (!one.in_parts) {
      for (; count > 0; --count) {
        auto message = one.channel.try_receive();
        if (!message) return;
        one.taken += message->size();
      }
      return;
    }
    if (!one.stream && one.channel) one.stream.emplace(one.channel.incoming_messages());
    if (!one.next && one.stream) one.next = start(one.stream->next());
    poll();
    for (auto message = one.reading.begin(); message != one.reading.end() && count > 0; --count) {
      auto part = message->try_next_part();
      if (part)
        one.taken += part->size();
      else if (part.error().code() == Errc::would_block)
        ++message;
      else
        message = one.reading.erase(message);
    }
  }

  void poll() {
    loop->poll();
    for (Side& one : sides_) {
      if (!one.next || !one.next->done()) continue;
      auto message = one.next->take();
      one.next.reset();
      if (!message) continue;
      // One that came in a batch is taken by now.
      if (auto part = message->try_next_part()) one.taken += part->size();
      one.reading.push_back(std::move(*message));
    }
  }

  // What holds.

  void check() {
    for (std::size_t i = 0; i < 2; ++i) {
      const Side& one = sides_[i];
      if (!one.channel) continue;
      const Delivery delivery = one.channel.delivery();
      const std::uint64_t taken = sides_[1 - i].taken;
      ASSERT_EQ(sum(delivery), one.given());
      ASSERT_LE(delivery.acknowledged, taken) << "reported delivered, but not taken";
      ASSERT_LE(taken, delivery.acknowledged + delivery.in_doubt) << "taken, but reported as not sent";
    }
  }

  void come_to_an_end() {
    wire_->automatic = true;
    for (std::size_t i = 0; i < 2; ++i) {
      close(sides_[i]);
      wire_->end(i).capacity = std::uint64_t{1} << 40;
      wire_->deliver(i);
    }
    for (int i = 0; i < 200; ++i) {
      for (Side& one : sides_)
        if (one.reads_to_the_end) read(one, 1'000);
      poll();
      check();
      if (HasFatalFailure()) return;
    }
    pass(2s);
    pass(2s);
    poll();
    check();
    for (std::size_t i = 0; i < 2; ++i) {
      Side& one = sides_[i];
      for (auto& pending : one.sends)
        ASSERT_TRUE(pending.cancelled || pending.operation->done()) << "a send of " << pending.data.size() << " hangs";
      if (one.flushing) {
        ASSERT_TRUE(one.flushing->done()) << "a flush hangs";
      }
      if (!one.closing) continue;
      ASSERT_TRUE(one.closing->done()) << "a close hangs";
      const bool clean = one.closing->take().has_value();
      ++(clean ? clean_closes : unclean_closes);
      if (!clean || !one.channel) continue;
      const Delivery delivery = one.channel.delivery();
      ASSERT_EQ(delivery.acknowledged, sides_[1 - i].taken)
          << i << ' ' << delivery.in_doubt << ' ' << delivery.unsent << ' ' << sides_[0].in_parts << sides_[1].in_parts
          << ' ' << one.channel.stats().messages_sent << ' ' << sides_[1 - i].channel.stats().messages_received;
      ASSERT_EQ(delivery.in_doubt, 0U);
    }
  }

  std::mt19937 random_;
  std::shared_ptr<FakeWire> wire_;
  Side sides_[2];
};

std::uint64_t World::clean_closes = 0;
std::uint64_t World::unclean_closes = 0;

TEST(FramedChannelBreaks, LeaveNumbersThatAddUpAndNothingWaiting) {
  const std::uint32_t count = seeds(500);
  for (std::uint32_t seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).run();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(World::clean_closes, count / 50);
  EXPECT_GT(World::unclean_closes, count / 50);
}

}  // namespace
}  // namespace wdc::test

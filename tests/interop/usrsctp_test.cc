// SPDX-License-Identifier: MIT
// Our association against usrsctp, in one process, over the simulated link and on the simulated clock.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>

#include "tests/support/sim/pair.h"

namespace {
wdc::sctp::TimePoint virtual_now{std::chrono::seconds(1'000)};
}  // namespace

// usrsctp reads the clock itself: this is the one it gets.
extern "C" int gettimeofday(struct timeval* time, void*) noexcept {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(virtual_now.time_since_epoch()).count();
  time->tv_sec = static_cast<time_t>(microseconds / 1'000'000);
  time->tv_usec = static_cast<suseconds_t>(microseconds % 1'000'000);
  return 0;
}

namespace wdc::sim {
namespace {

using namespace std::chrono_literals;

/// usrsctp's end of the association.
class Usrsctp {
 public:
  Usrsctp(Link& link, bool interleaving) : link_(link) {
    if (!std::exchange(started, true)) {
      usrsctp_init_nothreads(0, output, nullptr);
      usrsctp_sysctl_set_sctp_ecn_enable(0);
      usrsctp_sysctl_set_sctp_blackhole(0);
      usrsctp_sysctl_set_sctp_sendspace(8 << 20);
      usrsctp_sysctl_set_sctp_recvspace(8 << 20);
    }
    usrsctp_register_address(this);
    socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, receive, nullptr, 0, this);
    usrsctp_set_non_blocking(socket_, 1);
    sctp_assoc_value reset{SCTP_ALL_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ | SCTP_ENABLE_CHANGE_ASSOC_REQ};
    set(SCTP_ENABLE_STREAM_RESET, reset);
    const std::uint32_t on = 1;
    set(SCTP_NODELAY, on);
    if (interleaving) {
      constexpr int kInterleavingSupported = 0x1206;  // it knows the option, and its header does not name it
      set(SCTP_FRAGMENT_INTERLEAVE, std::uint32_t{2});
      set(kInterleavingSupported, sctp_assoc_value{SCTP_FUTURE_ASSOC, 1});
    }
    set(SCTP_EXPLICIT_EOR, std::uint32_t{0});
    for (const int type : {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT}) {
      sctp_event event{};
      event.se_assoc_id = SCTP_ALL_ASSOC;
      event.se_type = static_cast<std::uint16_t>(type);
      event.se_on = 1;
      set(SCTP_EVENT, event);
    }
    sctp_initmsg init{};
    init.sinit_num_ostreams = 1'024;
    init.sinit_max_instreams = 1'024;
    set(SCTP_INITMSG, init);
    sockaddr_conn address = address_of(this);
    EXPECT_EQ(usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Usrsctp() {
    linger now{1, 0};
    usrsctp_setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    usrsctp_close(socket_);
    if (listener_ != nullptr) usrsctp_close(listener_);
    usrsctp_deregister_address(this);
  }
  Usrsctp(const Usrsctp&) = delete;
  Usrsctp& operator=(const Usrsctp&) = delete;

  void connect() {
    sockaddr_conn address = address_of(this);
    EXPECT_TRUE(usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ||
                errno == EINPROGRESS);
  }
  void listen() { EXPECT_EQ(usrsctp_listen(socket_, 1), 0); }
  /// Takes the connection a listener was given, once there is one.
  void accept() {
    if (listener_ != nullptr) return;
    if (struct socket* const accepted = usrsctp_accept(socket_, nullptr, nullptr)) {
      listener_ = std::exchange(socket_, accepted);
      connected = true;
    }
  }
  void handle(std::span<const std::byte> packet) { usrsctp_conninput(this, packet.data(), packet.size(), 0); }
  /// `policy` and `value`: SCTP_PR_SCTP_RTX and a count, or SCTP_PR_SCTP_TTL and milliseconds.
  [[nodiscard]] bool send(std::uint16_t stream, const std::string& text, std::uint16_t policy = SCTP_PR_SCTP_NONE,
                          std::uint32_t value = 0) {
    sctp_sendv_spa info{};
    info.sendv_flags = SCTP_SEND_SNDINFO_VALID | SCTP_SEND_PRINFO_VALID;
    info.sendv_sndinfo.snd_sid = stream;
    info.sendv_sndinfo.snd_ppid = htonl(53);
    info.sendv_prinfo.pr_policy = policy;
    info.sendv_prinfo.pr_value = value;
    return usrsctp_sendv(socket_, text.data(), text.size(), nullptr, 0, &info, sizeof info, SCTP_SENDV_SPA, 0) ==
           static_cast<ssize_t>(text.size());
  }
  void reset(std::uint16_t stream) {
    std::array<std::byte, sizeof(sctp_reset_streams) + 2> memory{};
    auto* const request = reinterpret_cast<sctp_reset_streams*>(memory.data());
    request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request->srs_number_streams = 1;
    request->srs_stream_list[0] = stream;
    EXPECT_EQ(usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, memory.size()), 0);
  }
  void shutdown() { EXPECT_EQ(usrsctp_shutdown(socket_, SHUT_WR), 0); }

  std::vector<Text> messages;
  std::vector<std::uint16_t> resets_by_us;  // streams that the other end, ours, has reset
  bool connected = false;
  bool gone = false;

 private:
  static sockaddr_conn address_of(void* self) {
    sockaddr_conn address{};
    address.sconn_family = AF_CONN;
    address.sconn_port = htons(5000);
    address.sconn_addr = self;
    return address;
  }
  template <class Value>
  void set(int option, Value value) {
    EXPECT_EQ(usrsctp_setsockopt(socket_, IPPROTO_SCTP, option, &value, sizeof value), 0) << option;
  }
  static int output(void* self, void* data, std::size_t size, std::uint8_t, std::uint8_t) {
    static_cast<Usrsctp*>(self)->link_.send({static_cast<const std::byte*>(data), size}, virtual_now);
    return 0;
  }
  static int receive(struct socket*, sctp_sockstore, void* data, std::size_t size, sctp_rcvinfo info, int flags,
                     void* self) {
    if (data == nullptr) return 1;
    auto& end = *static_cast<Usrsctp*>(self);
    if ((flags & MSG_NOTIFICATION) != 0) {
      end.notify(*static_cast<const sctp_notification*>(data));
    } else {
      std::string& text = end.partial_[info.rcv_sid];
      text.append(static_cast<const char*>(data), size);
      if ((flags & MSG_EOR) != 0) end.messages.push_back({info.rcv_sid, ntohl(info.rcv_ppid), std::exchange(text, {})});
    }
    std::free(data);
    return 1;
  }
  void notify(const sctp_notification& notification) {
    if (notification.sn_header.sn_type == SCTP_ASSOC_CHANGE) {
      connected |= notification.sn_assoc_change.sac_state == SCTP_COMM_UP;
      gone |= notification.sn_assoc_change.sac_state == SCTP_SHUTDOWN_COMP ||
              notification.sn_assoc_change.sac_state == SCTP_COMM_LOST;
    } else if (notification.sn_header.sn_type == SCTP_STREAM_RESET_EVENT) {
      const auto& event = notification.sn_strreset_event;
      if ((event.strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) == 0) return;
      const std::size_t count = (event.strreset_length - sizeof event) / sizeof(std::uint16_t);
      for (std::size_t i = 0; i < count; ++i) resets_by_us.push_back(event.strreset_stream_list[i]);
    }
  }

  static inline bool started = false;
  Link& link_;
  struct socket* socket_ = nullptr;
  struct socket* listener_ = nullptr;
  std::map<std::uint16_t, std::string> partial_;
};

enum class Role { we_connect, they_connect, both_connect };

struct Setting {
  Role role;
  bool interleaving;  // I-DATA, or DATA
};

class World {
 public:
  World(const Setting& setting, const LinkOptions& link, std::uint64_t seed,
        const sctp::AssociationOptions& options = {})
      : ours(options, seed),
        there(link, seed + 1),
        back(link, seed + 2),
        theirs(back, setting.interleaving),
        setting_(setting) {}

  [[nodiscard]] bool connect() {
    const Role role = setting_.role;
    if (role == Role::we_connect) theirs.listen();
    if (role != Role::they_connect) ours.association.connect(virtual_now);
    if (role != Role::we_connect) theirs.connect();
    const bool connected = run_until(
        [&] {
          if (role == Role::we_connect) theirs.accept();
          return theirs.connected && ours.count<sctp::ConnectedEvent>() == 1;
        },
        30s);
    return connected && ours.last<sctp::ConnectedEvent>()->capabilities.message_interleaving == setting_.interleaving;
  }
  bool run_until(const std::function<bool()>& condition, Duration limit) {
    constexpr Duration kTick = 10ms;  // that of usrsctp's timers
    for (const TimePoint end = virtual_now + limit; virtual_now < end;) {
      settle();
      if (condition()) return true;
      const TimePoint next =
          std::min({next_tick_, there.next_arrival(), back.next_arrival(), ours.association.next_deadline()});
      virtual_now = std::max(virtual_now, next);
      if (virtual_now >= next_tick_) {
        usrsctp_handle_timers(10);
        next_tick_ = virtual_now + kTick;
      }
      if (ours.association.next_deadline() <= virtual_now) ours.association.handle_timeout(virtual_now);
    }
    return false;
  }

  /// Sees every packet that arrives here.
  std::function<void(std::span<const std::byte>)> tap;
  End ours;
  Link there;
  Link back;
  Usrsctp theirs;

 private:
  void settle() {
    for (bool any = true; any;) {
      any = false;
      for (;;) {
        sctp::PacketTrain train(memory_, 1'188);
        ours.association.poll_transmit(train, virtual_now);
        for (std::size_t i = 0; i < train.count(); ++i) there.send(train.packet(i), virtual_now);
        if (train.empty()) break;
      }
      while (auto packet = there.poll(virtual_now)) {
        theirs.handle(*packet);
        any = true;
      }
      while (auto packet = back.poll(virtual_now)) {
        if (tap) tap(*packet);
        const sctp::ByteView view = *packet;
        ours.association.handle_packets({&view, 1}, virtual_now);
        any = true;
      }
      while (auto event = ours.association.poll_event()) ours.events.push_back(std::move(*event));
      while (auto message = ours.association.poll_message()) {
        const auto bytes = message->payload.bytes();
        ours.messages.push_back({message->stream.value(), message->ppid.value(),
                                 std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
        ours.association.consumed(bytes.size());
      }
    }
  }

  Setting setting_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(64 * 1'188);
  TimePoint next_tick_ = virtual_now;
};

LinkOptions quiet() {
  LinkOptions link;
  link.delay = 5ms;
  return link;
}

LinkOptions lossy() {
  LinkOptions link = quiet();
  link.loss = 0.02;
  link.reorder = 0.02;
  link.duplicate = 0.01;
  return link;
}

std::string text_of(std::size_t size, int number) {
  std::string text = std::to_string(number) + ' ';
  while (text.size() < size) text += static_cast<char>('a' + (text.size() + static_cast<std::size_t>(number)) % 26);
  return text;
}

class UsrsctpTest : public testing::TestWithParam<Setting> {
 protected:
  void reset_three_times(const LinkOptions& link) {
    World world(GetParam(), link, 21);
    ASSERT_TRUE(world.connect());
    for (int round = 1; round <= 3; ++round) {
      ASSERT_EQ(world.ours.send(7, "before", virtual_now), sctp::SendStatus::ok);
      // It refuses until the answer to its last reset has come.
      ASSERT_TRUE(world.run_until([&] { return world.theirs.send(7, "before"); }, 30s));
      ASSERT_TRUE(world.run_until(
          [&] {
            return world.theirs.messages.size() == static_cast<std::size_t>(round) &&
                   world.ours.messages.size() == static_cast<std::size_t>(round);
          },
          30s));
      ASSERT_EQ(world.ours.association.reset_stream(sctp::StreamId(7), virtual_now), sctp::SendStatus::ok);
      ASSERT_TRUE(
          world.run_until([&] { return world.theirs.resets_by_us.size() == static_cast<std::size_t>(round); }, 30s));
      world.theirs.reset(7);
      ASSERT_TRUE(world.run_until(
          [&] {
            return world.ours.count<sctp::PeerResetEvent>() == static_cast<std::size_t>(round) &&
                   world.ours.count<sctp::ResetEvent>() == static_cast<std::size_t>(round);
          },
          30s));
      EXPECT_TRUE(world.ours.last<sctp::ResetEvent>()->performed);
      EXPECT_EQ(world.ours.last<sctp::PeerResetEvent>()->streams, std::vector{sctp::StreamId(7)});
    }
  }
};
std::string name_of(const testing::TestParamInfo<Setting>& info) {
  static constexpr std::array kNames{"WeConnect", "TheyConnect", "BothConnect"};
  return std::string(kNames[static_cast<std::size_t>(info.param.role)]) + (info.param.interleaving ? "IData" : "Data");
}
INSTANTIATE_TEST_SUITE_P(Roles, UsrsctpTest,
                         testing::Values(Setting{Role::we_connect, false}, Setting{Role::they_connect, false},
                                         Setting{Role::both_connect, false}, Setting{Role::we_connect, true},
                                         Setting{Role::they_connect, true}, Setting{Role::both_connect, true}),
                         name_of);

TEST_P(UsrsctpTest, MessagesOfAllSizesCrossBothWaysUnderLoss) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    sctp::AssociationOptions options;
    options.receive_message_size = std::size_t{2} << 20;
    World world(GetParam(), lossy(), seed, options);
    ASSERT_TRUE(world.connect());
    std::vector<std::string> sent;
    for (int number = 0; number < 30; ++number) {
      sent.push_back(text_of(number == 20 ? std::size_t{1} << 20 : std::size_t{1} << (number % 15), number));
      ASSERT_EQ(world.ours.send(3, sent.back(), virtual_now), sctp::SendStatus::ok);
      ASSERT_TRUE(world.theirs.send(4, sent.back())) << number << ' ' << std::strerror(errno);
    }
    ASSERT_TRUE(
        world.run_until([&] { return world.theirs.messages.size() == 30 && world.ours.messages.size() == 30; }, 200s))
        << world.theirs.messages.size() << ' ' << world.ours.messages.size();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_TRUE(world.theirs.messages[i] == (Text{3, 53, sent[i]})) << i;
      EXPECT_TRUE(world.ours.messages[i] == (Text{4, 53, sent[i]})) << i;
    }
  }
}

TEST_P(UsrsctpTest, MessagesWeGiveUpDoNotHoldUpTheOthers) {
  World world(GetParam(), lossy(), 11);
  ASSERT_TRUE(world.connect());
  for (int number = 0; number < 400; ++number) {
    ASSERT_EQ(world.ours.send(5, text_of(1'000, number), virtual_now, {.max_retransmits = 0}), sctp::SendStatus::ok);
    world.run_until([] { return false; }, 1ms);
  }
  ASSERT_EQ(world.ours.send(5, "the end", virtual_now), sctp::SendStatus::ok);
  ASSERT_TRUE(world.run_until(
      [&] { return !world.theirs.messages.empty() && world.theirs.messages.back().bytes == "the end"; }, 60s));
  EXPECT_GT(world.ours.association.stats().abandoned_messages, 0U);
  EXPECT_EQ(world.theirs.messages.size(), 401 - world.ours.association.stats().abandoned_messages);
}

TEST_P(UsrsctpTest, MessagesTheyGiveUpDoNotHoldUpTheOthers) {
  for (const auto policy : {SCTP_PR_SCTP_RTX, SCTP_PR_SCTP_TTL}) {
    LinkOptions bad = lossy();
    bad.loss = 0.1;
    World world(GetParam(), bad, 12);
    ASSERT_TRUE(world.connect());
    for (int number = 0; number < 400; ++number) {
      const std::size_t size = number % 10 == 0 ? 5'000 : 500;
      ASSERT_TRUE(world.theirs.send(5, text_of(size, number), static_cast<std::uint16_t>(policy),
                                    policy == SCTP_PR_SCTP_TTL ? 20 : 0));
      world.run_until([] { return false; }, 1ms);
    }
    ASSERT_TRUE(world.theirs.send(5, "the end"));
    ASSERT_TRUE(world.run_until(
        [&] { return !world.ours.messages.empty() && world.ours.messages.back().bytes == "the end"; }, 60s));
    EXPECT_LT(world.ours.messages.size(), 401U);
    EXPECT_GT(world.ours.messages.size(), 100U);
    int last = -1;
    for (const Text& text : world.ours.messages) {
      if (text.bytes == "the end") break;
      const int number = std::atoi(text.bytes.c_str());
      EXPECT_GT(number, last);
      last = number;
      EXPECT_EQ(text.bytes, text_of(number % 10 == 0 ? 5'000 : 500, number));
    }
    EXPECT_EQ(world.ours.association.stats().unread_bytes, 0U);
  }
}

TEST_P(UsrsctpTest, ASmallMessagePassesALargeOneWhereMessagesInterleave) {
  sctp::AssociationOptions options;
  options.receive_message_size = std::size_t{2} << 20;
  World world(GetParam(), quiet(), 41, options);
  ASSERT_TRUE(world.connect());
  const std::string large = text_of(std::size_t{1} << 20, 1);
  ASSERT_EQ(world.ours.send(1, large, virtual_now), sctp::SendStatus::ok);
  ASSERT_TRUE(world.theirs.send(1, large));
  world.run_until([] { return false; }, 7ms);
  ASSERT_EQ(world.ours.send(2, "small", virtual_now), sctp::SendStatus::ok);
  ASSERT_TRUE(world.theirs.send(2, "small"));
  ASSERT_TRUE(
      world.run_until([&] { return world.theirs.messages.size() == 2 && world.ours.messages.size() == 2; }, 100s));
  EXPECT_EQ(world.theirs.messages.front().bytes == "small", GetParam().interleaving);
  // Which it sends first is its own choice; that nothing is mixed up is ours.
  for (const std::uint16_t stream : {std::uint16_t{1}, std::uint16_t{2}}) {
    const Text expected{stream, 53, stream == 1 ? large : "small"};
    EXPECT_EQ(std::ranges::count(world.theirs.messages, expected), 1);
    EXPECT_EQ(std::ranges::count(world.ours.messages, expected), 1);
  }
}

TEST_P(UsrsctpTest, DataOfTheOtherKindEndsTheAssociationAtBothEnds) {
  World world(GetParam(), quiet(), 51);
  std::vector<std::byte> last;
  world.tap = [&](std::span<const std::byte> packet) { last.assign(packet.begin(), packet.end()); };
  ASSERT_TRUE(world.connect());
  ASSERT_TRUE(world.theirs.send(0, "right"));
  ASSERT_TRUE(world.run_until([&] { return world.ours.messages.size() == 1; }, 5s));
  ASSERT_EQ(std::to_integer<int>(last[12]), GetParam().interleaving ? 64 : 0);
  const sctp::Tsn tsn(sctp::load_big_endian<std::uint32_t>(last.data() + 16));
  const sctp::VerificationTag tag(sctp::load_big_endian<std::uint32_t>(last.data() + 4));
  std::array<std::byte, 64> slot{};
  sctp::PacketWriter writer(slot, {sctp::Port(5000), sctp::Port(5000), tag});
  const std::array<std::byte, 4> bytes{};
  const sctp::DataFlags whole{.beginning = true, .end = true};
  if (GetParam().interleaving) {
    ASSERT_TRUE(
        writer.append(sctp::DataChunk{tsn.next(), sctp::StreamId(0), sctp::Ssn(1), sctp::Ppid(53), whole, bytes}));
  } else {
    ASSERT_TRUE(writer.append(
        sctp::IDataChunk{tsn.next(), sctp::StreamId(0), sctp::Mid(1), sctp::Ppid(53), sctp::Fsn(0), whole, bytes}));
  }
  const std::size_t size = writer.finish(sctp::Checksum::crc32c);
  world.back.send(std::span(slot).first(size), virtual_now);
  ASSERT_TRUE(world.run_until([&] { return world.ours.count<sctp::ClosedEvent>() == 1 && world.theirs.gone; }, 5s));
  EXPECT_EQ(world.ours.last<sctp::ClosedEvent>()->reason, sctp::CloseReason::protocol_violation);
}

TEST_P(UsrsctpTest, StreamsAreResetBothWays) {
  for (const LinkOptions& link : {quiet(), lossy()}) {
    reset_three_times(link);
  }
}

TEST_P(UsrsctpTest, EitherEndShutsDownCleanly) {
  for (const bool we_begin : {true, false}) {
    World world(GetParam(), quiet(), 31);
    ASSERT_TRUE(world.connect());
    ASSERT_EQ(world.ours.send(0, text_of(50'000, 1), virtual_now), sctp::SendStatus::ok);
    if (we_begin) {
      world.ours.association.shutdown(virtual_now);
    } else {
      world.theirs.shutdown();
    }
    ASSERT_TRUE(world.run_until([&] { return world.ours.count<sctp::ClosedEvent>() == 1; }, 30s));
    EXPECT_EQ(world.ours.last<sctp::ClosedEvent>()->reason, sctp::CloseReason::shutdown);
    EXPECT_EQ(world.theirs.messages.size(), 1U);
  }
}

}  // namespace
}  // namespace wdc::sim

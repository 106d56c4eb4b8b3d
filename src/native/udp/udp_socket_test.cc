// SPDX-License-Identifier: MIT
#include "src/native/udp/udp_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string_view>
#include <vector>

namespace wdc::udp {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::byte>;

Address loopback(Family family = Family::ipv4, std::uint16_t port = 0) {
  return *Address::parse(family == Family::ipv4 ? "127.0.0.1" : "::1", port);
}

bool wait_for(const UdpSocket& socket, short what, int milliseconds = 2'000) {
  pollfd one{socket.descriptor(), what, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

/// Everything that comes until `count` datagrams are there.
std::vector<Bytes> receive(UdpSocket& socket, std::size_t count) {
  Bytes memory(UdpSocket::kReceiveMemory);
  std::array<ReceivedTrain, UdpSocket::kMostDatagrams> trains;
  std::vector<Bytes> datagrams;
  while (datagrams.size() < count && wait_for(socket, POLLIN)) {
    const std::size_t found = socket.receive(memory, trains);
    for (std::size_t i = 0; i < found; ++i) {
      for_each_datagram(trains[i], [&](auto datagram) { datagrams.emplace_back(datagram.begin(), datagram.end()); });
    }
  }
  return datagrams;
}

Bytes train_of(std::size_t count, std::size_t size, std::size_t last) {
  Bytes train((count - 1) * size + last);
  for (std::size_t i = 0; i < train.size(); ++i) train[i] = static_cast<std::byte>(i / size * 3 + i % size);
  return train;
}

struct Mode {
  Offload send;
  Offload receive;
  Family family;
};

class OffloadTest : public testing::TestWithParam<Mode> {};
std::string mode_name(const testing::TestParamInfo<Mode>& info) {
  static constexpr std::array kNames{"Segments", "Batches", "Single"};
  return std::string(kNames[static_cast<std::size_t>(info.param.send)]) + "To" +
         kNames[static_cast<std::size_t>(info.param.receive)] + (info.param.family == Family::ipv4 ? "V4" : "V6");
}
std::vector<Mode> all_modes() {
  std::vector<Mode> modes;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    for (const Offload send : {Offload::segments, Offload::batches, Offload::single}) {
      for (const Offload receive : {Offload::segments, Offload::batches, Offload::single}) {
        modes.push_back({send, receive, family});
      }
    }
  }
  return modes;
}
INSTANTIATE_TEST_SUITE_P(All, OffloadTest, testing::ValuesIn(all_modes()), mode_name);

TEST_P(OffloadTest, TrainsArriveDatagramByDatagram) {
  const auto [send, receive_mode, family] = GetParam();
  auto from = UdpSocket::open(loopback(family), {.send = send}).value();
  auto to = UdpSocket::open(loopback(family), {.receive = receive_mode}).value();
  for (const std::size_t count : {1U, 2U, 15U, 40U}) {
    for (const std::size_t last : {1U, 700U, 1'200U}) {
      const Bytes train = train_of(count, 1'200, last);
      const SendResult result = from.send(train, 1'200, to.local());
      ASSERT_EQ(result.status, SendStatus::ok);
      ASSERT_EQ(result.sent, count);
      const auto datagrams = receive(to, count);
      ASSERT_EQ(datagrams.size(), count);
      Bytes joined;
      for (const Bytes& datagram : datagrams) joined.insert(joined.end(), datagram.begin(), datagram.end());
      EXPECT_EQ(joined, train);
      EXPECT_EQ(datagrams.back().size(), last);
    }
  }
  EXPECT_EQ(from.send_offload(), send);
  EXPECT_EQ(to.receive_offload(), receive_mode);
  EXPECT_EQ(from.stats().sent, to.stats().received);
}

TEST_P(OffloadTest, SaysWhoSent) {
  const auto [send, receive_mode, family] = GetParam();
  auto from = UdpSocket::open(loopback(family), {.send = send}).value();
  auto to = UdpSocket::open(loopback(family), {.receive = receive_mode}).value();
  ASSERT_EQ(from.send(Bytes(10), 10, to.local()).sent, 1U);
  ASSERT_TRUE(wait_for(to, POLLIN));
  Bytes memory(UdpSocket::kReceiveMemory);
  std::array<ReceivedTrain, UdpSocket::kMostDatagrams> trains;
  ASSERT_EQ(to.receive(memory, trains), 1U);
  EXPECT_EQ(trains[0].from, from.local());
  EXPECT_EQ(to.receive(memory, trains), 0U);
}

TEST(UdpSocketTest, OneCallTakesATrainWhereTheKernelCan) {
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback()).value();
  ASSERT_EQ(from.send(train_of(40, 1'200, 1'200), 1'200, to.local()).sent, 40U);
  EXPECT_EQ(from.stats().send_calls, 1U);
  EXPECT_EQ(receive(to, 40).size(), 40U);
  EXPECT_LE(to.stats().receive_calls, 3U);
}

TEST(UdpSocketTest, ATrainLargerThanOneCallCanTakeIsCutBetweenDatagrams) {
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback()).value();
  const Bytes train = train_of(100, 1'200, 5);
  ASSERT_EQ(from.send(train, 1'200, to.local()).sent, 100U);
  EXPECT_EQ(from.stats().send_calls, 2U);
  EXPECT_EQ(receive(to, 100).size(), 100U);
}

// The kernel itself refuses: it will not segment for a socket whose checksums are off.
TEST(UdpSocketTest, GoesOnInBatchesWhereTheKernelRefusesToSegment) {
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback()).value();
  const int off = 1;
  ASSERT_EQ(setsockopt(from.descriptor(), SOL_SOCKET, SO_NO_CHECK, &off, sizeof off), 0);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(from.send(train_of(20, 1'200, 7), 1'200, to.local()).sent, 20U);
    ASSERT_EQ(receive(to, 20).size(), 20U);
  }
  EXPECT_EQ(from.send_offload(), Offload::batches);
  EXPECT_GE(from.stats().offload_refusals, 1U);
  EXPECT_LE(from.stats().offload_refusals, 4U);
}

// Run by refuse_offload, too, which tells what the kernel refuses.
TEST(UdpSocketTest, GoesOnWithWhatTheKernelAllows) {
  const char* const told = std::getenv("WDC_REFUSED");
  const std::string_view refused = told == nullptr ? "" : told;
  const Offload allowed = refused == "segments"  ? Offload::batches
                          : refused == "batches" ? Offload::single
                                                 : Offload::segments;
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback()).value();
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(from.send(train_of(20, 1'200, 7), 1'200, to.local()).sent, 20U);
    ASSERT_EQ(receive(to, 20).size(), 20U);
  }
  EXPECT_EQ(from.send_offload(), allowed);
  EXPECT_EQ(to.receive_offload(), allowed);
}

TEST(UdpSocketTest, AFullBufferBlocksAndNothingIsLostOnOurSide) {
  for (const Offload send : {Offload::segments, Offload::batches, Offload::single}) {
    auto from = UdpSocket::open(loopback(), {.send = send}).value();
    // A device that passes nothing on keeps the sender's buffer full; on loopback only a tiny one fills.
    const int tiny = 1;
    ASSERT_EQ(setsockopt(from.descriptor(), SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny), 0);
    auto to = UdpSocket::open(loopback()).value();
    const Bytes train = train_of(54, 1'200, 1'200);
    std::size_t sent = 0;
    std::size_t blocked = 0;
    while (sent < 54 && blocked < 1'000) {
      const SendResult result = from.send(std::span(train).subspan(sent * 1'200), 1'200, to.local());
      sent += result.sent;
      if (result.status == SendStatus::blocked) {
        ++blocked;
        static_cast<void>(receive(to, 1));
        if (result.sent == 0) break;  // a segmented send that can never fit
      } else {
        ASSERT_EQ(result.status, SendStatus::ok);
      }
    }
    EXPECT_TRUE(sent == 54 || blocked > 0);
    EXPECT_EQ(from.stats().blocked, blocked);
  }
}

TEST(UdpSocketTest, HasTheRoomToReceiveThatTheSystemAllows) {
  const auto room = [](const SocketOptions& options) {
    const auto socket = UdpSocket::open(*Address::parse("127.0.0.1", 0), options).value();
    int bytes = 0;
    socklen_t size = sizeof bytes;
    EXPECT_EQ(getsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVBUF, &bytes, &size), 0);
    return bytes;
  };
  const int of_the_system = room({.receive_buffer = 0});
  EXPECT_EQ(room({.receive_buffer = of_the_system / 4}), of_the_system / 2);  // Linux takes twice what is asked for
  EXPECT_GE(room({}), of_the_system);
}

TEST(UdpSocketTest, DatagramsLargerThanExpectedAreDroppedAndCounted) {
  for (const Offload mode : {Offload::batches, Offload::single}) {
    auto from = UdpSocket::open(loopback()).value();
    auto to = UdpSocket::open(loopback(), {.receive = mode, .largest_datagram = 1'000}).value();
    ASSERT_EQ(from.send(Bytes(1'001), 1'001, to.local()).sent, 1U);
    ASSERT_EQ(from.send(Bytes(1'000), 1'000, to.local()).sent, 1U);
    EXPECT_EQ(receive(to, 1).size(), 1U);
    EXPECT_EQ(to.stats().cut, 1U);
  }
}

TEST(UdpSocketTest, WithoutSegmentationAllThatIsThereIsReceivedAtOnce) {
  for (const Offload mode : {Offload::batches, Offload::single}) {
    auto from = UdpSocket::open(loopback()).value();
    auto to = UdpSocket::open(loopback(), {.receive = mode}).value();
    ASSERT_EQ(from.send(train_of(20, 1'200, 7), 1'200, to.local()).sent, 20U);
    Bytes memory(UdpSocket::kReceiveMemory);
    std::array<ReceivedTrain, UdpSocket::kMostDatagrams> trains;
    ASSERT_EQ(to.receive(memory, trains), 20U);
    EXPECT_EQ(trains[18].bytes.size(), 1'200U);
    EXPECT_EQ(trains[19].bytes.size(), 7U);
  }
}

TEST(UdpSocketTest, NamesAPortThatIsInUse) {
  auto first = UdpSocket::open(loopback()).value();
  const auto second = UdpSocket::open(first.local());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::transport_error);
  EXPECT_THAT(second.error().message(),
              HasSubstr("port " + std::to_string(first.local().port) + " of 127.0.0.1 is in use"));
}

TEST(UdpSocketTest, NamesAnAddressThatIsNotHere) {
  const auto socket = UdpSocket::open(*Address::parse("192.0.2.1", 0));
  ASSERT_FALSE(socket);
  EXPECT_THAT(socket.error().message(), HasSubstr("this machine has no address 192.0.2.1"));
}

TEST(UdpSocketTest, CountsWhatCannotBeReached) {
  auto socket = UdpSocket::open(loopback()).value();
  // From a loopback address there is no way out.
  const SendResult result = socket.send(Bytes(10), 10, *Address::parse("192.0.2.1", 9));
  EXPECT_EQ(result.status, SendStatus::failed);
  EXPECT_EQ(socket.stats().unreachable + socket.stats().send_errors, 1U);
}

TEST(UdpSocketTest, SaysWhenADatagramIsTooLarge) {
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback()).value();
  EXPECT_EQ(from.send(Bytes(65'530), 65'530, to.local()).status, SendStatus::too_large);
}

TEST(UdpSocketTest, AnIpv6SocketLeavesItsPortToIpv4) {
  auto six = UdpSocket::open(Address::any(Family::ipv6)).value();
  EXPECT_TRUE(UdpSocket::open(Address::any(Family::ipv4, six.local().port)));
}

TEST(UdpSocketTest, DatagramsAreNeverMarkedForEcn) {
  auto from = UdpSocket::open(loopback()).value();
  auto to = UdpSocket::open(loopback(), {.receive = Offload::single}).value();
  const int on = 1;
  ASSERT_EQ(setsockopt(to.descriptor(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
  ASSERT_EQ(from.send(train_of(3, 100, 100), 100, to.local()).sent, 3U);
  ASSERT_TRUE(wait_for(to, POLLIN));
  std::array<char, 200> text;
  alignas(cmsghdr) std::array<char, 64> control;
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ASSERT_GT(recvmsg(to.descriptor(), &message, 0), 0);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  ASSERT_EQ(header->cmsg_type, IP_TOS);
  EXPECT_EQ(*CMSG_DATA(header) & 3, 0);
}

}  // namespace
}  // namespace wdc::udp

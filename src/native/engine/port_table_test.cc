// SPDX-License-Identifier: MIT
#include "src/native/engine/port_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim/ice_world.h"

namespace wdc::native {
namespace {

using Bytes = std::vector<std::byte>;

const SocketAddress kLocal = sim::address("192.0.2.1:5000");
const SocketAddress kAlice = sim::address("198.51.100.1:1000");
const SocketAddress kBob = sim::address("198.51.100.2:2000");
const ice::Credentials kPeer{"peer", "the-password-of-the-peer"};
const TimePoint kNow{};

/// A connection on the port, with an agent that knows its peer.
class Member final : public PortMember {
 public:
  explicit Member(RandomSource& random) : ice(std::in_place, ice::AgentOptions{}, random) {
    ice->add_local_address(kLocal, ice::CandidateType::host, 1, kNow);
    EXPECT_TRUE(ice->set_remote_credentials(kPeer, ice::PeerKind::full, kNow));
  }
  [[nodiscard]] const ice::Agent* agent() const override { return ice ? &*ice : nullptr; }

  std::optional<ice::Agent> ice;
};

class PortTableTest : public testing::Test {
 protected:
  Member& join() {
    members.push_back(std::make_unique<Member>(random));
    table.update(*members.back());
    return *members.back();
  }
  Bytes check(const Member& of, std::string_view password = {}) {
    ice::TransactionId id;
    id.bytes[0] = static_cast<std::byte>(++transactions);
    ice::StunWriter writer(ice::StunClass::request, ice::StunMethod::binding, id);
    const auto& ours = of.ice->local_credentials();
    writer.add_username(ours.username_fragment + ":peer");
    writer.add_priority(1);
    writer.add_controlling(1);
    writer.add_integrity(password.empty() ? ours.password : password);
    return writer.finish();
  }
  /// As a port does it: what comes in goes to whom it is for.
  PortTable::Route arrive(const Bytes& datagram, const SocketAddress& from) {
    const auto route = table.route(datagram, from);
    if (route.member == nullptr || route.is_taken) return route;
    auto& member = static_cast<Member&>(*route.member);
    if (!ice::looks_like_stun(datagram)) return route;
    (void)member.ice->handle_datagram(datagram, {kLocal, from}, kNow);
    table.learn(member, from);
    return route;
  }

  sim::IceRandom random{1};
  PortTable table{kLocal};
  std::vector<std::unique_ptr<Member>> members;
  unsigned transactions = 0;
  const Bytes dtls{std::byte{22}, std::byte{254}, std::byte{253}};
};

TEST_F(PortTableTest, TellsChecksApartByUsernameAndTheRestByAddress) {
  auto& one = join();
  auto& other = join();
  EXPECT_EQ(arrive(check(one), kAlice).member, &one);
  EXPECT_EQ(arrive(check(other), kBob).member, &other);
  EXPECT_EQ(arrive(dtls, kAlice).member, &one);
  EXPECT_EQ(arrive(dtls, kBob).member, &other);
  EXPECT_EQ(table.unknown(), 0U);
}

TEST_F(PortTableTest, TellsAnswersApartByTransaction) {
  auto& one = join();
  auto& other = join();
  const std::string address_text = "candidate:1 1 udp 2130706431 198.51.100.1 1000 typ host";
  for (auto* member : {&one, &other})
    (void)member->ice->add_remote_candidate(*ice::parse_candidate(address_text), kNow);
  for (auto* member : {&other, &one}) {
    const auto sent = member->ice->poll_transmit();
    ASSERT_TRUE(sent);
    table.note_sent(*member, sent->bytes);
    ice::StunWriter writer(ice::StunClass::success, ice::StunMethod::binding,
                           ice::StunMessage::parse(sent->bytes)->transaction);
    writer.add_xor_mapped_address(kLocal);
    writer.add_integrity(kPeer.password);
    const auto route = arrive(writer.finish(), kAlice);
    EXPECT_EQ(route.member, member);
    EXPECT_EQ(route.is_taken, member == &one) << "the other one has the address";
  }
  EXPECT_EQ(arrive(dtls, kAlice).member, &other);
}

TEST_F(PortTableTest, GivesNobodyWhatNobodyHasAskedFor) {
  join();
  ice::StunWriter writer(ice::StunClass::success, ice::StunMethod::binding, {});
  EXPECT_EQ(arrive(writer.finish(), kAlice).member, nullptr);
  ice::StunWriter stranger(ice::StunClass::request, ice::StunMethod::binding, {});
  stranger.add_username("nobody:peer");
  EXPECT_EQ(arrive(stranger.finish(), kAlice).member, nullptr);
  EXPECT_EQ(arrive(dtls, kAlice).member, nullptr);
  EXPECT_EQ(arrive({}, kAlice).member, nullptr);
  EXPECT_EQ(table.unknown(), 4U);
}

TEST_F(PortTableTest, AddressIsClaimedByAnAuthenticCheckAlone) {
  auto& one = join();
  EXPECT_EQ(arrive(check(one, "a wrong password of some length"), kAlice).member, &one) << "its agent may judge it";
  EXPECT_EQ(table.addresses(), 0U);
  EXPECT_EQ(arrive(dtls, kAlice).member, nullptr);
  arrive(check(one), kAlice);
  EXPECT_EQ(arrive(dtls, kAlice).member, &one);
}

TEST_F(PortTableTest, AddressInUseIsNotTakenByAnotherMembersPeer) {
  auto& one = join();
  auto& other = join();
  arrive(check(one), kAlice);
  const auto honest = arrive(check(other), kAlice);
  EXPECT_EQ(honest.member, &other);
  EXPECT_TRUE(honest.is_taken);
  const auto forged = arrive(check(other, "a wrong password of some length"), kAlice);
  EXPECT_EQ(forged.member, nullptr) << "it is to cost us nothing";
  EXPECT_EQ(arrive(dtls, kAlice).member, &one);
}

TEST_F(PortTableTest, AddressIsFreeAgainWhenItsMemberIsGone) {
  auto& one = join();
  auto& other = join();
  arrive(check(one), kAlice);
  one.ice->close();
  EXPECT_FALSE(arrive(check(other), kAlice).is_taken);
  EXPECT_EQ(arrive(dtls, kAlice).member, &other);
  arrive(check(other), kBob);
  table.remove(other);
  EXPECT_EQ(table.addresses(), 0U);
  EXPECT_EQ(arrive(dtls, kBob).member, nullptr);
  EXPECT_EQ(arrive(check(other), kBob).member, nullptr);
}

TEST_F(PortTableTest, NamesFromBeforeARestartStillCount) {
  auto& one = join();
  const auto before = check(one);
  const auto first = one.ice->local_credentials().username_fragment;
  one.ice->restart(kNow);
  table.update(one);
  EXPECT_NE(one.ice->local_credentials().username_fragment, first);
  EXPECT_EQ(table.route(before, kAlice).member, &one);
  EXPECT_EQ(table.route(check(one), kAlice).member, &one);
  one.ice->restart(kNow);
  table.update(one);
  EXPECT_EQ(table.route(before, kAlice).member, nullptr) << "two at most";
}

TEST_F(PortTableTest, AMemberClaimsSoManyAddressesAtMost) {
  auto& one = join();
  for (std::uint16_t port = 1; port <= 1'000; ++port) arrive(check(one), {kAlice.ip, port});
  EXPECT_LE(table.addresses(), PortTable::kMostAddresses);
}

}  // namespace
}  // namespace wdc::native

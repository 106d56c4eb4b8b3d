// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "src/native/udp/interfaces.h"
#include "src/native/udp/system_random.h"

namespace wdc::udp {
namespace {

TEST(AddressTest, IsReadAsItIsWritten) {
  for (const char* const text : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "::", "2001:db8::5", "fe80::1%lo"}) {
    const auto address = Address::parse(text, 1'234);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->host(), text);
    sockaddr_storage storage{};
    EXPECT_GT(address->write(storage), 0U);
    EXPECT_EQ(Address::from(storage), *address);
  }
  EXPECT_EQ(Address::parse("::1", 80)->text(), "[::1]:80");
  EXPECT_EQ(Address::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  for (const char* const text : {"", "localhost", "1.2.3", "1.2.3.4.5", "::g", "fe80::1%nosuchinterface", "1.2.3.4 "}) {
    EXPECT_FALSE(Address::parse(text, 0)) << text;
  }
}

TEST(AddressTest, KnowsItsReach) {
  EXPECT_TRUE(Address::parse("127.3.2.1", 0)->is_loopback());
  EXPECT_TRUE(Address::parse("::1", 0)->is_loopback());
  EXPECT_FALSE(Address::parse("::2", 0)->is_loopback());
  EXPECT_TRUE(Address::parse("169.254.1.1", 0)->is_link_local());
  EXPECT_TRUE(Address::parse("fe80::1", 0)->is_link_local());
  EXPECT_FALSE(Address::parse("fec0::1", 0)->is_link_local());
  EXPECT_TRUE(Address::any(Family::ipv6).is_any());
}

TEST(InterfacesTest, LoopbackIsListedOnlyWhereItIsAllowed) {
  const auto without = list_interfaces();
  ASSERT_TRUE(without);
  for (const Interface& one : *without) EXPECT_FALSE(one.address.is_loopback()) << one.address.text();
  const auto with = list_interfaces({.loopback = true});
  ASSERT_TRUE(with);
  EXPECT_TRUE(std::ranges::any_of(*with, [](const Interface& one) { return one.address.is_loopback(); }));
  const auto four = list_interfaces({.loopback = true, .ipv6 = false});
  for (const Interface& one : *four) EXPECT_EQ(one.address.family, Family::ipv4);
}

TEST(SystemRandomTest, NumbersDiffer) {
  SystemRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.next());
  EXPECT_EQ(seen.size(), 1'000U);
}

}  // namespace
}  // namespace wdc::udp

// SPDX-License-Identifier: MIT
#include "apps/server/address_table.h"

#include <gtest/gtest.h>

#include <vector>

namespace wdc::server {
namespace {

using boost::asio::ip::make_address;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};
constexpr AddressTable::Limits kLimits{
    .connections = 3, .connections_per_address = 2, .upgrades = {.per_second = 2, .burst = 1}};

TEST(AddressTableTest, RefusesAnAddressItsThirdConnectionButNotAnother) {
  AddressTable table(kLimits);
  auto first = table.admit(make_address("192.0.2.1"), kStart);
  auto second = table.admit(make_address("192.0.2.1"), kStart);
  ASSERT_TRUE(first && second);
  auto third = table.admit(make_address("192.0.2.1"), kStart);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error(), AddressTable::Refusal::connections_per_address);
  EXPECT_TRUE(table.admit(make_address("192.0.2.2"), kStart));
}

TEST(AddressTableTest, RefusesAboveTheTotal) {
  AddressTable table(kLimits);
  std::vector<AddressTable::Slot> slots;
  for (const char* address : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    slots.push_back(*table.admit(make_address(address), kStart));
  }
  auto fourth = table.admit(make_address("192.0.2.4"), kStart);
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error(), AddressTable::Refusal::connections);
  slots.pop_back();
  EXPECT_TRUE(table.admit(make_address("192.0.2.4"), kStart));
}

TEST(AddressTableTest, CountsAnIpv6NetworkOf64BitsAsOneAddress) {
  AddressTable table(kLimits);
  auto first = table.admit(make_address("2001:db8:1:2::1"), kStart);
  auto second = table.admit(make_address("2001:db8:1:2:ffff::2"), kStart);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(table.admit(make_address("2001:db8:1:2::3"), kStart));
  EXPECT_TRUE(table.admit(make_address("2001:db8:1:3::1"), kStart));
}

TEST(AddressTableTest, CountsAMappedIpv4AddressAsItself) {
  AddressTable table(kLimits);
  auto first = table.admit(make_address("::ffff:192.0.2.1"), kStart);
  auto second = table.admit(make_address("192.0.2.1"), kStart);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(table.admit(make_address("192.0.2.1"), kStart));
}

TEST(AddressTableTest, LimitsUpgradesAcrossConnectionsOfOneAddress) {
  AddressTable table(kLimits);
  {
    auto slot = table.admit(make_address("192.0.2.1"), kStart);
    EXPECT_EQ(slot->try_upgrade(kStart), milliseconds(0));
  }
  auto again = table.admit(make_address("192.0.2.1"), kStart);
  EXPECT_EQ(again->try_upgrade(kStart), milliseconds(500));
  EXPECT_EQ(again->try_upgrade(kStart + milliseconds(500)), milliseconds(0));
}

TEST(AddressTableTest, ForgetsAddressesThatHaveRested) {
  AddressTable table(kLimits);
  for (int i = 0; i < 1000; ++i) {
    const auto now = kStart + seconds(i);
    auto slot = table.admit(boost::asio::ip::address_v4(0xC0000200u + static_cast<unsigned>(i)), now);
    ASSERT_TRUE(slot);
    ASSERT_EQ(slot->try_upgrade(now), milliseconds(0));
  }
  EXPECT_EQ(table.connections(), 0u);
  EXPECT_LE(table.addresses(), 2 * kLimits.connections);
}

}  // namespace
}  // namespace wdc::server

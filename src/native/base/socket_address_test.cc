// SPDX-License-Identifier: MIT
#include "src/native/base/socket_address.h"

#include <gtest/gtest.h>

namespace wdc::native {
namespace {

std::string canonical(std::string_view text) {
  const auto address = IpAddress::parse(text);
  return address ? address->to_string() : "none";
}

TEST(IpAddressTest, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(canonical("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(canonical("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(canonical("::"), "::");
  EXPECT_EQ(canonical("::1"), "::1");
  EXPECT_EQ(canonical("2001:DB8::1"), "2001:db8::1");
  EXPECT_EQ(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(canonical("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(canonical("fe80::"), "fe80::");
  EXPECT_EQ(canonical("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
}

TEST(IpAddressTest, TakesIpv4InsideIpv6AsIpv4) {
  EXPECT_EQ(canonical("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
}

TEST(IpAddressTest, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1.2.3.4 ",
                                      "1..2.3",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8::",
                                      "12345::",
                                      "g::",
                                      "1:",
                                      ":1",
                                      "fe80::1%eth0",
                                      "::1.2.3",
                                      "x.local",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1.2.3.4::"}) {
    EXPECT_EQ(canonical(text), "none") << text;
  }
}

TEST(IpAddressTest, KnowsSpecialAddresses) {
  EXPECT_TRUE(IpAddress::parse("127.1.2.3")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("224.0.0.251")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("255.255.255.255")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::1")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("fe80::1")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("169.254.3.4")->is_link_local());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("192.0.2.1")->is_multicast());
}

TEST(SocketAddressTest, PutsIpv6IntoBrackets) {
  EXPECT_EQ((SocketAddress{*IpAddress::parse("192.0.2.1"), 80}).to_string(), "192.0.2.1:80");
  EXPECT_EQ((SocketAddress{*IpAddress::parse("2001:db8::1"), 80}).to_string(), "[2001:db8::1]:80");
}

}  // namespace
}  // namespace wdc::native

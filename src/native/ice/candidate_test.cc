// SPDX-License-Identifier: MIT
#include "src/native/ice/candidate.h"

#include <gtest/gtest.h>

namespace wdc::ice {
namespace {

TEST(CandidateTest, ReadsWhatBrowsersWrite) {
  const auto chromium = parse_candidate(
      "candidate:2070031040 1 udp 2113937151 7f6af524-ca25-4df9-aa02-ca54a9c4d4c7.local 40666 typ host generation 0 "
      "ufrag "
      "FRwW network-cost 999");
  ASSERT_TRUE(chromium) << chromium.error();
  EXPECT_EQ(chromium->host_name, "7f6af524-ca25-4df9-aa02-ca54a9c4d4c7.local");
  EXPECT_EQ(chromium->address.port, 40'666);
  EXPECT_EQ(chromium->priority, 2'113'937'151U);
  EXPECT_EQ(chromium->username_fragment, "FRwW");
  EXPECT_EQ(chromium->type, CandidateType::host);

  const auto reflexive = parse_candidate(
      "a=candidate:842163049 1 udp 1677729535 192.0.2.7 60769 typ srflx raddr 0.0.0.0 rport 0 generation 0");
  ASSERT_TRUE(reflexive) << reflexive.error();
  EXPECT_EQ(reflexive->type, CandidateType::server_reflexive);
  EXPECT_EQ(reflexive->address.to_string(), "192.0.2.7:60769");
  EXPECT_EQ(reflexive->related, SocketAddress{});

  const auto firefox = parse_candidate("candidate:2 1 TCP 2105458943 2001:db8::1 9 typ host tcptype active");
  ASSERT_TRUE(firefox) << firefox.error();
  EXPECT_EQ(firefox->transport, CandidateTransport::tcp);
}

TEST(CandidateTest, ReadsWhatItWrites) {
  const Candidate candidate{.foundation = "a+/7",
                            .priority = 100,
                            .address = {*IpAddress::parse("2001:db8::1"), 7},
                            .host_name = {},
                            .type = CandidateType::relayed,
                            .related = SocketAddress{*IpAddress::parse("192.0.2.1"), 9},
                            .username_fragment = "abcd"};
  const std::string text = format_candidate(candidate);
  EXPECT_EQ(text, "candidate:a+/7 1 udp 100 2001:db8::1 7 typ relay raddr 192.0.2.1 rport 9 ufrag abcd");
  EXPECT_EQ(parse_candidate(text), candidate);
}

TEST(CandidateTest, ComputesThePrioritiesOfRfc8445) {
  EXPECT_EQ(candidate_priority(CandidateType::host, 65'535), 2'130'706'431U);
  EXPECT_GT(candidate_priority(CandidateType::host, 0), candidate_priority(CandidateType::peer_reflexive, 65'535));
  EXPECT_GT(candidate_priority(CandidateType::peer_reflexive, 0),
            candidate_priority(CandidateType::server_reflexive, 65'535));
  EXPECT_GT(candidate_priority(CandidateType::server_reflexive, 0), candidate_priority(CandidateType::relayed, 65'535));
}

TEST(CandidateTest, SaysWhatIsWrong) {
  const auto reason = [](std::string_view text) {
    const auto candidate = parse_candidate(text);
    return candidate ? std::string() : candidate.error();
  };
  EXPECT_NE(reason("").find("foundation"), std::string::npos);
  EXPECT_NE(reason("candidate:! 1 udp 1 1.2.3.4 5 typ host").find("foundation"), std::string::npos);
  EXPECT_NE(reason("candidate:1 0 udp 1 1.2.3.4 5 typ host").find("component"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 sctp 1 1.2.3.4 5 typ host").find("transport"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 4294967296 1.2.3.4 5 typ host").find("priority"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp -1 1.2.3.4 5 typ host").find("priority"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 \x1b[2J 5 typ host").find("address"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 1.2.3.4 65536 typ host").find("port"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 1.2.3.4 5 type host").find("typ"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 1.2.3.4 5 typ moon").find("type"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 1.2.3.4 5 typ host ufrag").find("extension"), std::string::npos);
  EXPECT_NE(reason("candidate:1 1 udp 1 1.2.3.4 5 typ host x " + std::string(2'000, 'x')).find("1024"),
            std::string::npos);
}

TEST(CandidateTest, TakesExtensionsInAnyOrderAndNumber) {
  const auto candidate =
      parse_candidate("1 1 UDP 1 1.2.3.4 5 typ srflx rport 7 generation 0 raddr 5.6.7.8 x y ufrag q");
  ASSERT_TRUE(candidate) << candidate.error();
  EXPECT_EQ(candidate->related->to_string(), "5.6.7.8:7");
  EXPECT_EQ(candidate->username_fragment, "q");
}

}  // namespace
}  // namespace wdc::ice

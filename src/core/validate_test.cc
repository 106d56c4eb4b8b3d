// SPDX-License-Identifier: MIT
#include "src/core/validate.h"

#include <string>

#include <gtest/gtest.h>

namespace wdc::core {
namespace {

using namespace std::chrono_literals;

template <class... Args>
std::string why(const Args&... args) {
  const auto valid = validate(args...);
  if (valid) return "";
  EXPECT_EQ(valid.error().code(), Errc::invalid_argument);
  return valid.error().message();
}

TEST(Validate, TakesTheDefaults) {
  EXPECT_EQ(why(FlowOptions{}), "");
  EXPECT_EQ(why("label", DataChannelOptions{}), "");
  EXPECT_EQ(why(PeerConnectionOptions{}), "");
}

TEST(Validate, NamesTheFlowOptionAndItsRange) {
  EXPECT_EQ(why(FlowOptions{.receive_queue_bytes = 0}),
            "invalid_argument: receive_queue_bytes must be 1 to 1099511627776 (met 0, limit 1)");
  EXPECT_NE(why(FlowOptions{.receive_queue_messages = (std::size_t{1} << 24) + 1}), "");
  EXPECT_EQ(why(FlowOptions{.send_high_water_mark = 20'000'000}),
            "invalid_argument: send_high_water_mark must be 1 to 16777216 (met 20000000, limit 16777216)");
  EXPECT_EQ(why(FlowOptions{.send_high_water_mark = 10, .send_low_water_mark = 11}),
            "invalid_argument: send_low_water_mark must be 0 to 10 (met 11, limit 10)");
  EXPECT_NE(why(FlowOptions{.send_queue_operations = 0}), "");
  EXPECT_EQ(why(FlowOptions{.close_timeout = 0ms}),
            "invalid_argument: an argument is out of its range: close_timeout must be at least 1 ms and is 0 ms");
}

TEST(Validate, RefusesBothKindsOfPartialReliability) {
  DataChannelOptions options;
  options.max_retransmits = 3;
  EXPECT_EQ(why("a", options), "");
  options.max_packet_life_time = 100ms;
  EXPECT_NE(why("a", options), "");
  options.max_retransmits.reset();
  EXPECT_EQ(why("a", options), "");
  options.max_packet_life_time = 65'535ms;
  EXPECT_EQ(why("a", options), "");
  options.max_packet_life_time = 65'536ms;
  EXPECT_NE(why("a", options), "");
  options.max_packet_life_time = -1ms;
  EXPECT_NE(why("a", options), "");
}

TEST(Validate, WantsAnIdForNegotiatedChannelsAndOnlyForThem) {
  DataChannelOptions options;
  options.negotiated = true;
  EXPECT_NE(why("a", options), "");
  options.id = 65'534;
  EXPECT_EQ(why("a", options), "");
  options.id = 65'535;
  EXPECT_EQ(why("a", options), "invalid_argument: id must be 0 to 65534 (met 65535, limit 65534)");
  options.id = 1;
  options.negotiated = false;
  EXPECT_NE(why("a", options), "");
}

TEST(Validate, BoundsLabelAndProtocol) {
  EXPECT_EQ(why(std::string(65'535, 'x'), DataChannelOptions{}), "");
  EXPECT_NE(why(std::string(65'536, 'x'), DataChannelOptions{}).find("65536"), std::string::npos);
  DataChannelOptions options;
  options.protocol.assign(65'536, 'x');
  EXPECT_NE(why("a", options).find("protocol"), std::string::npos);
}

TEST(Validate, LooksAtIceServers) {
  const auto with = [](std::string url, std::string user = {}, std::string credential = {}) {
    PeerConnectionOptions options;
    options.ice_servers.push_back({{std::move(url)}, std::move(user), std::move(credential)});
    return why(options);
  };
  EXPECT_EQ(with("stun:example.org:3478"), "");
  EXPECT_EQ(with("turns:example.org", "user", "secret"), "");
  EXPECT_NE(with("turn:example.org"), "");
  EXPECT_NE(with("http://example.org"), "");
  EXPECT_NE(with("stun:"), "");
  PeerConnectionOptions none;
  none.ice_servers.emplace_back();
  EXPECT_NE(why(none), "");
  EXPECT_NE(why(PeerConnectionOptions{.disconnected_timeout = 0ms}), "");
  EXPECT_NE(why(PeerConnectionOptions{.incoming_channels = 0}), "");
  EXPECT_NE(why(PeerConnectionOptions{.incoming_flow = {.receive_queue_bytes = 0}}), "");
}

}  // namespace
}  // namespace wdc::core

// SPDX-License-Identifier: MIT
#include "src/native/dcep/channel_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/sim/hex.h"

namespace wdc::dcep {
namespace {

using sim::hex;
using Arrival = ChannelTable::Arrival;

template <class Kind>
std::optional<Kind> poll_for(ChannelTable& table) {
  while (auto output = table.poll()) {
    if (const Kind* const found = std::get_if<Kind>(&*output)) return *found;
  }
  return std::nullopt;
}

// ---- messages

TEST(OpenMessageTest, IsWrittenAsTheRfcDraws) {
  const ChannelParameters parameters{
      .ordered = false, .max_retransmits = 3, .max_lifetime_ms = {}, .priority = 512, .label = "ab", .protocol = "xyz"};
  const auto bytes = hex("03 81 0200 00000003 0002 0003 6162 78797a");
  EXPECT_EQ(write_open(parameters), bytes);
  EXPECT_EQ(parse_open(bytes), parameters);
  EXPECT_EQ(write_ack(), hex("02"));
}

TEST(OpenMessageTest, ReadsEveryChannelType) {
  EXPECT_EQ(parse_open(hex("03 00 0100 00000000 0000 0000")), ChannelParameters{});
  EXPECT_EQ(parse_open(hex("03 82 0100 000003e8 0000 0000"))->max_lifetime_ms, 1'000U);
  EXPECT_FALSE(parse_open(hex("03 82 0100 000003e8 0000 0000"))->ordered);
  EXPECT_EQ(parse_open(hex("03 01 0100 00000005 0000 0000"))->max_retransmits, 5U);
  EXPECT_FALSE(parse_open(hex("03 03 0100 00000000 0000 0000")));
}

TEST(OpenMessageTest, RefusesLengthsPastTheEnd) {
  EXPECT_FALSE(parse_open(hex("03 00 0100 00000000 0003 0000 6162")));
  EXPECT_FALSE(parse_open(hex("03 00 0100 00000000 0001 0002 6162")));
  EXPECT_FALSE(parse_open(hex("03 00 0100 00000000 ffff ffff")));
  const auto whole = hex("03 00 0100 00000000 0000 0000");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(parse_open(std::span(whole).first(size)));
}

TEST(OpenMessageTest, KeepsBytesThatAreNoText) {
  const ChannelParameters parameters{.label = std::string("a\0b\xff", 4), .protocol = {}};
  EXPECT_EQ(parse_open(write_open(parameters)), parameters);
}

TEST(PayloadKindTest, EveryPpidHasItsMeaning) {
  EXPECT_EQ(ppid_for(PayloadKind::text, 5), 51U);
  EXPECT_EQ(ppid_for(PayloadKind::binary, 5), 53U);
  EXPECT_EQ(ppid_for(PayloadKind::text, 0), 56U);
  EXPECT_EQ(ppid_for(PayloadKind::binary, 0), 57U);
  EXPECT_TRUE(payload_meaning(57)->empty);
  EXPECT_EQ(payload_meaning(52)->kind, PayloadKind::binary);
  EXPECT_EQ(payload_meaning(54)->kind, PayloadKind::text);
  EXPECT_FALSE(payload_meaning(55));
}

// ---- channels

class ChannelTableTest : public testing::Test {
 protected:
  /// Hands everything one table has to say to the other, until both are silent.
  void settle() {
    for (bool any = true; any;) {
      any = deliver(client, server, client_outputs);
      any |= deliver(server, client, server_outputs);
    }
  }
  static bool deliver(ChannelTable& from, ChannelTable& to, std::vector<Output>& seen) {
    bool any = false;
    while (auto output = from.poll()) {
      any = true;
      if (const auto* message = std::get_if<ControlMessage>(&*output)) {
        EXPECT_EQ(to.handle_message(message->id, kPpidControl, message->bytes), Arrival::handled);
      } else if (const auto* reset = std::get_if<ResetRequest>(&*output)) {
        to.handle_peer_reset(reset->id);
        from.handle_reset_done(reset->id);
      }
      seen.push_back(std::move(*output));
    }
    return any;
  }
  template <class Kind>
  static std::size_t count(const std::vector<Output>& outputs) {
    return static_cast<std::size_t>(
        std::ranges::count_if(outputs, [](const Output& output) { return std::holds_alternative<Kind>(output); }));
  }

  ChannelTable client{DtlsRole::client, 65'535};
  ChannelTable server{DtlsRole::server, 65'535};
  std::vector<Output> client_outputs, server_outputs;
};

TEST_F(ChannelTableTest, IdsFollowTheDtlsRole) {
  EXPECT_EQ(client.open({})->value(), 0);
  EXPECT_EQ(client.open({})->value(), 2);
  EXPECT_EQ(server.open({})->value(), 1);
  EXPECT_EQ(server.open({})->value(), 3);
}

TEST_F(ChannelTableTest, AChannelIsOpenedAcknowledgedAndClosed) {
  const ChannelId id = *client.open({.label = "chat", .protocol = {}});
  EXPECT_TRUE(client.must_send_ordered(id));
  settle();
  EXPECT_FALSE(client.must_send_ordered(id));
  EXPECT_EQ(count<ChannelAcknowledged>(client_outputs), 1U);
  ASSERT_EQ(count<IncomingChannel>(server_outputs), 1U);
  server.close(id);
  settle();
  EXPECT_EQ(count<ChannelClosed>(client_outputs), 1U);
  EXPECT_EQ(count<ChannelClosed>(server_outputs), 1U);
  EXPECT_EQ(client.size() + server.size(), 0U);
}

TEST_F(ChannelTableTest, BothEndsMayCloseAtOnce) {
  const ChannelId id = *client.open({});
  settle();
  client.close(id);
  server.close(id);
  settle();
  EXPECT_EQ(count<ChannelClosed>(client_outputs), 1U);
  EXPECT_EQ(count<ChannelClosed>(server_outputs), 1U);
}

TEST_F(ChannelTableTest, AnIdIsReusedOnlyAfterBothResets) {
  ChannelTable few(DtlsRole::client, 1);
  const ChannelId id = *few.open({});
  few.close(id);
  EXPECT_FALSE(few.open({}));
  few.handle_reset_done(id);
  EXPECT_FALSE(few.open({}));
  few.handle_peer_reset(id);
  EXPECT_EQ(few.open({}), id);
}

TEST_F(ChannelTableTest, ThePeerMayReuseAnIdBeforeTheAnswerToOurResetIsHere) {
  const ChannelId id(0);
  EXPECT_EQ(server.handle_message(id, kPpidControl, write_open({})), Arrival::handled);
  server.close(id);
  EXPECT_EQ(server.handle_message(id, kPpidControl, write_open({})), Arrival::dropped);  // it has reset nothing yet
  server.handle_peer_reset(id);
  EXPECT_EQ(server.handle_message(id, kPpidControl, write_open({})), Arrival::handled);
  EXPECT_TRUE(poll_for<ChannelClosed>(server));
  server.handle_reset_done(id);  // late: it was the old channel's
  EXPECT_EQ(server.handle_message(id, kPpidText, hex("61")), Arrival::deliver);
}

TEST_F(ChannelTableTest, EveryIdCanBeUsedAndThenThereIsNone) {
  std::size_t opened = 0;
  while (client.open({})) ++opened;
  EXPECT_EQ(opened, 32'768U);  // 0, 2, ... 65534
  opened = 0;
  while (server.open({})) ++opened;
  EXPECT_EQ(opened, 32'767U);  // 65535 is none
}

TEST_F(ChannelTableTest, AHundredThousandChannelsComeAndGo) {
  for (int i = 0; i < 100'000; ++i) {
    const auto id = client.open({});
    ASSERT_TRUE(id);
    settle();
    client.close(*id);
    settle();
    client_outputs.clear();
    server_outputs.clear();
  }
  EXPECT_EQ(client.size() + server.size(), 0U);
}

TEST_F(ChannelTableTest, DataMayComeBeforeTheAck) {
  const ChannelId id = *client.open({});
  EXPECT_EQ(client.handle_message(id, kPpidText, hex("61")), Arrival::deliver);
}

TEST_F(ChannelTableTest, ADuplicateOpenClosesTheChannel) {
  const auto open = write_open({});
  EXPECT_EQ(server.handle_message(ChannelId(0), kPpidControl, open), Arrival::handled);
  EXPECT_EQ(server.handle_message(ChannelId(0), kPpidControl, open), Arrival::dropped);
  EXPECT_TRUE(poll_for<ResetRequest>(server));
}

TEST_F(ChannelTableTest, AnOpenOfTheWrongParityIsRefused) {
  EXPECT_EQ(server.handle_message(ChannelId(1), kPpidControl, write_open({})), Arrival::dropped);
  EXPECT_FALSE(poll_for<IncomingChannel>(server));
}

TEST_F(ChannelTableTest, AnOpenThatIsMalformedIsRefusedByAReset) {
  EXPECT_EQ(server.handle_message(ChannelId(0), kPpidControl, hex("03 00 0100 00000000 ffff 0000")), Arrival::dropped);
  EXPECT_EQ(poll_for<ResetRequest>(server)->id, ChannelId(0));
  server.handle_reset_done(ChannelId(0));
  server.handle_peer_reset(ChannelId(0));
  EXPECT_EQ(server.handle_message(ChannelId(0), kPpidControl, write_open({})), Arrival::handled);
}

TEST_F(ChannelTableTest, UnknownPpidsAndChannelsAreDropped) {
  EXPECT_EQ(server.handle_message(ChannelId(0), kPpidControl, write_open({})), Arrival::handled);
  EXPECT_EQ(server.handle_message(ChannelId(0), 99, hex("00")), Arrival::dropped);
  EXPECT_EQ(server.handle_message(ChannelId(2), kPpidBinary, hex("00")), Arrival::dropped);
  EXPECT_EQ(server.handle_message(ChannelId(65'535), kPpidBinary, hex("00")), Arrival::dropped);
  EXPECT_EQ(server.dropped(), 3U);
}

TEST_F(ChannelTableTest, AStrayAckOrResetDoesNoHarm) {
  EXPECT_EQ(client.handle_message(ChannelId(0), kPpidControl, write_ack()), Arrival::handled);
  client.handle_peer_reset(ChannelId(0));
  client.handle_reset_done(ChannelId(0));
  EXPECT_FALSE(client.poll());
}

TEST_F(ChannelTableTest, NegotiatedChannelsNeedNoMessages) {
  EXPECT_TRUE(client.add_negotiated(ChannelId(7)));
  EXPECT_FALSE(client.add_negotiated(ChannelId(7)));
  EXPECT_FALSE(client.add_negotiated(ChannelId(65'535)));
  EXPECT_FALSE(client.poll());
  EXPECT_EQ(client.handle_message(ChannelId(7), kPpidBinaryEmpty, hex("00")), Arrival::deliver);
}

TEST_F(ChannelTableTest, MessagesForAClosingChannelAreDropped) {
  EXPECT_TRUE(client.add_negotiated(ChannelId(0)));
  client.close(ChannelId(0));
  EXPECT_EQ(client.handle_message(ChannelId(0), kPpidText, hex("61")), Arrival::dropped);
}

}  // namespace
}  // namespace wdc::dcep

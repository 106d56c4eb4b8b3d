// SPDX-License-Identifier: MIT
// Every chunk's bytes against the drawings of its RFC, and the malformed ones.
#include <gtest/gtest.h>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"
#include "src/native/sctp/packet/forward_tsn_chunk.h"
#include "src/native/sctp/packet/heartbeat_chunk.h"
#include "src/native/sctp/packet/i_data_chunk.h"
#include "src/native/sctp/packet/i_forward_tsn_chunk.h"
#include "src/native/sctp/packet/init_chunk.h"
#include "src/native/sctp/packet/outgoing_reset_parameter.h"
#include "src/native/sctp/packet/reconfig_chunk.h"
#include "src/native/sctp/packet/reconfig_request_parameter.h"
#include "src/native/sctp/packet/reconfig_response_parameter.h"
#include "src/native/sctp/packet/sack_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "tests/support/sim/hex.h"

namespace wdc::sctp {
namespace {

using sim::hex;
using Bytes = std::vector<std::byte>;

Bytes written(const auto& chunk) {
  Bytes bytes(chunk.size());
  chunk.write(bytes.data());
  return bytes;
}

ChunkView only_chunk(const Bytes& bytes) {
  const auto chunk = ChunkWalk(bytes).next();
  EXPECT_TRUE(chunk);
  return chunk.value_or(ChunkView{});
}

/// What `parse` makes of every shorter form of a chunk, its length field kept right: nothing may be read past the end.
void expect_no_parse_below(const Bytes& whole, std::size_t smallest, const auto& parse) {
  for (std::size_t size = kChunkHeaderSize; size < smallest; ++size) {
    Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    store_big_endian(part.data() + 2, static_cast<std::uint16_t>(size));
    EXPECT_FALSE(parse(only_chunk(part))) << size << " bytes";
  }
}

TEST(DataChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("00 0b 0013  00000001  0002  0003  00000035  aabbcc");
  const auto data = DataChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(data);
  EXPECT_EQ(data->tsn, Tsn(1));
  EXPECT_EQ(data->stream, StreamId(2));
  EXPECT_EQ(data->ssn, Ssn(3));
  EXPECT_EQ(data->ppid, Ppid(53));
  EXPECT_EQ(data->flags, (DataFlags{.immediate_sack = true, .unordered = false, .beginning = true, .end = true}));
  EXPECT_EQ(data->payload.size(), 3U);
  EXPECT_EQ(written(*data), bytes);
  expect_no_parse_below(bytes, 16, [](const ChunkView& chunk) { return DataChunk::parse(chunk).has_value(); });
}

TEST(IDataChunkTest, FirstFragmentCarriesThePpid) {
  const auto bytes = hex("40 02 0016  00000001  0002 0000  00000004  00000033  aabb");
  const auto data = IDataChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(data);
  EXPECT_EQ(data->mid, Mid(4));
  EXPECT_EQ(data->ppid, Ppid(51));
  EXPECT_EQ(data->fsn, Fsn(0));
  EXPECT_EQ(written(*data), bytes);
  expect_no_parse_below(bytes, 20, [](const ChunkView& chunk) { return IDataChunk::parse(chunk).has_value(); });
}

TEST(IDataChunkTest, LaterFragmentsCarryTheirNumber) {
  const auto bytes = hex("40 05 0016  00000001  0002 0000  00000004  00000033  aabb");
  const auto data = IDataChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(data);
  EXPECT_EQ(data->fsn, Fsn(51));
  EXPECT_EQ(data->ppid, Ppid(0));
  EXPECT_TRUE(data->flags.unordered && data->flags.end && !data->flags.beginning);
  EXPECT_EQ(written(*data), bytes);
}

TEST(SackChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("03 00 0020  0000000a  00010000  0002 0002  0002 0003  0005 0007  0000000a  00000009");
  const auto sack = SackChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(sack);
  EXPECT_EQ(sack->cumulative_tsn, Tsn(10));
  EXPECT_EQ(sack->a_rwnd, 65536U);
  ASSERT_EQ(sack->gap_block_count(), 2U);
  EXPECT_EQ(sack->gap_block(1), (GapBlock{5, 7}));
  ASSERT_EQ(sack->duplicate_count(), 2U);
  EXPECT_EQ(sack->duplicate(1), Tsn(9));

  const std::array<GapBlock, 2> gaps{{{2, 3}, {5, 7}}};
  const std::array<Tsn, 2> duplicates{Tsn(10), Tsn(9)};
  EXPECT_EQ(written(SackToSend{Tsn(10), 65536, gaps, duplicates}), bytes);
  expect_no_parse_below(bytes, bytes.size(),
                        [](const ChunkView& chunk) { return SackChunk::parse(chunk).has_value(); });
}

TEST(SackChunkTest, RefusesCountsBeyondTheChunk) {
  EXPECT_FALSE(SackChunk::parse(only_chunk(hex("03 00 0014  0000000a  00010000  0002 0000  00020003"))));
  EXPECT_FALSE(SackChunk::parse(only_chunk(hex("03 00 0014  0000000a  00010000  0000 ffff  00020003"))));
  EXPECT_FALSE(SackChunk::parse(only_chunk(hex("03 00 0010  0000000a  00010000  ffff ffff"))));
}

TEST(InitChunkTest, IsWrittenAndReadWithEveryCapability) {
  const Capabilities all{true, true, true, true};
  const auto cookie = hex("c0c1c2c3c4");
  const auto bytes = written(
      InitToSend{ChunkType::init_ack, VerificationTag(0xa1b2c3d4), 131072, 1024, 2048, Tsn(99), all, cookie, {}});
  EXPECT_EQ(Bytes(bytes.begin(), bytes.begin() + 20), hex("02 00 0034  a1b2c3d4  00020000  0400 0800  00000063"));
  const auto init = InitChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(init);
  EXPECT_EQ(init->initiate_tag, VerificationTag(0xa1b2c3d4));
  EXPECT_EQ(init->a_rwnd, 131072U);
  EXPECT_EQ(init->outbound_streams, 1024);
  EXPECT_EQ(init->inbound_streams, 2048);
  EXPECT_EQ(init->initial_tsn, Tsn(99));
  EXPECT_EQ(init->capabilities, all);
  EXPECT_EQ(Bytes(init->cookie.begin(), init->cookie.end()), cookie);
  expect_no_parse_below(bytes, 20, [](const ChunkView& chunk) { return InitChunk::parse(chunk).has_value(); });
}

TEST(InitChunkTest, DoesNotCountThePaddingOfItsLastParameter) {
  const auto bytes =
      written(InitToSend{ChunkType::init, VerificationTag(1), 5'000, 1, 1, Tsn(1), {true, false, true, false}, {}, {}});
  EXPECT_EQ(bytes, hex("01 00 001e  00000001  00001388  0001 0001  00000001  c000 0004  8008 0006 82c0"));
}

// What Chromium sends: Forward-TSN-Supported, and RE-CONFIG and FORWARD-TSN as supported extensions.
TEST(InitChunkTest, ReadsABrowsersInit) {
  const auto init = InitChunk::parse(
      only_chunk(hex("01 00 0020  11223344  00500000  ffff ffff  00000001  c000 0004  8008 0006 82 c0 0000")));
  ASSERT_TRUE(init);
  EXPECT_EQ(init->capabilities, (Capabilities{.partial_reliability = true, .stream_reset = true}));
  EXPECT_EQ(init->inbound_streams, 65535);
}

TEST(InitChunkTest, RefusesAParameterOfZeroLength) {
  EXPECT_FALSE(InitChunk::parse(only_chunk(hex("01 00 0018  11223344  00500000  ffff ffff  00000001  c000 0000"))));
}

TEST(InitChunkTest, RefusesALastParameterThatStraddlesTheEnd) {
  EXPECT_FALSE(
      InitChunk::parse(only_chunk(hex("01 00 001c  11223344  00500000  ffff ffff  00000001  8008 000c 82c00000"))));
  EXPECT_FALSE(InitChunk::parse(only_chunk(hex("01 00 0016  11223344  00500000  ffff ffff  00000001  8008"))));
}

TEST(InitChunkTest, RefusesAZeroChecksumParameterOfTheWrongSize) {
  EXPECT_FALSE(InitChunk::parse(only_chunk(hex("01 00 0018  11223344  00500000  ffff ffff  00000001  8001 0004"))));
}

TEST(InitChunkTest, IgnoresAnUnknownErrorDetectionMethod) {
  const auto init =
      InitChunk::parse(only_chunk(hex("01 00 001c  11223344  00500000  ffff ffff  00000001  8001 0008 00000007")));
  ASSERT_TRUE(init);
  EXPECT_FALSE(init->capabilities.zero_checksum);
}

TEST(InitChunkTest, CollectsUnknownParametersThatAskToBeReported) {
  // 0xff01: go on and report. 0xbf02: go on in silence. 0x7f03: report and stop, so that 0xc000 is not seen.
  const auto bytes = hex(
      "01 00 002a  11223344  00500000  ffff ffff  00000001  ff01 0006 aabb0000  bf02 0004  7f03 0004  c000 0004  0000");
  Bytes right = bytes;
  store_big_endian(right.data() + 2, std::uint16_t{40});
  const auto init = InitChunk::parse(only_chunk(right));
  ASSERT_TRUE(init);
  ASSERT_EQ(init->unrecognized_count, 2U);
  EXPECT_EQ(Bytes(init->unrecognized[0].begin(), init->unrecognized[0].end()), hex("ff01 0006 aabb"));
  EXPECT_EQ(init->unrecognized[1].size(), 4U);
  EXPECT_FALSE(init->capabilities.partial_reliability);
}

TEST(HeartbeatChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("04 00 000c  0001 0008  01020304");
  const auto heartbeat = HeartbeatChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->info.size(), 4U);
  EXPECT_EQ(written(*heartbeat), bytes);
}

TEST(HeartbeatChunkTest, RefusesInformationThatStraddlesTheEnd) {
  EXPECT_FALSE(HeartbeatChunk::parse(only_chunk(hex("04 00 000c  0001 0100  01020304"))));
  EXPECT_FALSE(HeartbeatChunk::parse(only_chunk(hex("04 00 0004"))));
  EXPECT_FALSE(HeartbeatChunk::parse(only_chunk(hex("04 00 0008  0002 0004"))));
}

TEST(AbortChunkTest, AcceptsUnknownAndBrokenCauses) {
  EXPECT_EQ(AbortChunk::parse(only_chunk(hex("06 00 0008  beef 0004"))).cause.code, CauseCode{0xbeef});
  EXPECT_EQ(AbortChunk::parse(only_chunk(hex("06 00 0008  000c 0000"))).cause.code, CauseCode::none);
  EXPECT_EQ(AbortChunk::parse(only_chunk(hex("06 01 0004"))).tag, TagKind::reflected);
}

TEST(AbortChunkTest, CarriesAReason) {
  const auto reason = hex("676f6e65");
  EXPECT_EQ(written(AbortChunk{TagKind::own, {CauseCode::user_initiated_abort, reason}}),
            hex("06 00 000c 000c 0008 676f6e65"));
}

TEST(ErrorChunkTest, CarriesACause) {
  const auto information = hex("00050000");
  const auto bytes = written(ErrorChunk{{CauseCode::invalid_stream_identifier, information}});
  EXPECT_EQ(bytes, hex("09 00 000c 0001 0008 00050000"));
  EXPECT_EQ(ErrorChunk::parse(only_chunk(bytes)).cause.code, CauseCode::invalid_stream_identifier);
}

TEST(ShutdownChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("07 00 0008 0000000c");
  EXPECT_EQ(ShutdownChunk::parse(only_chunk(bytes))->cumulative_tsn, Tsn(12));
  EXPECT_EQ(written(ShutdownChunk{Tsn(12)}), bytes);
  EXPECT_FALSE(ShutdownChunk::parse(only_chunk(hex("07 00 0004"))));
  EXPECT_EQ(written(BareChunk{ChunkType::shutdown_complete, TagKind::reflected}), hex("0e 01 0004"));
}

TEST(ForwardTsnChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("c0 00 0010  00000064  0001 0002  0003 0004");
  const auto forward = ForwardTsnChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->new_cumulative_tsn, Tsn(100));
  ASSERT_EQ(forward->skip_count(), 2U);
  const std::array<ForwardTsnChunk::Skip, 2> skips{{{StreamId(1), Ssn(2)}, {StreamId(3), Ssn(4)}}};
  EXPECT_EQ(forward->skip(1), skips[1]);
  EXPECT_EQ(written(ForwardTsnToSend{Tsn(100), skips}), bytes);
  EXPECT_FALSE(ForwardTsnChunk::parse(only_chunk(hex("c0 00 000a  00000064  0001"))));
  EXPECT_FALSE(ForwardTsnChunk::parse(only_chunk(hex("c0 00 0004"))));
}

TEST(IForwardTsnChunkTest, IsReadAndWrittenAsDrawn) {
  const auto bytes = hex("c2 00 0018  00000064  0001 0001 00000009  0003 0000 0000000a");
  const auto forward = IForwardTsnChunk::parse(only_chunk(bytes));
  ASSERT_TRUE(forward);
  ASSERT_EQ(forward->skip_count(), 2U);
  const std::array<IForwardTsnChunk::Skip, 2> skips{{{StreamId(1), true, Mid(9)}, {StreamId(3), false, Mid(10)}}};
  EXPECT_EQ(forward->skip(0), skips[0]);
  EXPECT_EQ(forward->skip(1), skips[1]);
  EXPECT_EQ(written(IForwardTsnToSend{Tsn(100), skips}), bytes);
  EXPECT_FALSE(IForwardTsnChunk::parse(only_chunk(hex("c2 00 000c  00000064  0001 0000"))));
}

TEST(ReconfigChunkTest, AnOutgoingResetIsReadAndWrittenAsDrawn) {
  const auto bytes = hex("82 00 0018  000d 0014  00000001  00000002  00000003  0004 0005");
  auto parameters = ReconfigChunk::parameters(only_chunk(bytes));
  const auto parameter = parameters.next();
  ASSERT_TRUE(parameter);
  const auto reset = OutgoingResetParameter::parse(*parameter);
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->request, RequestNumber(1));
  EXPECT_EQ(reset->response, RequestNumber(2));
  EXPECT_EQ(reset->last_assigned_tsn, Tsn(3));
  ASSERT_EQ(reset->stream_count(), 2U);
  EXPECT_EQ(reset->stream(1), StreamId(5));
  const std::array<StreamId, 2> streams{StreamId(4), StreamId(5)};
  EXPECT_EQ(written(ReconfigToSend<OutgoingResetToSend>{{RequestNumber(1), RequestNumber(2), Tsn(3), streams}}), bytes);
}

TEST(ReconfigChunkTest, AResponseIsReadAndWrittenAsDrawn) {
  const auto bytes = hex("82 00 0010  0010 000c  00000007  00000006");
  auto parameters = ReconfigChunk::parameters(only_chunk(bytes));
  const auto response = ReconfigResponseParameter::parse(*parameters.next());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->response, RequestNumber(7));
  EXPECT_EQ(response->result, ReconfigResult::in_progress);
  EXPECT_EQ(written(ReconfigToSend<ReconfigResponseParameter>{*response}), bytes);
}

TEST(ReconfigChunkTest, RefusesParametersThatAreTooShort) {
  const auto first = [](const Bytes& bytes) { return ReconfigChunk::parameters(only_chunk(bytes)).next(); };
  const auto reset = hex("82 00 000c  000d 0008  00000001");
  EXPECT_FALSE(OutgoingResetParameter::parse(*first(reset)));
  const auto response = hex("82 00 000c  0010 0008  00000001");
  EXPECT_FALSE(ReconfigResponseParameter::parse(*first(response)));
  const auto request = hex("82 00 0008  000f 0004");
  EXPECT_FALSE(ReconfigRequestParameter::parse(*first(request)));
  const auto of_zero_length = hex("82 00 0008  0010 0000");
  EXPECT_FALSE(first(of_zero_length));
}

}  // namespace
}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#include "src/native/sctp/packet/packet.h"

#include <gtest/gtest.h>

#include <array>

#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/data_chunk.h"
#include "src/native/sctp/packet/pad_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "tests/support/sim/hex.h"

namespace wdc::sctp {
namespace {

using sim::hex;

constexpr CommonHeader kHeader{Port(5000), Port(5001), VerificationTag(0x01020304)};

std::vector<std::byte> packet_with(const auto& chunk, Checksum checksum = Checksum::crc32c) {
  std::vector<std::byte> bytes(1200);
  PacketWriter writer(bytes, kHeader);
  EXPECT_TRUE(writer.append(chunk));
  bytes.resize(writer.finish(checksum));
  return bytes;
}

TEST(PacketTest, WritesWhatItReads) {
  const auto payload = hex("01 02 03 04 05");
  const auto bytes = packet_with(DataChunk{Tsn(7), StreamId(1), Ssn(2), Ppid(53), {.end = true}, payload});
  EXPECT_EQ(bytes.size(), 12U + 16 + 8);
  const auto packet = PacketView::parse(bytes, Checksum::crc32c);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->header.source, Port(5000));
  EXPECT_EQ(packet->header.destination, Port(5001));
  EXPECT_EQ(packet->header.tag, VerificationTag(0x01020304));
  EXPECT_EQ(packet->chunks.size(), 24U);
}

// A SHUTDOWN ACK between ports 5000, tag 0x12345678. The CRC was computed bit by bit, apart from this library.
TEST(PacketTest, WritesTheBytesTheRfcDraws) {
  std::array<std::byte, 16> slot{};
  PacketWriter writer(slot, {Port(5000), Port(5000), VerificationTag(0x12345678)});
  ASSERT_TRUE(writer.append(BareChunk{ChunkType::shutdown_ack}));
  ASSERT_EQ(writer.finish(Checksum::crc32c), 16U);
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < slot.size(); ++i) {
    crc ^= i >= 8 && i < 12 ? 0U : static_cast<std::uint32_t>(slot[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78U : crc >> 1;
  }
  crc = ~crc;
  auto expected = hex("1388 1388 12345678 00000000 08000004");
  for (std::size_t i = 0; i < 4; ++i) expected[8 + i] = static_cast<std::byte>(crc >> (8 * i));
  EXPECT_EQ(std::vector<std::byte>(slot.begin(), slot.end()), expected);
}

TEST(PacketTest, RefusesEveryDamagedBit) {
  const auto bytes = packet_with(BareChunk{ChunkType::cookie_ack});
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(PacketView::parse(damaged, Checksum::crc32c)) << "bit " << bit;
  }
}

TEST(PacketTest, RefusesWhatIsShorterThanItsHeader) {
  const auto bytes = packet_with(BareChunk{ChunkType::cookie_ack});
  for (std::size_t size = 0; size < CommonHeader::kSize; ++size) {
    EXPECT_FALSE(PacketView::parse(std::span(bytes).first(size), Checksum::zero));
  }
}

TEST(PacketTest, TakesAZeroChecksumOnlyWhereItWasAgreed) {
  const auto bytes = packet_with(BareChunk{ChunkType::cookie_ack}, Checksum::zero);
  EXPECT_FALSE(PacketView::parse(bytes, Checksum::crc32c));
  EXPECT_TRUE(PacketView::parse(bytes, Checksum::zero));
}

TEST(PacketTest, NeverTakesAZeroChecksumWithACookieEcho) {
  const auto cookie = hex("aabbccdd");
  EXPECT_FALSE(PacketView::parse(packet_with(CookieEchoChunk{cookie}, Checksum::zero), Checksum::zero));
  EXPECT_TRUE(PacketView::parse(packet_with(CookieEchoChunk{cookie}, Checksum::crc32c), Checksum::zero));
}

TEST(PacketTest, StillTakesARightChecksumWhereZeroWasAgreed) {
  EXPECT_TRUE(PacketView::parse(packet_with(BareChunk{ChunkType::cookie_ack}), Checksum::zero));
}

TEST(PacketTest, WritesOnlyWholeChunksThatFit) {
  std::array<std::byte, 12 + 24 + 3> slot{};
  const auto payload = hex("0102030405060708");
  PacketWriter writer(slot, kHeader);
  EXPECT_EQ(writer.room(), 24U);
  EXPECT_TRUE(writer.append(DataChunk{Tsn(1), StreamId(0), Ssn(0), Ppid(0), {}, payload}));
  EXPECT_FALSE(writer.append(BareChunk{ChunkType::cookie_ack}));
  EXPECT_EQ(writer.finish(Checksum::zero), 36U);
}

TEST(PacketTest, PaddingChunksFillAPacketExactly) {
  std::array<std::byte, 100> slot{};
  PacketWriter writer(slot, kHeader);
  ASSERT_TRUE(writer.append(BareChunk{ChunkType::cookie_ack}));
  ASSERT_TRUE(writer.append(PadChunk{writer.room()}));
  EXPECT_EQ(writer.finish(Checksum::crc32c), slot.size());
}

std::size_t count_chunks(std::string_view text, bool& malformed) {
  const auto bytes = hex(text);
  ChunkWalk walk(bytes);
  std::size_t count = 0;
  while (walk.next()) ++count;
  malformed = walk.malformed();
  return count;
}

TEST(ChunkWalkTest, StopsAtAChunkOfZeroLength) {
  bool malformed = false;
  EXPECT_EQ(count_chunks("0b000004 03000000 0b000004", malformed), 1U);
  EXPECT_TRUE(malformed);
}

TEST(ChunkWalkTest, StopsAtAChunkShorterThanItsHeader) {
  bool malformed = false;
  EXPECT_EQ(count_chunks("0b000003", malformed), 0U);
  EXPECT_TRUE(malformed);
}

TEST(ChunkWalkTest, StopsAtAChunkLongerThanThePacket) {
  bool malformed = false;
  EXPECT_EQ(count_chunks("0b000004 0000ffff 00000000", malformed), 1U);
  EXPECT_TRUE(malformed);
}

TEST(ChunkWalkTest, StopsAtLeftoverBytes) {
  bool malformed = false;
  EXPECT_EQ(count_chunks("0b000004 0000", malformed), 1U);
  EXPECT_TRUE(malformed);
}

TEST(ChunkWalkTest, ReadsALastChunkWithoutItsPadding) {
  bool malformed = true;
  EXPECT_EQ(count_chunks("0b000004 06000005 aa", malformed), 2U);
  EXPECT_FALSE(malformed);
}

}  // namespace
}  // namespace wdc::sctp

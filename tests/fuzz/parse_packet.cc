// SPDX-License-Identifier: MIT
#include "tests/fuzz/parse_packet.h"

#include <algorithm>
#include <vector>

#include "src/native/sctp/packet/abort_chunk.h"
#include "src/native/sctp/packet/cookie_echo_chunk.h"
#include "src/native/sctp/packet/error_chunk.h"
#include "src/native/sctp/packet/forward_tsn_chunk.h"
#include "src/native/sctp/packet/heartbeat_chunk.h"
#include "src/native/sctp/packet/i_data_chunk.h"
#include "src/native/sctp/packet/i_forward_tsn_chunk.h"
#include "src/native/sctp/packet/init_chunk.h"
#include "src/native/sctp/packet/outgoing_reset_parameter.h"
#include "src/native/sctp/packet/packet.h"
#include "src/native/sctp/packet/reconfig_chunk.h"
#include "src/native/sctp/packet/reconfig_request_parameter.h"
#include "src/native/sctp/packet/reconfig_response_parameter.h"
#include "src/native/sctp/packet/sack_chunk.h"
#include "src/native/sctp/packet/shutdown_chunk.h"
#include "tests/fuzz/input.h"

namespace wdc::fuzz {
namespace {

using namespace sctp;

template <class Chunk>
void rewrite(const Chunk& chunk, ByteView original) {
  std::vector<std::byte> bytes(chunk.size());
  chunk.write(bytes.data());
  require(bytes.size() == original.size());
  // The type, the length and the value. Flags may hold reserved bits.
  require(bytes[0] == original[0] && std::ranges::equal(std::span(bytes).subspan(2), original.subspan(2)));
}

std::uint64_t read_all(ByteView bytes) {
  std::uint64_t sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
  return sum;
}

void parse_init(const ChunkView& chunk) {
  const auto init = InitChunk::parse(chunk);
  if (!init) return;
  volatile std::uint64_t sum = read_all(init->cookie);
  for (std::size_t i = 0; i < init->unrecognized_count; ++i) sum = sum + read_all(init->unrecognized[i]);
  // What we would send with the same content reads back the same.
  const InitToSend copy{chunk.type,
                        init->initiate_tag,
                        init->a_rwnd,
                        init->outbound_streams,
                        init->inbound_streams,
                        init->initial_tsn,
                        init->capabilities,
                        init->cookie,
                        {}};
  std::vector<std::byte> bytes(copy.size());
  copy.write(bytes.data());
  if (bytes.size() > 65535) return;
  const auto again = InitChunk::parse(*ChunkWalk(bytes).next());
  require(again && again->capabilities == init->capabilities && again->initiate_tag == init->initiate_tag);
  require(std::ranges::equal(again->cookie, init->cookie));
}

void parse_reconfig(const ChunkView& chunk) {
  auto parameters = ReconfigChunk::parameters(chunk);
  while (const auto parameter = parameters.next()) {
    if (const auto reset = OutgoingResetParameter::parse(*parameter)) {
      volatile std::uint32_t sum = 0;
      for (std::size_t i = 0; i < reset->stream_count(); ++i) sum = sum + reset->stream(i).value();
    }
    static_cast<void>(ReconfigResponseParameter::parse(*parameter));
    static_cast<void>(ReconfigRequestParameter::parse(*parameter));
  }
}

void parse_sack(const ChunkView& chunk) {
  const auto sack = SackChunk::parse(chunk);
  if (!sack) return;
  std::vector<GapBlock> gaps;
  std::vector<Tsn> duplicates;
  gaps.reserve(sack->gap_block_count());
  duplicates.reserve(sack->duplicate_count());
  for (std::size_t i = 0; i < sack->gap_block_count(); ++i) gaps.push_back(sack->gap_block(i));
  for (std::size_t i = 0; i < sack->duplicate_count(); ++i) duplicates.push_back(sack->duplicate(i));
  const SackToSend copy{sack->cumulative_tsn, sack->a_rwnd, gaps, duplicates};
  if (copy.size() == chunk.bytes.size()) rewrite(copy, chunk.bytes);
}

template <class Chunk, class ToSend>
void parse_forward(const ChunkView& chunk) {
  const auto forward = Chunk::parse(chunk);
  if (!forward) return;
  std::vector<typename Chunk::Skip> skips;
  skips.reserve(forward->skip_count());
  for (std::size_t i = 0; i < forward->skip_count(); ++i) skips.push_back(forward->skip(i));
  const ToSend copy{forward->new_cumulative_tsn, skips};
  require(copy.size() == chunk.bytes.size());
}

void parse_chunk(const ChunkView& chunk) {
  switch (chunk.type) {
    case ChunkType::data:
      if (const auto data = DataChunk::parse(chunk)) rewrite(*data, chunk.bytes);
      break;
    case ChunkType::i_data:
      if (const auto data = IDataChunk::parse(chunk)) {
        std::vector<std::byte> bytes(data->size());
        data->write(bytes.data());
        require(std::ranges::equal(std::span(bytes).subspan(12), chunk.bytes.subspan(12)));
      }
      break;
    case ChunkType::init:
    case ChunkType::init_ack:
      parse_init(chunk);
      break;
    case ChunkType::sack:
      parse_sack(chunk);
      break;
    case ChunkType::heartbeat:
    case ChunkType::heartbeat_ack:
      if (const auto heartbeat = HeartbeatChunk::parse(chunk)) require(heartbeat->size() <= chunk.bytes.size());
      break;
    case ChunkType::abort:
      require(AbortChunk::parse(chunk).size() <= chunk.bytes.size());
      break;
    case ChunkType::error:
      require(ErrorChunk::parse(chunk).size() <= chunk.bytes.size());
      break;
    case ChunkType::shutdown:
      static_cast<void>(ShutdownChunk::parse(chunk));
      break;
    case ChunkType::cookie_echo:
      rewrite(CookieEchoChunk::parse(chunk), chunk.bytes);
      break;
    case ChunkType::reconfig:
      parse_reconfig(chunk);
      break;
    case ChunkType::forward_tsn:
      parse_forward<ForwardTsnChunk, ForwardTsnToSend>(chunk);
      break;
    case ChunkType::i_forward_tsn:
      parse_forward<IForwardTsnChunk, IForwardTsnToSend>(chunk);
      break;
    default:
      break;
  }
}

}  // namespace

void parse_packet(ByteView packet) {
  // The checksum would keep a fuzzer out: the chunks are read whether or not it holds.
  const auto strict = PacketView::parse(packet, Checksum::crc32c);
  if (strict) require(PacketView::parse(packet, Checksum::zero).has_value());
  if (packet.size() < CommonHeader::kSize) return;
  ChunkWalk walk(packet.subspan(CommonHeader::kSize));
  while (const auto chunk = walk.next()) parse_chunk(*chunk);
}

}  // namespace wdc::fuzz

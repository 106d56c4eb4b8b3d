// SPDX-License-Identifier: MIT
#include "src/native/sctp/packet/packet.h"

#include <array>

#include "src/native/sctp/packet/crc32c.h"

namespace wdc::sctp {
namespace {

std::uint32_t wire_checksum(std::uint32_t crc) {
  if constexpr (std::endian::native == std::endian::big) return std::byteswap(crc);
  return crc;
}

/// The CRC with the checksum's own field taken as zero.
std::uint32_t checksum_of(ByteView packet) {
  std::array<std::byte, CommonHeader::kSize> header{};
  copy_bytes(header.data(), packet.first(CommonHeader::kChecksumOffset));
  const auto update = crc32c_implementations().back().update;
  const std::uint32_t state = update(~std::uint32_t{0}, header.data(), header.size());
  const ByteView rest = packet.subspan(CommonHeader::kSize);
  return wire_checksum(~update(state, rest.data(), rest.size()));
}

bool must_have_checksum(ByteView chunks) {
  ChunkWalk walk(chunks);
  while (const auto chunk = walk.next()) {
    if (chunk->type == ChunkType::init || chunk->type == ChunkType::cookie_echo) return true;
  }
  return false;
}

}  // namespace

std::optional<PacketView> PacketView::parse(ByteView packet, Checksum accepted) {
  const auto fixed = FixedReader<CommonHeader::kSize>::of(packet);
  if (!fixed) return std::nullopt;
  const PacketView view{{Port(fixed->get<std::uint16_t, 0>()), Port(fixed->get<std::uint16_t, 2>()),
                         VerificationTag(fixed->get<std::uint32_t, 4>())},
                        packet.subspan(CommonHeader::kSize)};
  std::uint32_t checksum;
  std::memcpy(&checksum, packet.data() + CommonHeader::kChecksumOffset, sizeof checksum);
  if (checksum == 0 && accepted == Checksum::zero && !must_have_checksum(view.chunks)) return view;
  if (checksum != checksum_of(packet)) return std::nullopt;
  return view;
}

std::size_t PacketWriter::finish(Checksum checksum) {
  if (checksum == Checksum::crc32c) {
    const std::uint32_t crc = wire_checksum(crc32c({start_, size_}));
    std::memcpy(start_ + CommonHeader::kChecksumOffset, &crc, sizeof crc);
  }
  return size_;
}

}  // namespace wdc::sctp

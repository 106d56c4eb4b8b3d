// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "src/native/sctp/packet/packet.h"
#include "tests/support/sim/pair.h"

// What tests of an association see of the wire, and what they put on it.
namespace wdc::sim {

using sctp::ChunkType;
using sctp::VerificationTag;

inline sctp::AssociationOptions plain() {
  sctp::AssociationOptions options;
  options.capabilities = {true, false, true, false};
  return options;
}

inline sctp::AssociationOptions with(sctp::Capabilities capabilities) {
  sctp::AssociationOptions options;
  options.capabilities = capabilities;
  return options;
}

inline LinkOptions delayed(Duration delay = std::chrono::milliseconds(10)) {
  LinkOptions link;
  link.delay = delay;
  return link;
}

[[nodiscard]] inline bool ended(const End& end) { return end.count<sctp::ClosedEvent>() == 1; }

/// The last packet of each end, with its header and its chunks' types.
struct Wire {
  explicit Wire(Pair& pair) {
    pair.tap = [this](bool from_a, std::span<const std::byte> packet) {
      auto& last = from_a ? last_from_a : last_from_b;
      last.assign(packet.begin(), packet.end());
      (from_a ? types_a : types_b).push_back(type_of(packet));
      return !drop || !drop(from_a, type_of(packet));
    };
  }
  static ChunkType type_of(std::span<const std::byte> packet) {
    return ChunkType{std::to_integer<std::uint8_t>(packet[12])};
  }
  /// The verification tag of what the end last sent: what its peer accepts.
  [[nodiscard]] VerificationTag tag_from_a() const {
    return VerificationTag(sctp::load_big_endian<std::uint32_t>(last_from_a.data() + 4));
  }
  [[nodiscard]] VerificationTag tag_from_b() const {
    return VerificationTag(sctp::load_big_endian<std::uint32_t>(last_from_b.data() + 4));
  }

  std::function<bool(bool from_a, ChunkType)> drop;
  std::vector<std::byte> last_from_a, last_from_b;
  std::vector<ChunkType> types_a, types_b;
};

/// A packet as the other end would send it.
template <class... Chunks>
[[nodiscard]] std::vector<std::byte> packet(VerificationTag tag, const Chunks&... chunks) {
  std::vector<std::byte> bytes(1'400);
  sctp::PacketWriter writer(bytes, {sctp::Port(5000), sctp::Port(5000), tag});
  EXPECT_TRUE((writer.append(chunks) && ...));
  bytes.resize(writer.finish(sctp::Checksum::crc32c));
  return bytes;
}

inline void inject(Pair& pair, End& end, const std::vector<std::byte>& bytes) {
  const sctp::ByteView view = bytes;
  end.association.handle_packets({&view, 1}, pair.now);
}

class AssociationTest : public testing::Test {
 protected:
  void connect(bool simultaneous = false) { ASSERT_TRUE(pair.connect(simultaneous)); }

  Pair pair{plain(), delayed()};
  Wire wire{pair};
};

}  // namespace wdc::sim

// SPDX-License-Identifier: MIT
#include "src/native/sctp/state_cookie.h"

namespace wdc::sctp {
namespace {

constexpr std::size_t kSignedSize = StateCookie::kSize - 16;

constexpr std::uint32_t kPartialReliability = 1;
constexpr std::uint32_t kMessageInterleaving = 2;
constexpr std::uint32_t kStreamReset = 4;
constexpr std::uint32_t kZeroChecksum = 8;

std::uint32_t flags_of(const Capabilities& capabilities) {
  return (capabilities.partial_reliability ? kPartialReliability : 0) |
         (capabilities.message_interleaving ? kMessageInterleaving : 0) |
         (capabilities.stream_reset ? kStreamReset : 0) | (capabilities.zero_checksum ? kZeroChecksum : 0);
}

Capabilities capabilities_of(std::uint32_t flags) {
  return {(flags & kPartialReliability) != 0, (flags & kMessageInterleaving) != 0, (flags & kStreamReset) != 0,
          (flags & kZeroChecksum) != 0};
}

}  // namespace

StateCookie::Bytes StateCookie::sign(const SipHashKey& key) const {
  Bytes bytes{};
  FixedWriter<kSize> fixed(bytes.data());
  fixed.set<0>(static_cast<std::uint64_t>(created.time_since_epoch().count()));
  fixed.set<8>(local_tag.value());
  fixed.set<12>(peer_tag.value());
  fixed.set<16>(local_initial_tsn.value());
  fixed.set<20>(peer_initial_tsn.value());
  fixed.set<24>(peer_window);
  fixed.set<28>(peer_outbound_streams);
  fixed.set<30>(peer_inbound_streams);
  fixed.set<32>(flags_of(peer_capabilities));
  fixed.set<36>(local_tie_tag.value());
  fixed.set<40>(peer_tie_tag.value());
  const auto hash = siphash128(key, std::span(bytes).first(kSignedSize));
  fixed.set<48>(hash[0]);
  fixed.set<56>(hash[1]);
  return bytes;
}

std::optional<StateCookie> StateCookie::open(ByteView bytes, const SipHashKey& key) {
  if (bytes.size() != kSize) return std::nullopt;
  const auto fixed = FixedReader<kSize>::of(bytes);
  const auto hash = siphash128(key, bytes.first(kSignedSize));
  // Both words are compared whatever the first says: the time taken tells nothing.
  if (((hash[0] ^ fixed->get<std::uint64_t, 48>()) | (hash[1] ^ fixed->get<std::uint64_t, 56>())) != 0)
    return std::nullopt;
  return StateCookie{TimePoint(Duration(static_cast<std::int64_t>(fixed->get<std::uint64_t, 0>()))),
                     VerificationTag(fixed->get<std::uint32_t, 8>()),
                     VerificationTag(fixed->get<std::uint32_t, 12>()),
                     Tsn(fixed->get<std::uint32_t, 16>()),
                     Tsn(fixed->get<std::uint32_t, 20>()),
                     fixed->get<std::uint32_t, 24>(),
                     fixed->get<std::uint16_t, 28>(),
                     fixed->get<std::uint16_t, 30>(),
                     capabilities_of(fixed->get<std::uint32_t, 32>()),
                     VerificationTag(fixed->get<std::uint32_t, 36>()),
                     VerificationTag(fixed->get<std::uint32_t, 40>())};
}

}  // namespace wdc::sctp

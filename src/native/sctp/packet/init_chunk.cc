// SPDX-License-Identifier: MIT
#include "src/native/sctp/packet/init_chunk.h"

#include "src/native/sctp/packet/supported_extensions_parameter.h"
#include "src/native/sctp/packet/zero_checksum_parameter.h"

namespace wdc::sctp {
namespace {

/// Reads one known parameter. False where it is malformed.
bool read_parameter(const ParameterView& parameter, InitChunk& init, bool& known) {
  known = true;
  switch (parameter.type) {
    case ParameterType::state_cookie:
      init.cookie = parameter.value();
      return true;
    case ParameterType::forward_tsn_supported:
      init.capabilities.partial_reliability = true;
      return true;
    case ParameterType::supported_extensions: {
      const auto extensions = SupportedExtensionsParameter::parse(parameter);
      init.capabilities.partial_reliability |= extensions.has(ChunkType::forward_tsn);
      init.capabilities.stream_reset |= extensions.has(ChunkType::reconfig);
      init.capabilities.message_interleaving |= extensions.has(ChunkType::i_data);
      return true;
    }
    case ParameterType::zero_checksum_acceptable: {
      const auto zero_checksum = ZeroChecksumParameter::parse(parameter);
      if (!zero_checksum) return false;
      init.capabilities.zero_checksum |= zero_checksum->method == ZeroChecksumParameter::kDtls;
      return true;
    }
    case ParameterType::unrecognized_parameter:
      return true;
    default:
      known = false;
      return true;
  }
}

/// Addresses (RFC 9260 section 3.3.2.1): known, and of no use to an association that has one path and no address.
bool is_address_related(ParameterType type) {
  const auto number = static_cast<std::uint16_t>(type);
  return number == 5 || number == 6 || number == 9 || number == 11 || number == 12;
}

}  // namespace

std::optional<InitChunk> InitChunk::parse(const ChunkView& chunk) {
  const auto fixed = FixedReader<kHeaderSize>::of(chunk.bytes);
  if (!fixed) return std::nullopt;
  InitChunk init;
  init.initiate_tag = VerificationTag(fixed->get<std::uint32_t, 4>());
  init.a_rwnd = fixed->get<std::uint32_t, 8>();
  init.outbound_streams = fixed->get<std::uint16_t, 12>();
  init.inbound_streams = fixed->get<std::uint16_t, 14>();
  init.initial_tsn = Tsn(fixed->get<std::uint32_t, 16>());

  ParameterWalk parameters(chunk.bytes.subspan(kHeaderSize));
  while (const auto parameter = parameters.next()) {
    bool known = false;
    if (!read_parameter(*parameter, init, known)) return std::nullopt;
    if (known || is_address_related(parameter->type)) continue;
    const UnknownTypeRule rule = unknown_parameter_rule(static_cast<std::uint16_t>(parameter->type));
    if (rule.reports && init.unrecognized_count < init.unrecognized.size()) {
      init.unrecognized[init.unrecognized_count++] = parameter->bytes;
    }
    if (!rule.goes_on) return init;
  }
  if (parameters.malformed()) return std::nullopt;
  return init;
}

namespace {

/// The extensions both of our INIT and INIT ACK list.
struct ExtensionList {
  std::array<std::byte, 4> types{};
  std::size_t count = 0;

  explicit ExtensionList(const Capabilities& capabilities) {
    if (capabilities.stream_reset) add(ChunkType::reconfig);
    if (capabilities.partial_reliability) add(ChunkType::forward_tsn);
    if (capabilities.message_interleaving) add(ChunkType::i_data);
    if (capabilities.message_interleaving && capabilities.partial_reliability) add(ChunkType::i_forward_tsn);
  }
  void add(ChunkType type) { types[count++] = std::byte(type); }
};

}  // namespace

/// The padding of a chunk's last parameter is that of the chunk, and not in its length (RFC 9260 section 3.2.1).
std::size_t InitToSend::size() const {
  std::size_t size = InitChunk::kHeaderSize;
  const auto add = [&size](std::size_t length) { size = padded(size) + length; };
  if (!cookie.empty()) add(kParameterHeaderSize + cookie.size());
  if (capabilities.partial_reliability) add(kParameterHeaderSize);
  if (const ExtensionList list(capabilities); list.count > 0) add(kParameterHeaderSize + list.count);
  if (capabilities.zero_checksum) add(ZeroChecksumParameter::kSize);
  for (const ByteView parameter : unrecognized) add(kParameterHeaderSize + parameter.size());
  return size;
}

void InitToSend::write(std::byte* at) const {
  FixedWriter<InitChunk::kHeaderSize> fixed(at);
  fixed.set<4>(initiate_tag.value());
  fixed.set<8>(a_rwnd);
  fixed.set<12>(outbound_streams);
  fixed.set<14>(inbound_streams);
  fixed.set<16>(initial_tsn.value());
  std::size_t size = InitChunk::kHeaderSize;
  const auto room_for = [&](std::size_t length) {
    std::memset(at + size, 0, padded(size) - size);
    std::byte* const parameter = at + padded(size);
    size = padded(size) + length;
    return parameter;
  };
  const auto write_parameter = [&](ParameterType kind, ByteView value) {
    std::byte* const parameter = room_for(kParameterHeaderSize + value.size());
    write_parameter_header(parameter, kind, kParameterHeaderSize + value.size());
    copy_bytes(parameter + kParameterHeaderSize, value);
  };
  if (!cookie.empty()) write_parameter(ParameterType::state_cookie, cookie);
  if (capabilities.partial_reliability) write_parameter(ParameterType::forward_tsn_supported, {});
  if (const ExtensionList list(capabilities); list.count > 0) {
    write_parameter(ParameterType::supported_extensions, ByteView(list.types).first(list.count));
  }
  if (capabilities.zero_checksum) ZeroChecksumParameter{}.write(room_for(ZeroChecksumParameter::kSize));
  for (const ByteView unknown : unrecognized) write_parameter(ParameterType::unrecognized_parameter, unknown);
  write_chunk_header(at, type, 0, size);
}

}  // namespace wdc::sctp

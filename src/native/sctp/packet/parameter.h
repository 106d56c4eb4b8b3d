// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "src/native/sctp/packet/bytes.h"

namespace wdc::sctp {

enum class ParameterType : std::uint16_t {
  heartbeat_info = 1,                 // RFC 9260 section 3.3.5
  state_cookie = 7,                   // RFC 9260 section 3.3.3
  unrecognized_parameter = 8,         // RFC 9260 section 3.3.3
  outgoing_reset_request = 13,        // RFC 6525 section 4.1
  incoming_reset_request = 14,        // RFC 6525 section 4.2
  tsn_reset_request = 15,             // RFC 6525 section 4.3
  reconfig_response = 16,             // RFC 6525 section 4.4
  add_outgoing_streams = 17,          // RFC 6525 section 4.5
  add_incoming_streams = 18,          // RFC 6525 section 4.6
  zero_checksum_acceptable = 0x8001,  // RFC 9653 section 4
  supported_extensions = 0x8008,      // RFC 5061 section 4.2.7
  forward_tsn_supported = 0xc000,     // RFC 3758 section 3.1
};

inline constexpr std::size_t kParameterHeaderSize = 4;

/// One parameter (or error cause, which looks the same) with its header, without its padding.
struct ParameterView {
  ParameterType type = ParameterType::unrecognized_parameter;
  ByteView bytes;
  [[nodiscard]] ByteView value() const { return bytes.subspan(kParameterHeaderSize); }
};

/// Takes parameters off the front of a list of them (RFC 9260 section 3.2.1).
///
///    0                   1                   2                   3
///    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   |        Parameter Type         |       Parameter Length        |
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///   :                        Parameter Value                        :
///   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
class ParameterWalk {
 public:
  explicit ParameterWalk(ByteView parameters) : rest_(parameters) {}

  /// Empty at the end, and at a parameter that cannot be one: then malformed() is true.
  [[nodiscard]] std::optional<ParameterView> next() {
    if (rest_.empty()) return std::nullopt;
    const auto header = FixedReader<kParameterHeaderSize>::of(rest_);
    if (!header) return fail();
    const std::size_t length = header->get<std::uint16_t, 2>();
    if (length < kParameterHeaderSize || length > rest_.size()) return fail();
    const ParameterView parameter{ParameterType{header->get<std::uint16_t, 0>()}, rest_.first(length)};
    // The chunk's length does not count the padding of its last parameter.
    rest_ = padded(length) >= rest_.size() ? ByteView{} : rest_.subspan(padded(length));
    return parameter;
  }
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  std::nullopt_t fail() {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
  }

  ByteView rest_;
  bool malformed_ = false;
};

inline void write_parameter_header(std::byte* at, ParameterType type, std::size_t length) {
  FixedWriter<kParameterHeaderSize> header(at);
  header.set<0>(static_cast<std::uint16_t>(type));
  header.set<2>(static_cast<std::uint16_t>(length));
}

}  // namespace wdc::sctp

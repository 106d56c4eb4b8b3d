// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "src/native/base/socket_address.h"

namespace wdc::ice {

using native::IpAddress;
using native::SocketAddress;
using ByteView = std::span<const std::byte>;

enum class StunClass : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };
/// RFC 8489 section 18.2. Others are parsed too: a TURN client needs them.
enum class StunMethod : std::uint16_t { binding = 1 };

enum class StunAttribute : std::uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  message_integrity_sha256 = 0x001c,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  software = 0x8022,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
};

enum class StunErrorCode : std::uint16_t {
  bad_request = 400,
  unauthenticated = 401,
  forbidden = 403,
  unknown_attribute = 420,
  role_conflict = 487,
  server_error = 500,
};

struct TransactionId {
  std::array<std::byte, 12> bytes{};
  friend bool operator==(const TransactionId&, const TransactionId&) = default;
};

/// Whether a datagram may be STUN: first byte and magic cookie (RFC 7983 section 7).
[[nodiscard]] bool looks_like_stun(ByteView datagram);

/// A message that was parsed; it refers to the datagram's bytes. Of an attribute that occurs twice the first one
/// counts, and nothing does after MESSAGE-INTEGRITY but FINGERPRINT (RFC 8489 sections 14 and 14.5).
struct StunMessage {
  /// Empty where the datagram is not exactly one well-formed message, or its FINGERPRINT is wrong.
  [[nodiscard]] static std::optional<StunMessage> parse(ByteView datagram);

  StunClass message_class = StunClass::request;
  StunMethod method = StunMethod::binding;
  TransactionId transaction;
  std::optional<std::string_view> username;
  std::optional<std::uint32_t> priority;
  std::optional<std::uint64_t> controlling;  // the tie-breaker
  std::optional<std::uint64_t> controlled;
  bool use_candidate = false;
  std::optional<SocketAddress> xor_mapped_address;
  std::optional<SocketAddress> mapped_address;  // what servers older than RFC 5389 give
  std::optional<StunErrorCode> error_code;
  std::string_view error_reason;
  /// Attributes that have to be understood and are not, the first of them.
  std::array<std::uint16_t, 8> unknown{};
  std::size_t unknown_count = 0;
  bool has_integrity = false;
  bool has_fingerprint = false;

  /// Whether MESSAGE-INTEGRITY is there and fits the key.
  [[nodiscard]] bool is_authentic(std::string_view key) const;

 private:
  ByteView bytes_;
  std::size_t integrity_offset_ = 0;
};

/// Puts a message together; attributes come in the order of the calls.
class StunWriter {
 public:
  static constexpr std::size_t kUsualSize = 160;  // a check with our own names

  /// Into `memory`, whatever it holds.
  StunWriter(StunClass message_class, StunMethod method, const TransactionId& transaction,
             std::vector<std::byte> memory = {});

  void add_username(std::string_view username) { add(StunAttribute::username, username); }
  /// Of a check: the fragments of who is asked and of who asks (RFC 8445 section 7.2.2).
  void add_username(std::string_view asked, std::string_view asking);
  void add_software(std::string_view software) { add(StunAttribute::software, software); }
  void add_priority(std::uint32_t priority);
  void add_controlling(std::uint64_t tie_breaker) { add_number(StunAttribute::ice_controlling, tie_breaker); }
  void add_controlled(std::uint64_t tie_breaker) { add_number(StunAttribute::ice_controlled, tie_breaker); }
  void add_use_candidate() { add(StunAttribute::use_candidate, std::string_view{}); }
  void add_xor_mapped_address(const SocketAddress& address);
  void add_error_code(StunErrorCode code, std::string_view reason);
  void add_unknown_attributes(std::span<const std::uint16_t> types);
  void add_integrity(std::string_view key);
  /// The message, with FINGERPRINT as its last attribute.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  /// The attribute's header and room for its padded value, which is zero; returns where it begins.
  std::size_t reserve(StunAttribute type, std::size_t size);
  void add(StunAttribute type, std::string_view text);
  void add_number(StunAttribute type, std::uint64_t number);
  void set_length(std::size_t attributes_end);

  std::vector<std::byte> bytes_;
};

}  // namespace wdc::ice

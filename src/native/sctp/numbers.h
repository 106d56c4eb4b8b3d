// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <type_traits>

namespace wdc::sctp {

/// A number of the wire that is only compared: each has its own type, so that none passes for another.
template <class Tag, class Representation>
class Identifier {
 public:
  using Value = Representation;
  constexpr Identifier() = default;
  constexpr explicit Identifier(Value value) : value_(value) {}
  [[nodiscard]] constexpr Value value() const { return value_; }
  friend constexpr auto operator<=>(Identifier, Identifier) = default;

 private:
  Value value_ = 0;
};

using StreamId = Identifier<struct StreamIdTag, std::uint16_t>;
using Ppid = Identifier<struct PpidTag, std::uint32_t>;
using VerificationTag = Identifier<struct VerificationTagTag, std::uint32_t>;
using Port = Identifier<struct PortTag, std::uint16_t>;

/// A number of the wire that counts up and wraps. It has no order of its own (RFC 9260 section 1.6): compare unwrapped.
template <class Tag, class Representation>
class SerialNumber {
 public:
  using Value = Representation;
  constexpr SerialNumber() = default;
  constexpr explicit SerialNumber(Value value) : value_(value) {}
  [[nodiscard]] constexpr Value value() const { return value_; }
  [[nodiscard]] constexpr SerialNumber next() const { return plus(1); }
  [[nodiscard]] constexpr SerialNumber plus(std::int64_t count) const {
    return SerialNumber(static_cast<Value>(static_cast<std::uint64_t>(value_) + static_cast<std::uint64_t>(count)));
  }
  friend constexpr bool operator==(SerialNumber, SerialNumber) = default;

 private:
  Value value_ = 0;
};

using Tsn = SerialNumber<struct TsnTag, std::uint32_t>;
using Ssn = SerialNumber<struct SsnTag, std::uint16_t>;
using Mid = SerialNumber<struct MidTag, std::uint32_t>;
using Fsn = SerialNumber<struct FsnTag, std::uint32_t>;
using RequestNumber = SerialNumber<struct RequestNumberTag, std::uint32_t>;

/// A serial number that does not wrap within any association's life, and so has an order.
template <class Serial>
class Unwrapped {
 public:
  constexpr Unwrapped() = default;
  constexpr explicit Unwrapped(std::int64_t value) : value_(value) {}
  constexpr explicit Unwrapped(Serial wire) : value_(wire.value()) {}
  /// The number nearest to `reference` that looks like `wire`: at most half the wire's range away.
  [[nodiscard]] static constexpr Unwrapped near(Unwrapped reference, Serial wire) {
    using Value = typename Serial::Value;
    using Signed = std::make_signed_t<Value>;
    const auto difference = static_cast<Value>(wire.value() - reference.wire().value());
    return Unwrapped(reference.value_ + static_cast<Signed>(difference));
  }
  [[nodiscard]] constexpr Serial wire() const { return Serial(static_cast<typename Serial::Value>(value_)); }
  [[nodiscard]] constexpr std::int64_t value() const { return value_; }
  [[nodiscard]] constexpr Unwrapped next() const { return Unwrapped(value_ + 1); }
  [[nodiscard]] constexpr Unwrapped previous() const { return Unwrapped(value_ - 1); }
  [[nodiscard]] constexpr Unwrapped plus(std::int64_t count) const { return Unwrapped(value_ + count); }
  /// How many steps from `other` to this one.
  [[nodiscard]] constexpr std::int64_t since(Unwrapped other) const { return value_ - other.value_; }
  friend constexpr auto operator<=>(Unwrapped, Unwrapped) = default;

 private:
  std::int64_t value_ = 0;
};

using UnwrappedTsn = Unwrapped<Tsn>;
using UnwrappedSsn = Unwrapped<Ssn>;
using UnwrappedMid = Unwrapped<Mid>;
using UnwrappedRequestNumber = Unwrapped<RequestNumber>;

}  // namespace wdc::sctp

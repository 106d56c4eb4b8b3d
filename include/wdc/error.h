// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace wdc {

/// What went wrong. Numbers and names are stable across versions and the same in JavaScript (docs/errors.md).
enum class Errc : std::uint16_t {
#define WDC_ERROR(number, name, sentence) name = number,
#include "wdc/error_codes.inc"
#undef WDC_ERROR
};

/// The stable name of a code, e.g. "message_too_large"; "unknown" for a number outside the table.
[[nodiscard]] std::string_view name(Errc code) noexcept;

/// An error as a value: a code, up to two numbers that belong to it, and optional detail text. Owns its text.
/// Making one without detail does not allocate.
class Error {
 public:
  explicit Error(Errc code) noexcept : code_(code) {}
  /// `value` is what was met, `limit` what is allowed; both appear in message().
  Error(Errc code, std::uint64_t value, std::uint64_t limit) noexcept
      : code_(code), has_numbers_(true), value_(value), limit_(limit) {}
  Error(Errc code, std::string detail) noexcept : code_(code), detail_(std::move(detail)) {}
  Error(Errc code, std::uint64_t value, std::uint64_t limit, std::string detail) noexcept
      : code_(code), has_numbers_(true), value_(value), limit_(limit), detail_(std::move(detail)) {}

  // Out of line: they are in every path that can fail.
  [[gnu::noinline]] Error(const Error& other);
  [[gnu::noinline]] Error(Error&& other) noexcept;
  [[gnu::noinline]] Error& operator=(const Error& other);
  [[gnu::noinline]] Error& operator=(Error&& other) noexcept;
  [[gnu::noinline]] ~Error();

  [[nodiscard]] Errc code() const noexcept { return code_; }
  [[nodiscard]] bool has_numbers() const noexcept { return has_numbers_; }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
  /// A sentence for people that names the thing and the numbers, e.g.
  /// "message_too_large: message of 300000 bytes exceeds the peer's limit of 262144 bytes".
  [[nodiscard]] std::string message() const;

  friend bool operator==(const Error&, const Error&) = default;

 private:
  Errc code_;
  bool has_numbers_ = false;
  std::uint64_t value_ = 0;
  std::uint64_t limit_ = 0;
  std::string detail_;
};

/// What every operation that a caller can see fail returns.
template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for returning an error: `return wdc::fail(Errc::closed);`
template <class... Args>
[[nodiscard]] std::unexpected<Error> fail(Args&&... args) {
  return std::unexpected<Error>(std::in_place, std::forward<Args>(args)...);
}

}  // namespace wdc

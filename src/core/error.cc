// SPDX-License-Identifier: MIT
#include "wdc/error.h"

namespace wdc {

namespace {

std::string_view sentence(Errc code) noexcept {
  switch (code) {
#define WDC_ERROR(number, name, sentence) \
  case Errc::name:                        \
    return sentence;
#include "wdc/error_codes.inc"
#undef WDC_ERROR
  }
  return "an error without a name";
}

/// The sentence of a code with its numbers, for the codes where the numbers say more than "met" and "allowed".
std::string numbered_sentence(const Error& error) {
  const std::string value = std::to_string(error.value());
  const std::string limit = std::to_string(error.limit());
  switch (error.code()) {
    case Errc::message_too_large:
      return "message of " + value + " bytes exceeds the peer's limit of " + limit + " bytes";
    case Errc::signaling_too_large:
      return "signaling message of " + value + " bytes exceeds the limit of " + limit + " bytes";
    case Errc::send_queue_full:
      return value + " sends are waiting, the limit is " + limit;
    case Errc::post_queue_full:
      return value + " posted functions are waiting, the limit is " + limit;
    case Errc::receive_overflow:
      return value + " unread " + error.detail() + " exceed the limit of " + limit;
    default:
      break;
  }
  const std::string_view what = error.detail().empty() ? sentence(error.code()) : std::string_view(error.detail());
  return std::string(what) + " (met " + value + ", limit " + limit + ")";
}

}  // namespace

std::string_view name(Errc code) noexcept {
  switch (code) {
#define WDC_ERROR(number, name, sentence) \
  case Errc::name:                        \
    return #name;
#include "wdc/error_codes.inc"
#undef WDC_ERROR
  }
  return "unknown";
}

Error::Error(const Error& other) = default;
Error::Error(Error&& other) noexcept = default;
Error& Error::operator=(const Error& other) = default;
Error& Error::operator=(Error&& other) noexcept = default;
Error::~Error() = default;

std::string Error::message() const {
  std::string text(name(code_));
  text += ": ";
  if (has_numbers_) return text += numbered_sentence(*this);
  text += sentence(code_);
  if (!detail_.empty()) text += ": " + detail_;
  return text;
}

}  // namespace wdc

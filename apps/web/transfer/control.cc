// SPDX-License-Identifier: MIT
#include "apps/web/transfer/control.h"

#include <algorithm>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

enum class Type : std::uint8_t { offer = 1, accept, stop, content, done, cancel };

std::unexpected<Violation> violation(std::string text) { return std::unexpected(Violation{std::move(text)}); }

template <class T>
T load(std::span<const std::byte> bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 | std::to_integer<std::uint64_t>(bytes[offset + i]));
  }
  return value;
}

template <class T>
void store(std::span<std::byte> bytes, std::size_t offset, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes[offset + i] = static_cast<std::byte>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

std::string_view text_at(std::span<const std::byte> bytes, std::size_t offset, std::size_t length) {
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

Digest digest_at(std::span<const std::byte> bytes, std::size_t offset) {
  Digest digest;
  std::ranges::copy(bytes.subspan(offset, digest.size()), digest.begin());
  return digest;
}

Reason reason_of(std::uint8_t argument) {
  return argument >= 1 && argument <= 5 ? static_cast<Reason>(argument) : Reason::cancelled;
}

struct Layout {
  std::size_t smallest;
  std::size_t largest;
  bool takes_argument;
};

// By type, from 1.
constexpr std::array<Layout, 6> kLayouts{{
    {20, 20 + kMaxNameBytes + kMaxTypeBytes, false},  // offer
    {8, 8, false},                                    // accept
    {8, 8, true},                                     // stop
    {1, 0, false},                                    // content: not one of these
    {40, 40, false},                                  // done
    {8, 8, true},                                     // cancel
}};

Checked<Control> parse_offer(std::span<const std::byte> message, std::uint32_t id) {
  const auto size = load<std::uint64_t>(message, 8);
  const auto name_length = load<std::uint16_t>(message, 16);
  const auto type_length = load<std::uint16_t>(message, 18);
  if (size > kMaxFileBytes) {
    return violation("an offer of " + std::to_string(size) + " bytes is above the limit of " +
                     std::to_string(kMaxFileBytes));
  }
  if (name_length > kMaxNameBytes || type_length > kMaxTypeBytes) {
    return violation("a name of " + std::to_string(name_length) + " and a type of " + std::to_string(type_length) +
                     " bytes are above the limit of 255");
  }
  if (message.size() != std::size_t{20} + name_length + type_length) {
    return violation("an offer of " + std::to_string(message.size()) + " bytes does not fit its lengths");
  }
  return Offer{id, size, text_at(message, 20, name_length),
               text_at(message, std::size_t{20} + name_length, type_length)};
}

std::vector<std::byte> start(Type type, std::uint8_t argument, std::uint32_t id, std::size_t size) {
  std::vector<std::byte> message(size);
  message[0] = static_cast<std::byte>(type);
  message[1] = static_cast<std::byte>(argument);
  store(std::span(message), 4, id);
  return message;
}

struct Encoder {
  std::vector<std::byte> operator()(const Offer& offer) const {
    auto message = start(Type::offer, 0, offer.id, 20 + offer.name.size() + offer.type.size());
    store(std::span(message), 8, offer.size);
    store(std::span(message), 16, static_cast<std::uint16_t>(offer.name.size()));
    store(std::span(message), 18, static_cast<std::uint16_t>(offer.type.size()));
    const auto texts = std::span(message).subspan(20);
    std::ranges::copy(std::as_bytes(std::span(offer.name)), texts.begin());
    std::ranges::copy(std::as_bytes(std::span(offer.type)), texts.subspan(offer.name.size()).begin());
    return message;
  }
  std::vector<std::byte> operator()(const Accept& accept) const {
    return start(Type::accept, 0, accept.id, kHeaderSize);
  }
  std::vector<std::byte> operator()(const Stop& stop) const {
    return start(Type::stop, static_cast<std::uint8_t>(stop.reason), stop.id, kHeaderSize);
  }
  std::vector<std::byte> operator()(const Done& done) const {
    auto message = start(Type::done, 0, done.id, 40);
    std::ranges::copy(done.sha256, message.begin() + kHeaderSize);
    return message;
  }
  std::vector<std::byte> operator()(const Cancel& cancel) const {
    return start(Type::cancel, static_cast<std::uint8_t>(cancel.reason), cancel.id, kHeaderSize);
  }
};

}  // namespace

std::string_view name(Reason reason) noexcept {
  switch (reason) {
    case Reason::declined:
      return "declined";
    case Reason::cancelled:
      return "cancelled";
    case Reason::read_failed:
      return "read_failed";
    case Reason::write_failed:
      return "write_failed";
    case Reason::hash_mismatch:
      return "hash_mismatch";
  }
  return "cancelled";
}

Checked<Control> parse(std::span<const std::byte> message) {
  if (message.size() < kHeaderSize)
    return violation("a message of " + std::to_string(message.size()) + " bytes is shorter than 8");
  const auto number = std::to_integer<std::uint8_t>(message[0]);
  const auto argument = std::to_integer<std::uint8_t>(message[1]);
  if (number < 1 || number > kLayouts.size()) return violation("unknown type of message " + std::to_string(number));
  const auto& layout = kLayouts[number - 1U];
  if (message.size() < layout.smallest || message.size() > layout.largest) {
    return violation("a message of type " + std::to_string(number) + " cannot have " + std::to_string(message.size()) +
                     " bytes");
  }
  if (load<std::uint16_t>(message, 2) != 0 || (argument != 0 && !layout.takes_argument)) {
    return violation("a message of type " + std::to_string(number) + " has a field set that must be 0");
  }
  const auto id = load<std::uint32_t>(message, 4);
  switch (static_cast<Type>(number)) {
    case Type::offer:
      return parse_offer(message, id);
    case Type::accept:
      return Accept{id};
    case Type::stop:
      return Stop{id, reason_of(argument)};
    case Type::done:
      return Done{id, digest_at(message, kHeaderSize)};
    case Type::cancel:
      return Cancel{id, reason_of(argument)};
    case Type::content:
      break;
  }
  return violation("unknown type of message");
}

std::vector<std::byte> encode(const Control& control) { return std::visit(Encoder{}, control); }

bool is_content(std::span<const std::byte> bytes) noexcept {
  return !bytes.empty() && bytes[0] == static_cast<std::byte>(Type::content);
}

Checked<std::uint32_t> parse_content_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderSize) return violation("the first frame of a file is shorter than 8 bytes");
  if (bytes[1] != std::byte{0} || load<std::uint16_t>(bytes, 2) != 0)
    return violation("the content of a file has a field set that must be 0");
  return load<std::uint32_t>(bytes, 4);
}

std::array<std::byte, kHeaderSize> encode_content_header(std::uint32_t id) noexcept {
  std::array<std::byte, kHeaderSize> header{static_cast<std::byte>(Type::content)};
  store(std::span(header), 4, id);
  return header;
}

}  // namespace wdc::transfer

// SPDX-License-Identifier: MIT
#include "apps/web/transfer/frame.h"

#include <algorithm>

#include "apps/web/transfer/file_name.h"

namespace wdc::transfer {
namespace {

constexpr std::uint32_t kMagic = 0x77646366;  // "wdcf"
constexpr std::uint8_t kVersion = 1;

enum class Type : std::uint8_t { hello = 1, offer, accept, stop, data, ack, finish, done, cancel };

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

constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);  // the channel has its own limit

// By type, from 1.
constexpr std::array<Layout, 9> kLayouts{{
    {8, 8, true},                                     // hello
    {20, 20 + kMaxNameBytes + kMaxTypeBytes, false},  // offer
    {12, 12, false},                                  // accept
    {8, 8, true},                                     // stop
    {kDataHeader + 1, kUnlimited, false},             // data
    {16, 16, false},                                  // ack
    {48, 48, false},                                  // finish
    {40, 40, false},                                  // done
    {8, 8, true},                                     // cancel
}};

Checked<Frame> parse_offer(std::span<const std::byte> frame, std::uint32_t id) {
  const auto size = load<std::uint64_t>(frame, 8);
  const auto name_length = load<std::uint16_t>(frame, 16);
  const auto type_length = load<std::uint16_t>(frame, 18);
  if (size > kMaxFileBytes) {
    return violation("an offer of " + std::to_string(size) + " bytes is above the limit of " +
                     std::to_string(kMaxFileBytes));
  }
  if (name_length > kMaxNameBytes || type_length > kMaxTypeBytes) {
    return violation("a name of " + std::to_string(name_length) + " and a type of " + std::to_string(type_length) +
                     " bytes are above the limit of 255");
  }
  if (frame.size() != std::size_t{20} + name_length + type_length) {
    return violation("an offer of " + std::to_string(frame.size()) + " bytes does not fit its lengths");
  }
  return Offer{id, size, text_at(frame, 20, name_length), text_at(frame, std::size_t{20} + name_length, type_length)};
}

std::vector<std::byte> start(Type type, std::uint8_t argument, std::uint32_t id, std::size_t size) {
  std::vector<std::byte> frame(size);
  frame[0] = static_cast<std::byte>(type);
  frame[1] = static_cast<std::byte>(argument);
  store(std::span(frame), 4, id);
  return frame;
}

struct Encoder {
  std::vector<std::byte> operator()(const Hello&) const { return start(Type::hello, kVersion, kMagic, 8); }
  std::vector<std::byte> operator()(const Offer& offer) const {
    auto frame = start(Type::offer, 0, offer.id, 20 + offer.name.size() + offer.type.size());
    store(std::span(frame), 8, offer.size);
    store(std::span(frame), 16, static_cast<std::uint16_t>(offer.name.size()));
    store(std::span(frame), 18, static_cast<std::uint16_t>(offer.type.size()));
    const auto texts = std::span(frame).subspan(20);
    std::ranges::copy(std::as_bytes(std::span(offer.name)), texts.begin());
    std::ranges::copy(std::as_bytes(std::span(offer.type)), texts.subspan(offer.name.size()).begin());
    return frame;
  }
  std::vector<std::byte> operator()(const Accept& accept) const {
    auto frame = start(Type::accept, 0, accept.id, 12);
    store(std::span(frame), 8, accept.window);
    return frame;
  }
  std::vector<std::byte> operator()(const Stop& stop) const {
    return start(Type::stop, static_cast<std::uint8_t>(stop.reason), stop.id, 8);
  }
  std::vector<std::byte> operator()(const Data& data) const {
    std::vector<std::byte> frame(kDataHeader + data.bytes.size());
    write_data_header(std::span(frame).first<kDataHeader>(), data.id, data.offset);
    std::ranges::copy(data.bytes, frame.begin() + kDataHeader);
    return frame;
  }
  std::vector<std::byte> operator()(const Ack& ack) const {
    auto frame = start(Type::ack, 0, ack.id, 16);
    store(std::span(frame), 8, ack.received);
    return frame;
  }
  std::vector<std::byte> operator()(const Finish& finish) const {
    auto frame = start(Type::finish, 0, finish.id, 48);
    store(std::span(frame), 8, finish.size);
    std::ranges::copy(finish.sha256, frame.begin() + 16);
    return frame;
  }
  std::vector<std::byte> operator()(const Done& done) const {
    auto frame = start(Type::done, 0, done.id, 40);
    std::ranges::copy(done.sha256, frame.begin() + 8);
    return frame;
  }
  std::vector<std::byte> operator()(const Cancel& cancel) const {
    return start(Type::cancel, static_cast<std::uint8_t>(cancel.reason), cancel.id, 8);
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

Checked<Frame> parse(std::span<const std::byte> frame) {
  if (frame.size() < 8) return violation("a frame of " + std::to_string(frame.size()) + " bytes is shorter than 8");
  const auto number = std::to_integer<std::uint8_t>(frame[0]);
  const auto argument = std::to_integer<std::uint8_t>(frame[1]);
  if (number < 1 || number > kLayouts.size()) return violation("unknown frame type " + std::to_string(number));
  const auto& layout = kLayouts[number - 1U];
  if (frame.size() < layout.smallest || frame.size() > layout.largest) {
    return violation("a frame of type " + std::to_string(number) + " cannot have " + std::to_string(frame.size()) +
                     " bytes");
  }
  if (load<std::uint16_t>(frame, 2) != 0 || (argument != 0 && !layout.takes_argument)) {
    return violation("a frame of type " + std::to_string(number) + " has a field set that must be 0");
  }
  const auto id = load<std::uint32_t>(frame, 4);
  switch (static_cast<Type>(number)) {
    case Type::hello:
      if (id != kMagic) return violation("the other end does not speak this protocol");
      if (argument != kVersion) return violation("unknown version " + std::to_string(argument));
      return Hello{};
    case Type::offer:
      return parse_offer(frame, id);
    case Type::accept: {
      const auto window = load<std::uint32_t>(frame, 8);
      if (window < kMinWindow || window > kMaxWindow) {
        return violation("a window of " + std::to_string(window) + " bytes is out of range");
      }
      return Accept{id, window};
    }
    case Type::stop:
      return Stop{id, reason_of(argument)};
    case Type::data:
      return Data{id, load<std::uint64_t>(frame, 8), frame.subspan(kDataHeader)};
    case Type::ack:
      return Ack{id, load<std::uint64_t>(frame, 8)};
    case Type::finish:
      return Finish{id, load<std::uint64_t>(frame, 8), digest_at(frame, 16)};
    case Type::done:
      return Done{id, digest_at(frame, 8)};
    case Type::cancel:
      return Cancel{id, reason_of(argument)};
  }
  return violation("unknown frame type");
}

std::vector<std::byte> encode(const Frame& frame) { return std::visit(Encoder{}, frame); }

void write_data_header(std::span<std::byte, kDataHeader> header, std::uint32_t id, std::uint64_t offset) noexcept {
  std::ranges::fill(header, std::byte{0});
  header[0] = static_cast<std::byte>(Type::data);
  store(header, 4, id);
  store(header, 8, offset);
}

}  // namespace wdc::transfer

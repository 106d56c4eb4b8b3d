// SPDX-License-Identifier: MIT
#include "tests/fuzz/drive_association.h"

#include <algorithm>
#include <array>

#include "tests/fuzz/input.h"
#include "tests/support/sim/pair.h"

namespace wdc::fuzz {
namespace {

using namespace sctp;
using namespace std::chrono_literals;

struct RawChunk {
  ByteView bytes;
  [[nodiscard]] std::size_t size() const { return bytes.size(); }
  void write(std::byte* at) const { copy_bytes(at, bytes); }
};

AssociationOptions options_from(std::uint8_t flags) {
  AssociationOptions options;
  options.capabilities = {(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0};
  options.sack_rate = (flags & 16) != 0 ? SackRate::every_burst : SackRate::every_second_packet;
  options.receive_window = (flags & 32) != 0 ? 20'000 : 200'000;
  options.receive_message_size = 10'000;
  return options;
}

class Driver {
 public:
  explicit Driver(Input input)
      : input_(input),
        pair_(options_from(input_.byte()), options_from(input_.byte()), {.delay = 1ms}, {.delay = 1ms}, 1) {
    pair_.tap = [this](bool from_a, ByteView packet) { return watch(from_a, packet); };
  }

  void run() {
    if ((input_.byte() & 3) != 0) static_cast<void>(pair_.connect((input_.byte() & 1) != 0));
    for (int steps = 0; !input_.empty() && steps < 200; ++steps) step();
    // Whatever happened, the end is near: nothing may go on for ever.
    drops_ = false;
    pair_.a.reads = pair_.b.reads = true;
    pair_.a.association.abort("done", pair_.now);
    pair_.b.association.abort("done", pair_.now);
    pair_.run_for(1s);
    require(pair_.a.association.next_deadline() == kNever && pair_.b.association.next_deadline() == kNever);
    require(pair_.a.count<ClosedEvent>() == 1 && pair_.b.count<ClosedEvent>() == 1);
  }

 private:
  bool watch(bool from_a, ByteView packet) {
    require(packet.size() >= 16 && packet.size() % 4 == 0 && packet.size() <= 1'188);
    // Whoever receives it takes the tag that is in it.
    (from_a ? tag_b_ : tag_a_) = VerificationTag(load_big_endian<std::uint32_t>(packet.data() + 4));
    const ChunkType type{std::to_integer<std::uint8_t>(packet[12])};
    if (type == ChunkType::data || type == ChunkType::i_data || type == ChunkType::sack) {
      (from_a ? tsn_b_ : tsn_a_) = load_big_endian<std::uint32_t>(packet.data() + 16);
    }
    return !drops_ || ++packets_ % 3 != 0;
  }

  void step() {
    sim::End& end = (input_.byte() & 1) != 0 ? pair_.a : pair_.b;
    const TimePoint now = pair_.now;
    switch (input_.byte() % 12) {
      case 0:
        static_cast<void>(end.send(input_.word() % 8, std::string(1 + input_.word() % 12'000, 'x'), now));
        break;
      case 1:
        static_cast<void>(end.send(input_.word(), std::string(1 + input_.byte(), 'y'), now,
                                   {.unordered = (input_.byte() & 1) != 0, .max_retransmits = input_.byte() % 3}));
        break;
      case 2:
        static_cast<void>(end.send(1, std::string(1 + input_.word() % 12'000, 'z'), now,
                                   {.lifetime = Duration(input_.byte() * 1ms)}));
        break;
      case 3:
        static_cast<void>(end.association.reset_stream(StreamId(input_.word() % 8), now));
        break;
      case 4:
        if (input_.byte() % 8 == 0) end.association.shutdown(now);
        break;
      case 5:
        if (input_.byte() % 16 == 0) end.association.abort("fuzz", now);
        break;
      case 6:
        end.association.connect(now);
        break;
      case 7:
        end.reads = !end.reads;
        break;
      case 8:
        drops_ = !drops_;
        break;
      case 9:
        pair_.run_for(Duration(input_.word() * 100us));
        break;
      default:
        inject(end);
        break;
    }
    require(end.association.stats().unread_bytes <= 2 * 200'000 + 10'000);
  }

  /// A packet with one chunk from the input; TSNs near the real ones, so that they are not all out of range.
  void inject(sim::End& end) {
    const bool is_a = &end == &pair_.a;
    const std::uint8_t type = input_.byte();
    static constexpr std::array<std::uint8_t, 20> kTypes{0, 0, 64, 64, 1,  2,  3,  3,   4,   5,
                                                         6, 7, 8,  9,  10, 11, 14, 130, 192, 194};
    const std::uint8_t flags = input_.byte();
    const std::int8_t offset = static_cast<std::int8_t>(input_.byte());
    const bool own_length = (input_.byte() & 15) == 0;
    std::vector<std::byte> chunk(8);
    const ByteView body = input_.take(input_.byte());
    chunk.insert(chunk.end(), body.begin(), body.end());
    write_chunk_header(chunk.data(), ChunkType{kTypes[type % kTypes.size()]}, flags,
                       own_length ? input_.word() : chunk.size());
    const std::uint32_t base = is_a ? tsn_a_ : tsn_b_;
    store_big_endian(chunk.data() + 4, base + static_cast<std::uint32_t>(std::int32_t{offset}));
    std::array<std::byte, 400> slot{};
    VerificationTag tag = is_a ? tag_a_ : tag_b_;
    if (kTypes[type % kTypes.size()] == 1) tag = VerificationTag(0);
    PacketWriter packet(slot, {Port(5000), Port(5000), tag});
    if (!packet.append(RawChunk{chunk})) return;
    const ByteView view = std::span(slot).first(packet.finish(Checksum::crc32c));
    end.association.handle_packets({&view, 1}, pair_.now);
    pair_.settle();
  }

  Input input_;
  sim::Pair pair_;
  VerificationTag tag_a_, tag_b_;
  std::uint32_t tsn_a_ = 0, tsn_b_ = 0;
  bool drops_ = false;
  std::uint64_t packets_ = 0;
};

}  // namespace

void drive_association(ByteView input) { Driver(Input(input)).run(); }

}  // namespace wdc::fuzz

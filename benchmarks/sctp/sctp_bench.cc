// SPDX-License-Identifier: MIT
// sctp_bench [--seconds N]: two associations back to back in one thread, with no network and no copy in between. Prints
// rows for ./bench sctp.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "src/native/sctp/association.h"
#include "tests/support/sim/random.h"

namespace {
std::uint64_t allocations = 0;
}  // namespace

// Every allocation of the process is counted: there is one thread.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace wdc::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPacketSize = 1'200;

struct Result {
  std::string name;
  std::size_t size = 0;
  double seconds = 0;
  std::uint64_t messages = 0;
  std::uint64_t packets = 0;  // with data
  std::uint64_t allocations = 0;
};

/// Sends messages of one size from `a` to `b` for a while.
Result run_ours(std::size_t message_size, double seconds, sctp::Checksum checksum, sctp::SackRate sack_rate,
                const char* name) {
  sctp::AssociationOptions options;
  options.packet_size = kPacketSize;
  options.receive_message_size = std::size_t{2} << 20;
  options.sack_rate = sack_rate;
  options.capabilities.message_interleaving = false;
  options.capabilities.zero_checksum = checksum == sctp::Checksum::zero;
  sctp::BufferPool pool;
  sim::Random random(1);
  sctp::Association a(options, pool, random);
  sctp::Association b(options, pool, random);
  std::vector<std::byte> memory(sctp::PacketTrain::kMostPackets * kPacketSize);
  std::array<sctp::ByteView, sctp::PacketTrain::kMostPackets> views;
  const auto deliver = [&](sctp::Association& from, sctp::Association& to, sctp::TimePoint now) {
    sctp::PacketTrain train(memory, kPacketSize);
    from.poll_transmit(train, now);
    for (std::size_t i = 0; i < train.count(); ++i) views[i] = train.packet(i);
    if (!train.empty()) to.handle_packets(std::span(views).first(train.count()), now);
    return train.count();
  };
  sctp::TimePoint now = Clock::now();
  a.connect(now);
  while (deliver(a, b, now) + deliver(b, a, now) > 0) {
  }
  if (a.state() != sctp::Association::State::established) std::abort();

  const std::vector<std::byte> message(message_size, std::byte{'x'});
  std::uint64_t messages = 0;
  std::uint64_t packets = 0;
  const auto turn = [&] {
    now = Clock::now();
    while (a.buffered() < (std::size_t{256} << 10)) {
      if (a.send(sctp::StreamId(0), sctp::Ppid(53), sctp::Payload::forever(message), {}, now) != sctp::SendStatus::ok) {
        std::abort();
      }
    }
    packets += deliver(a, b, now);
    while (const auto received = b.poll_message()) {
      ++messages;
      b.consumed(received->payload.size());
    }
    deliver(b, a, now);
    if (a.next_deadline() <= now) a.handle_timeout(now);
    if (b.next_deadline() <= now) b.handle_timeout(now);
  };
  for (const auto end = Clock::now() + std::chrono::milliseconds(300); Clock::now() < end;) turn();
  const std::uint64_t allocations_before = allocations;
  messages = packets = 0;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (now < end) turn();
  return {name,     message_size, std::chrono::duration<double>(now - start).count(),
          messages, packets,      allocations - allocations_before};
}

void print(const Result& result, bool first) {
  const auto packets = static_cast<double>(std::max<std::uint64_t>(result.packets, 1));
  std::printf(
      "%s{\"bench\":\"sctp\",\"case\":\"%s\",\"size\":%zu,\"MBps\":%.1f,\"msgs_per_s\":%.0f,\"ns_per_packet\":%.1f,"
      "\"allocations_per_packet\":%.4f}",
      first ? "[" : ",\n", result.name.c_str(), result.size,
      static_cast<double>(result.messages * result.size) / result.seconds / 1e6,
      static_cast<double>(result.messages) / result.seconds, result.seconds * 1e9 / packets,
      static_cast<double>(result.allocations) / packets);
}

}  // namespace
}  // namespace wdc::bench

int main(int argc, char** argv) {
  using namespace wdc::bench;
  using wdc::sctp::Checksum;
  using wdc::sctp::SackRate;
  double seconds = 2;
  if (argc == 3 && std::string_view(argv[1]) == "--seconds") seconds = std::atof(argv[2]);
  bool first = true;
  for (const std::size_t size : {std::size_t{64}, std::size_t{1'024}, std::size_t{65'536}, std::size_t{1} << 20}) {
    print(run_ours(size, seconds, Checksum::zero, SackRate::every_burst, "wdc"), std::exchange(first, false));
    print(run_ours(size, seconds, Checksum::crc32c, SackRate::every_second_packet, "wdc-as-to-a-browser"), false);
  }
  std::puts("]");
  return 0;
}

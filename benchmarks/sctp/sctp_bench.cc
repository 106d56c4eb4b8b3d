// SPDX-License-Identifier: MIT
// sctp_bench CASE SIZE SECONDS: two associations back to back in one thread, with no network in between. Prints one row
// for
// ./bench sctp.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "benchmarks/sctp/bench_case.h"

namespace {
std::uint64_t allocations = 0;
}  // namespace

// Every allocation of the process is counted, in C and C++ alike; there is one thread.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): glibc's
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
}

namespace wdc::bench {
namespace {

std::unique_ptr<BenchCase> make_case(std::string_view name, std::size_t size) {
  if (name == "wdc") return make_wdc_case(size, Crc::none, Peer::ours);
  if (name == "wdc-crc32c") return make_wdc_case(size, Crc::crc32c, Peer::browser);
  if (name == "usrsctp") return make_usrsctp_case(size, Crc::none);
  if (name == "usrsctp-crc32c") return make_usrsctp_case(size, Crc::crc32c);
  return nullptr;
}

void run(BenchCase& bench, std::string_view name, std::size_t size, double seconds) {
  constexpr auto kWarmUp = std::chrono::milliseconds(300);
  for (const auto end = Clock::now() + kWarmUp; Clock::now() < end;) bench.turn();
  const Counts before = bench.counts();
  const std::uint64_t allocations_before = allocations;
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  while (Clock::now() < end) bench.turn();
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const auto allocated = static_cast<double>(allocations - allocations_before);
  const auto messages = static_cast<double>(bench.counts().messages - before.messages);
  const auto packets = static_cast<double>(bench.counts().packets - before.packets);
  if (messages == 0 || packets == 0) {
    std::fprintf(stderr, "sctp_bench: nothing arrived\n");
    std::exit(1);
  }
  std::printf(
      "{\"bench\":\"sctp\",\"case\":\"%.*s\",\"size\":%zu,\"MBps\":%.1f,\"msgs_per_s\":%.0f,\"ns_per_packet\":%.1f,"
      "\"allocations_per_packet\":%.4f}\n",
      static_cast<int>(name.size()), name.data(), size, messages * static_cast<double>(size) / elapsed / 1e6,
      messages / elapsed, elapsed * 1e9 / packets, allocated / packets);
}

}  // namespace
}  // namespace wdc::bench

int main(int argc, char** argv) {
  const std::size_t size = argc == 4 ? std::strtoull(argv[2], nullptr, 10) : 0;
  const double seconds = argc == 4 ? std::atof(argv[3]) : 0;
  const auto bench = size > 0 ? wdc::bench::make_case(argv[1], size) : nullptr;
  if (bench == nullptr || seconds <= 0) {
    std::fprintf(stderr, "usage: sctp_bench wdc|wdc-crc32c|usrsctp|usrsctp-crc32c SIZE SECONDS\n");
    return 2;
  }
  wdc::bench::run(*bench, argv[1], size, seconds);
  return 0;
}

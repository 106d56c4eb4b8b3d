// SPDX-License-Identifier: MIT
// record_path [--seconds N] [--aead openssl|ipsec-mb] [--offload segments|batches|single]: what the machine allows
// below SCTP, as rows for ./bench records and ./bench native. Trains of records of 1,200 bytes are sealed in one
// thread, sent over UDP on loopback, and opened in another; and, without --aead and --offload, the parts of that alone.
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "src/native/dtls/record_opener.h"
#include "src/native/udp/udp_socket.h"

namespace wdc::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kDatagram = 1'200;
constexpr std::size_t kText = kDatagram - dtls::kHeadRoom - dtls::kTailRoom;
constexpr std::size_t kTrain = 54;  // as many as one segmented send takes
constexpr dtls::Salt kSalt{};
constexpr std::array<std::byte, 16> kKey{};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void stay_on_core(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::max(1U, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

struct Row {
  std::string name;
  std::string aead = "none";
  std::string offload = "none";
  double seconds = 0;
  double cpu = 0;
  std::uint64_t packets = 0;
  std::uint64_t lost = 0;
};

void print(const Row& row) {
  static bool first = true;
  const double megabytes = static_cast<double>(row.packets) * kText / 1e6;
  std::printf(
      "%s{\"bench\":\"records\",\"case\":\"%s\",\"aead\":\"%s\",\"offload\":\"%s\",\"datagram\":%zu,\"MBps\":%.0f,"
      "\"ns_per_packet\":%.1f,\"cpu_s_per_GB\":%.2f,\"lost_percent\":%.2f}",
      std::exchange(first, false) ? "[" : ",\n", row.name.c_str(), row.aead.c_str(), row.offload.c_str(), kDatagram,
      megabytes / row.seconds, row.seconds * 1e9 / static_cast<double>(row.packets), row.cpu / megabytes * 1e3,
      100.0 * static_cast<double>(row.lost) / static_cast<double>(row.packets + row.lost));
}

/// A train's memory, and the texts in it.
struct Train {
  std::vector<std::byte> memory = std::vector<std::byte>(kTrain * kDatagram);
  std::array<dtls::MutableByteView, kTrain> texts{};
  void reset() {
    for (std::size_t i = 0; i < kTrain; ++i)
      texts[i] = std::span(memory).subspan(i * kDatagram + dtls::kHeadRoom, kText);
  }
};

using MakeProvider = std::unique_ptr<dtls::AeadProvider> (*)();

std::unique_ptr<dtls::Aead> aead(dtls::AeadProvider& provider, dtls::AeadDirection direction) {
  return provider.create(dtls::AeadAlgorithm::aes_128_gcm, direction, kKey);
}

/// Sealing and opening in memory, one after the other; each is timed alone.
void run_memory(MakeProvider make, double seconds) {
  const auto provider = make();
  dtls::RecordSealer sealer(aead(*provider, dtls::AeadDirection::seal), kSalt);
  dtls::RecordOpener opener(aead(*provider, dtls::AeadDirection::open), kSalt);
  Train train;
  std::array<dtls::ArrivedRecord, kTrain> records;
  Clock::duration sealing{};
  Clock::duration opening{};
  std::uint64_t packets = 0;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (auto now = Clock::now(); now < end;) {
    train.reset();
    if (!sealer.seal(dtls::ContentType::application_data, train.texts)) std::abort();
    const auto sealed = Clock::now();
    for (std::size_t i = 0; i < kTrain; ++i) records[i] = {*dtls::RecordWalk(train.texts[i]).next(), {}, {}};
    opener.open(records);
    const auto opened = Clock::now();
    for (const auto& record : records) {
      if (record.status != dtls::OpenStatus::opened) std::abort();
    }
    sealing += sealed - now;
    opening += opened - sealed;
    packets += kTrain;
    now = opened;
  }
  const auto row = [&](const char* name, Clock::duration time) {
    const double spent = std::chrono::duration<double>(time).count();
    print({name, std::string(provider->name()), "none", spent, spent, packets, 0});
  };
  row("seal", sealing);
  row("open", opening);
}

constexpr const char* name_of(udp::Offload offload) {
  return offload == udp::Offload::segments ? "segments" : offload == udp::Offload::batches ? "batches" : "single";
}

/// Over UDP, a core for each end. Without a provider the datagrams are not encrypted. The receiver tells how far it is,
/// and the sender stays within a window, as any transport would.
void run_network(MakeProvider make, udp::Offload offload, double seconds) {
  const auto local = *udp::Address::parse("127.0.0.1", 0);
  auto to = udp::UdpSocket::open(local, {.receive = offload}).value();
  auto from = udp::UdpSocket::open(local, {.send = offload}).value();
  const auto sending = make != nullptr ? make() : nullptr;
  const auto receiving = make != nullptr ? make() : nullptr;
  std::atomic<std::uint64_t> arrived{0};
  std::atomic<bool> done{false};

  std::thread receiver([&] {
    stay_on_core(1);
    std::optional<dtls::RecordOpener> opener;
    if (receiving) opener.emplace(aead(*receiving, dtls::AeadDirection::open), kSalt);
    std::vector<std::byte> memory(udp::UdpSocket::kReceiveMemory);
    std::array<udp::ReceivedTrain, udp::UdpSocket::kMostDatagrams> trains;
    std::array<dtls::ArrivedRecord, 128> records;
    while (!done.load(std::memory_order_relaxed)) {
      const std::size_t count = to.receive(memory, trains);
      std::size_t datagrams = 0;
      for (std::size_t i = 0; i < count; ++i) {
        udp::for_each_datagram(trains[i], [&](std::span<std::byte> datagram) {
          if (opener) records[datagrams] = {*dtls::RecordWalk(datagram).next(), {}, {}};
          ++datagrams;
        });
      }
      if (opener) {
        opener->open(std::span(records).first(datagrams));
        for (std::size_t i = 0; i < datagrams; ++i) {
          if (records[i].status != dtls::OpenStatus::opened) std::abort();
        }
      }
      if (datagrams > 0) arrived.fetch_add(datagrams, std::memory_order_release);
    }
  });

  stay_on_core(0);
  std::optional<dtls::RecordSealer> sealer;
  if (sending) sealer.emplace(aead(*sending, dtls::AeadDirection::seal), kSalt);
  Train train;
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  const auto end = start + std::chrono::duration<double>(seconds);
  auto now = start;
  for (; now < end; now = Clock::now()) {
    // What a stock receive buffer holds may be on its way: three trains, or about 90 datagrams apart from each other.
    // What does not come within a while was lost.
    const std::uint64_t window = offload == udp::Offload::segments ? 2 * kTrain : 80 - kTrain;
    const auto patience = now + std::chrono::milliseconds(20);
    while (sent - lost > arrived.load(std::memory_order_acquire) + window) {
      if (Clock::now() > patience) lost = sent - arrived.load();
    }
    train.reset();
    if (sealer && !sealer->seal(dtls::ContentType::application_data, train.texts)) std::abort();
    for (std::size_t at = 0; at < kTrain;) {
      const auto result = from.send(std::span(train.memory).subspan(at * kDatagram), kDatagram, to.local());
      if (result.status != udp::SendStatus::ok && result.status != udp::SendStatus::blocked) std::abort();
      at += result.sent;
    }
    sent += kTrain;
  }
  const double spent = std::chrono::duration<double>(now - start).count();
  const double cpu_spent = cpu_seconds() - cpu;
  done = true;
  receiver.join();
  print({sending ? "limit" : "udp", sending ? std::string(sending->name()) : "none", name_of(offload), spent, cpu_spent,
         arrived.load(), lost});
}

}  // namespace
}  // namespace wdc::bench

int main(int argc, char** argv) {
  using namespace wdc;
  double seconds = 2;
  std::string_view only_aead;
  std::string_view only_offload;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--seconds") seconds = std::atof(argv[i + 1]);
    if (name == "--aead") only_aead = argv[i + 1];
    if (name == "--offload") only_offload = argv[i + 1];
  }
  const bool is_all = only_aead.empty() && only_offload.empty();
  std::vector<bench::MakeProvider> providers;
  for (const auto make : {dtls::make_openssl_aead_provider, dtls::make_ipsec_mb_aead_provider}) {
    const auto provider = make();
    if (provider && (only_aead.empty() || provider->name() == only_aead)) providers.push_back(make);
  }
  for (const auto provider : providers) {
    if (is_all) bench::run_memory(provider, seconds);
  }
  for (const auto offload : {udp::Offload::segments, udp::Offload::batches, udp::Offload::single}) {
    if (!only_offload.empty() && only_offload != bench::name_of(offload)) continue;
    if (is_all) bench::run_network(nullptr, offload, seconds);
    for (const auto provider : providers) bench::run_network(provider, offload, seconds);
  }
  std::puts("]");
  return 0;
}

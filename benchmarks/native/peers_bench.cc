// SPDX-License-Identifier: MIT
// peers_bench KIND [NAME=VALUE...]: connections between two threads on a core each, over real UDP with DTLS; prints
// figures as JSON for ./bench native. KIND:
//   bulk      how fast messages arrive: size, seconds, connections
//   pingpong  round trips of one message: size, seconds
//   setup     pairs one after the other: count
//   memory    what connected peers take that have nothing to do: count
// For all: aead=openssl, offload=segments|batches|single, namespaces=NAME,NAME, framed=1.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/native/home.h"
#include "benchmarks/native/peer_pair.h"

namespace wdc::bench {
namespace {

using namespace std::chrono_literals;
using End = PeerPair::End;

constexpr std::byte kFill{0x5a};

struct Settings {
  std::string kind;
  std::size_t size = 64;
  double seconds = 1;
  std::size_t connections = 1;
  std::size_t count = 50;
  bool framed = false;
  HomeOptions near{.name = "sender", .core = 0};
  HomeOptions far{.name = "receiver", .core = 1};
};

/// What the receiver has seen, at one moment.
struct Mark {
  Clock::time_point at;
  double cpu = 0;
  double sender_cpu = 0;
  double receiver_cpu = 0;
  std::uint64_t messages = 0;
  std::uint64_t allocations = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t receive_calls = 0;
};

/// Counts on the receiving thread. Marks are set where a message ends, so that large ones are counted whole.
class Meter {
 public:
  Meter(Home& sender, Home& receiver) : sender_(sender), receiver_(receiver) {}

  void count() {
    ++messages_;
    if (auto* const wanted = wanted_.load(std::memory_order_acquire); wanted != nullptr) [[unlikely]] {
      wanted_ = nullptr;
      const auto sockets = receiver_.backend().socket_stats();
      wanted->set_value({Clock::now(), cpu_seconds(), sender_.cpu_seconds(), receiver_.cpu_seconds(), messages_,
                         allocations(), sockets.received, sockets.receive_calls});
    }
  }

  /// From another thread: the state after the next message.
  [[nodiscard]] Mark mark() {
    std::promise<Mark> promise;
    auto future = promise.get_future();
    wanted_ = &promise;
    if (future.wait_for(20s) != std::future_status::ready) die("bulk", "no message has arrived for 20 s");
    return future.get();
  }

 private:
  Home& sender_;
  Home& receiver_;
  std::uint64_t messages_ = 0;
  std::atomic<std::promise<Mark>*> wanted_{nullptr};
};

Task<> send_bulk(End& self, std::span<const std::byte> bytes) {
  for (;;) check("send", co_await self.channel.send_bytes(bytes));
}

Task<> receive_bulk(End& self, std::size_t size, Meter& meter) {
  auto messages = self.channel.message_stream();
  for (;;) {
    const auto message = check("receive", co_await messages.next());
    const auto bytes = message.bytes();
    if (bytes.size() != size || bytes.front() != kFill || bytes.back() != kFill) die("receive", "a wrong message");
    meter.count();
  }
}

void run_bulk(const Settings& settings) {
  Home near(settings.near);
  Home far(settings.far);
  const std::vector<std::byte> bytes(settings.size, kFill);
  Meter meter(near, far);
  std::deque<PeerPair> pairs;
  while (pairs.size() < settings.connections) pairs.emplace_back(near, far, settings.framed);
  far.call([&] {
    for (auto& pair : pairs) pair.answerer().run(receive_bulk, settings.size, meter);
  });
  near.call([&] {
    for (auto& pair : pairs) pair.offerer().run(send_bulk, std::span(bytes));
  });
  std::this_thread::sleep_for(settings.connections > 1 ? 600ms : 300ms);  // slow start, and caches
  const Mark start = meter.mark();
  std::this_thread::sleep_for(std::chrono::duration<double>(settings.seconds));
  const Mark end = meter.mark();
  const double spent = std::chrono::duration<double>(end.at - start.at).count();
  const auto messages = static_cast<double>(end.messages - start.messages);
  const double megabytes = messages * static_cast<double>(settings.size) / 1e6;
  const auto datagrams = static_cast<double>(end.datagrams - start.datagrams);
  std::printf(
      "{\"MBps\":%.1f,\"msgs_per_s\":%.1f,\"cpu_s_per_GB\":%.3f,\"allocations_per_packet\":%.5f,"
      "\"packets_per_call\":%.1f,\"sender_ns_per_packet\":%.1f,\"receiver_ns_per_packet\":%.1f}\n",
      megabytes / spent, messages / spent, (end.cpu - start.cpu) / megabytes * 1e3,
      static_cast<double>(end.allocations - start.allocations) / datagrams,
      datagrams / static_cast<double>(end.receive_calls - start.receive_calls),
      (end.sender_cpu - start.sender_cpu) / datagrams * 1e9, (end.receiver_cpu - start.receiver_cpu) / datagrams * 1e9);
}

double quantile(std::vector<double>& values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

Task<> ping(End& self, const Settings& settings, std::vector<double>& round_trips, std::promise<void>& done) {
  const std::vector<std::byte> bytes(settings.size, kFill);
  auto messages = self.channel.message_stream();
  const auto warm = Clock::now() + 300ms;
  const auto end = warm + std::chrono::duration<double>(settings.seconds);
  for (auto start = Clock::now(); start < end;) {
    check("send", co_await self.channel.send_bytes(bytes));
    const auto back = check("receive", co_await messages.next());
    if (back.bytes().size() != settings.size) die("receive", "a wrong message");
    const auto now = Clock::now();
    if (start >= warm) round_trips.push_back(std::chrono::duration<double, std::micro>(now - start).count());
    start = now;
  }
  done.set_value();
}

Task<> pong(End& self) {
  auto messages = self.channel.message_stream();
  for (;;) {
    auto message = check("receive", co_await messages.next());
    check("send", co_await self.channel.send(std::move(message)));
  }
}

void run_ping_pong(const Settings& settings) {
  Home near(settings.near);
  Home far(settings.far);
  PeerPair pair(near, far, settings.framed);
  std::vector<double> round_trips;
  round_trips.reserve(1'000'000);
  std::promise<void> done;
  far.call([&] { pair.answerer().run(pong); });
  near.call([&] { pair.offerer().run(ping, settings, round_trips, done); });
  done.get_future().wait();
  std::printf("{\"round_trips\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f}\n", round_trips.size(), quantile(round_trips, 0.5),
              quantile(round_trips, 0.99));
}

void run_setup(const Settings& settings) {
  Home near(settings.near);
  Home far(settings.far);
  std::vector<double> wall;
  std::vector<double> cpu;
  { const PeerPair first(near, far, settings.framed); }  // what a process does once
  for (std::size_t i = 0; i < settings.count; ++i) {
    const double before = cpu_seconds();
    const PeerPair pair(near, far, settings.framed);
    cpu.push_back((cpu_seconds() - before) * 1e3);
    wall.push_back(pair.setup_ms());
  }
  std::printf("{\"pairs\":%zu,\"setup_cpu_ms\":%.3f,\"setup_wall_ms\":%.3f}\n", wall.size(), quantile(cpu, 0.5),
              quantile(wall, 0.5));
}

double resident_kb() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e3;
}

void run_memory(const Settings& settings) {
  Home near(settings.near);
  Home far(settings.far);
  std::deque<PeerPair> pairs;
  for (int i = 0; i < 5; ++i) pairs.emplace_back(near, far, settings.framed);  // what a process takes once
  const double before = resident_kb();
  for (std::size_t i = 0; i < settings.count; ++i) pairs.emplace_back(near, far, settings.framed);
  std::printf("{\"peers\":%zu,\"peer_KB\":%.1f}\n", 2 * settings.count,
              (resident_kb() - before) / static_cast<double>(2 * settings.count));
}

template <class T>
bool read(std::string_view value, T& into) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
  return error == std::errc() && end == value.data() + value.size();
}

bool read(Settings& settings, std::string_view name, std::string_view value) {
  if (name == "size") return read(value, settings.size) && settings.size > 0;
  if (name == "seconds") return read(value, settings.seconds);
  if (name == "connections") return read(value, settings.connections);
  if (name == "count") return read(value, settings.count) && settings.count > 0;
  if (name == "framed") return settings.framed = value == "1", true;
  if (name == "aead") return settings.near.openssl = settings.far.openssl = value == "openssl", true;
  if (name == "namespaces") {
    const auto comma = value.find(',');
    if (comma == std::string_view::npos) return false;
    settings.near.network_namespace = value.substr(0, comma);
    settings.far.network_namespace = value.substr(comma + 1);
    return true;
  }
  if (name != "offload") return false;
  const bool batches = value == "batches";
  if (!batches && value != "single" && value != "segments") return false;
  settings.near.offload = settings.far.offload = batches             ? udp::Offload::batches
                                                 : value == "single" ? udp::Offload::single
                                                                     : udp::Offload::segments;
  return true;
}

}  // namespace

int run(int argc, char** argv) {
  Settings settings;
  bool is_right = argc > 1;
  if (is_right) settings.kind = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto equals = word.find('=');
    is_right =
        is_right && equals != std::string_view::npos && read(settings, word.substr(0, equals), word.substr(equals + 1));
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // a socket each
  setrlimit(RLIMIT_NOFILE, &files);
  if (is_right && settings.kind == "bulk") return run_bulk(settings), 0;
  if (is_right && settings.kind == "pingpong") return run_ping_pong(settings), 0;
  if (is_right && settings.kind == "setup") return run_setup(settings), 0;
  if (is_right && settings.kind == "memory") return run_memory(settings), 0;
  std::fprintf(stderr,
               "usage: peers_bench bulk|pingpong|setup|memory [size=N] [seconds=S] [connections=N] [count=N]\n"
               "         [aead=openssl] [offload=segments|batches|single] [namespaces=NAME,NAME] [framed=1]\n");
  return 2;
}

}  // namespace wdc::bench

int main(int argc, char** argv) { return wdc::bench::run(argc, argv); }

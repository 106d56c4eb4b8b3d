// SPDX-License-Identifier: MIT
// peers_bench bulk|pingpong SIZE SECONDS [openssl] [segments|batches|single]: two connections on a thread and a core
// each, over real UDP on loopback with DTLS; prints one row for ./bench native.
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "src/native/engine/native_backend.h"
#include "wdc/wdc.h"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using wdc::Task;

void stay_on_core(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::max(1U, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void die(std::string_view what, const wdc::Error& error) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(), error.message().c_str());
  std::exit(1);
}

template <class T>
T check(std::string_view what, wdc::Result<T> result) {
  if (!result) die(what, result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

struct Settings {
  std::string kind;
  std::size_t size = 0;
  double seconds = 0;
  bool openssl = false;
  wdc::udp::Offload offload = wdc::udp::Offload::segments;
};

/// One end, on its own thread.
struct Side {
  Side* other = nullptr;
  wdc::EventLoop* loop = nullptr;
  wdc::PeerConnection peer;
  std::vector<wdc::Spawned<void>> tasks;

  void take(const wdc::SessionDescription& description) {
    tasks.push_back(wdc::spawn(*loop, [](Side& self, wdc::SessionDescription remote) -> Task<> {
      check("remote description", co_await self.peer.set_remote_description(remote));
      if (remote.type == wdc::SdpType::answer) co_return;
      auto answer = check("answer", co_await self.peer.set_local_description());
      self.tell(answer);
    }(*this, description)));
  }
  void take(const wdc::IceCandidate& candidate) {
    tasks.push_back(wdc::spawn(*loop, [](Side& self, wdc::IceCandidate remote) -> Task<> {
      check("candidate", co_await self.peer.add_ice_candidate(remote));
    }(*this, candidate)));
  }
  template <class T>
  void tell(T what) {
    check("post", other->loop->post([to = other, what = std::move(what)] { to->take(what); }));
  }
  void tell_candidates() {
    tasks.push_back(wdc::spawn(*loop, [](Side& self) -> Task<> {
      while (auto event = co_await self.peer.next_negotiation_event()) {
        auto* const candidate = std::get_if<wdc::IceCandidate>(&*event);
        if (candidate != nullptr) self.tell(std::move(*candidate));
      }
    }(*this)));
  }
};

struct Outcome {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> messages{0};
  std::vector<double> round_trips;  // microseconds
  double setup_ms = 0;
};

Task<> send_bulk(wdc::DataChannel& channel, const Settings& settings, Outcome& outcome) {
  const std::vector<std::byte> bytes(settings.size, std::byte{0x5a});
  while (!outcome.stop) {
    auto sent = co_await channel.send_bytes(bytes);
    if (!sent) break;
  }
}

Task<> receive_bulk(wdc::PeerConnection& peer, Outcome& outcome) {
  auto channel = co_await peer.accept_data_channel();
  auto messages = channel->message_stream();
  while (auto message = co_await messages.next()) {
    if (message->bytes().front() != std::byte{0x5a}) std::abort();
    outcome.messages.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<> ping(wdc::DataChannel& channel, const Settings& settings, Outcome& outcome) {
  const std::vector<std::byte> bytes(settings.size, std::byte{0x5a});
  auto messages = channel.message_stream();
  while (!outcome.stop) {
    const auto start = Clock::now();
    auto sent = co_await channel.send_bytes(bytes);
    if (!sent) break;
    auto back = co_await messages.next();
    if (!back) break;
    outcome.round_trips.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    outcome.messages.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<> pong(wdc::PeerConnection& peer) {
  auto channel = co_await peer.accept_data_channel();
  auto messages = channel->message_stream();
  while (auto message = co_await messages.next()) {
    auto sent = co_await channel->send(std::move(*message));
    if (!sent) break;
  }
}

std::unique_ptr<wdc::native::NativeBackend> make_backend(const Settings& settings) {
  wdc::native::BackendOptions options;
  options.loopback = wdc::LoopbackCandidates::always;
  options.sockets.send = options.sockets.receive = settings.offload;
  if (settings.openssl) options.aead = wdc::dtls::make_openssl_aead_provider();
  return check("home", wdc::native::NativeBackend::make(std::move(options)));
}

double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

int run(const Settings& settings) {
  Side offerer;
  Side answerer;
  offerer.other = &answerer;
  answerer.other = &offerer;
  Outcome outcome;
  std::promise<void> answerer_ready;
  std::promise<void> open;
  const bool is_bulk = settings.kind == "bulk";

  std::thread far([&] {
    stay_on_core(1);
    wdc::EventLoop loop(make_backend(settings));
    answerer.loop = &loop;
    answerer.peer = check("connection", wdc::PeerConnection::create(loop));
    answerer.tell_candidates();
    auto task = wdc::spawn(loop, is_bulk ? receive_bulk(answerer.peer, outcome) : pong(answerer.peer));
    // Nothing is open yet, and a loop without anything to wait for ends.
    auto staying = wdc::spawn(loop, []() -> Task<> { co_await wdc::sleep_for(24h); }());
    answerer_ready.set_value();
    loop.run();
    answerer.tasks.clear();
    answerer.peer = {};
  });
  answerer_ready.get_future().wait();
  std::thread near([&] {
    stay_on_core(0);
    wdc::EventLoop loop(make_backend(settings));
    offerer.loop = &loop;
    offerer.peer = check("connection", wdc::PeerConnection::create(loop));
    offerer.tell_candidates();
    const auto start = Clock::now();
    auto channel = check("channel", offerer.peer.create_data_channel("bench"));
    auto task = wdc::spawn(loop,
                           [](Side& self, wdc::DataChannel& on, const Settings& set, Outcome& out,
                              std::promise<void>& opened, Clock::time_point began) -> Task<> {
                             auto offer = check("offer", co_await self.peer.set_local_description());
                             self.tell(offer);
                             check("open", co_await on.wait_open());
                             out.setup_ms = std::chrono::duration<double, std::milli>(Clock::now() - began).count();
                             opened.set_value();
                             if (set.kind == "bulk") {
                               co_await send_bulk(on, set, out);
                             } else {
                               co_await ping(on, set, out);
                             }
                             self.loop->stop();
                           }(offerer, channel, settings, outcome, open, start));
    loop.run();
    offerer.tasks.clear();
    channel.abort();
    offerer.peer.close();
    loop.poll();
  });
  open.get_future().wait();
  std::this_thread::sleep_for(300ms);  // slow start, and caches
  const auto before = outcome.messages.load();
  const double cpu_before = cpu_seconds();
  const auto start = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(settings.seconds));
  const auto messages = outcome.messages.load() - before;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double cpu = cpu_seconds() - cpu_before;
  outcome.stop = true;
  near.join();
  check("post", answerer.loop->post([&] { answerer.loop->stop(); }));
  far.join();
  const double bytes = static_cast<double>(messages) * static_cast<double>(settings.size);
  std::printf(
      "{\"bench\":\"native\",\"case\":\"wdc%s\",\"kind\":\"%s\",\"size\":%zu,\"MBps\":%.1f,\"msgs_per_s\":%.0f,"
      "\"cpu_s_per_GB\":%.3f,\"setup_wall_ms\":%.2f",
      settings.openssl ? "-openssl" : "", settings.kind.c_str(), settings.size, bytes / seconds / 1e6,
      static_cast<double>(messages) / seconds, cpu / bytes * 1e9, outcome.setup_ms);
  if (!is_bulk)
    std::printf(",\"p50_us\":%.1f,\"p99_us\":%.1f", quantile(outcome.round_trips, 0.5),
                quantile(outcome.round_trips, 0.99));
  std::printf("}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: peers_bench bulk|pingpong SIZE SECONDS [openssl] [segments|batches|single]\n");
    return 2;
  }
  Settings settings{
      .kind = argv[1], .size = std::strtoull(argv[2], nullptr, 10), .seconds = std::strtod(argv[3], nullptr)};
  for (int i = 4; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "openssl") settings.openssl = true;
    if (word == "batches") settings.offload = wdc::udp::Offload::batches;
    if (word == "single") settings.offload = wdc::udp::Offload::single;
  }
  return run(settings);
}

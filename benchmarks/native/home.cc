// SPDX-License-Identifier: MIT
#include "benchmarks/native/home.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace wdc::bench {

namespace {

void stay_on_core(unsigned core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core % std::max(1U, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// For the calling thread alone: sockets are of the namespace they were opened in.
void enter_namespace(const std::string& name) {
  const std::string path = "/var/run/netns/" + name;
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || setns(descriptor, CLONE_NEWNET) != 0) die(path, std::strerror(errno));
  close(descriptor);
}

std::unique_ptr<native::NativeBackend> make_backend(const HomeOptions& options) {
  native::BackendOptions made;
  if (options.network_namespace.empty())
    made.bind_address = udp::Address::parse("127.0.0.1", 0);
  else
    made.loopback = LoopbackCandidates::never;
  made.sockets.send = made.sockets.receive = options.offload;
  if (options.openssl) made.aead = dtls::make_openssl_aead_provider();
  return check("home", native::NativeBackend::make(std::move(made)));
}

}  // namespace

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void die(std::string_view what, std::string_view why) {
  std::fprintf(stderr, "peers_bench: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(why.size()), why.data());
  std::_Exit(1);  // other threads are in the midst of things
}

Home::Home(HomeOptions options) : options_(std::move(options)) {
  std::promise<void> ready;
  thread_ = std::thread([this, &ready] { run(ready); });
  ready.get_future().wait();
}

Home::~Home() {
  check("post", loop_->post([this] { loop_->stop(); }));
  thread_.join();
}

void Home::run(std::promise<void>& ready) {
  pthread_setname_np(pthread_self(), options_.name);
  stay_on_core(options_.core);
  if (!options_.network_namespace.empty()) enter_namespace(options_.network_namespace);
  auto backend = make_backend(options_);
  backend_ = backend.get();
  loop_ = std::make_unique<EventLoop>(std::move(backend));
  // A loop with nothing to wait for ends.
  auto staying = spawn(*loop_, []() -> Task<> { co_await sleep_for(std::chrono::hours(24)); }());
  ready.set_value();
  loop_->run();
  { const auto ended = std::move(staying); }
  loop_.reset();
}

double Home::cpu_seconds() {
  clockid_t clock{};
  timespec time{};
  if (pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 || clock_gettime(clock, &time) != 0)
    die("home", "its thread has no clock");
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void Home::call(std::function<void()> work) {
  std::promise<void> done;
  check("post", loop_->post([&] {
    work();
    done.set_value();
  }));
  done.get_future().wait();
}

}  // namespace wdc::bench

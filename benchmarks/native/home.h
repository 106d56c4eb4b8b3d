// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include "src/native/engine/native_backend.h"
#include "wdc/wdc.h"

namespace wdc::bench {

/// Of the whole process: all threads, user and system.
[[nodiscard]] double cpu_seconds();
/// Calls of malloc, calloc and realloc by the whole process, in C and C++ alike.
[[nodiscard]] std::uint64_t allocations();
/// Bytes that memcpy and memmove have copied for the whole process, in C and C++ alike.
[[nodiscard]] std::uint64_t copied_bytes();

[[noreturn]] void die(std::string_view what, std::string_view why);

/// The value, or the end of the program.
template <class T>
T check(std::string_view what, Result<T> result) {
  if (!result) die(what, result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
T check(std::string_view what, std::optional<T> value) {
  if (!value) die(what, "the other end has closed");
  return std::move(*value);
}

struct HomeOptions {
  /// The thread's, at most 15 characters: for profilers.
  const char* name = "home";
  unsigned core = 0;
  bool openssl = false;
  udp::Offload offload = udp::Offload::segments;
  /// Empty: loopback. Else one of /var/run/netns, with its own interfaces.
  std::string network_namespace{};
};

/// A thread that stays on a core, with a loop.
class Home {
 public:
  explicit Home(HomeOptions options);
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  ~Home();

  /// Of its thread, user and system. From any thread.
  [[nodiscard]] double cpu_seconds();

  /// Runs `work` on the thread, and waits for its end.
  void call(std::function<void()> work);

  // ---- for the thread alone, but for EventLoop::post().
  [[nodiscard]] EventLoop& loop() { return *loop_; }
  [[nodiscard]] native::NativeBackend& backend() { return *backend_; }

 private:
  void run(std::promise<void>& ready);

  HomeOptions options_;
  std::unique_ptr<EventLoop> loop_;
  native::NativeBackend* backend_ = nullptr;
  std::thread thread_;
};

}  // namespace wdc::bench

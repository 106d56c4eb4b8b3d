// SPDX-License-Identifier: MIT
// What tests/browser/endurance.test.mjs runs in a page: numbered 64-byte messages through one real channel, each
// checked when it arrives, and an allocator that knows how many bytes are in use.
#include <malloc.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <wdc/browser.h>
#include <wdc/wdc.h>

#define TEST_IMPORT(name) [[clang::import_module("test"), clang::import_name(#name)]] extern
#define TEST_EXPORT(name) [[clang::export_name(#name)]]

// The linker sends every call of malloc and free here (CMakeLists.txt).
extern "C" {
void* real_malloc(std::size_t size) __asm__("__real_malloc");
void real_free(void* memory) __asm__("__real_free");
void* counting_malloc(std::size_t size) __asm__("__wrap_malloc");
void counting_free(void* memory) __asm__("__wrap_free");
}

namespace {

std::uint64_t live_bytes = 0;

}  // namespace

extern "C" {

/// 0, or the number of the error that ended the run. Called once all that was asked for has arrived.
TEST_IMPORT(finished) void finished(std::int32_t error);

void* counting_malloc(std::size_t size) {
  void* memory = real_malloc(size);
  if (memory != nullptr) live_bytes += malloc_usable_size(memory);
  return memory;
}

void counting_free(void* memory) {
  if (memory != nullptr) live_bytes -= malloc_usable_size(memory);
  real_free(memory);
}
}

namespace {

constexpr std::size_t kWords = 8;  // 64 bytes
using Words = std::array<std::uint64_t, kWords>;

/// A message's number, then words that depend on it in every bit (the finaliser of splitmix64).
Words content_of(std::uint64_t number) {
  Words words;
  words[0] = number;
  for (std::size_t i = 1; i < kWords; ++i) {
    std::uint64_t mixed = number + i * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    words[i] = mixed ^ (mixed >> 31);
  }
  return words;
}

struct Run {
  wdc::DataChannel sender;
  wdc::DataChannel receiver;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;  // in their place and undamaged
  std::uint64_t wanted = 0;
  wdc::Spawned<void> reading;
  wdc::Spawned<void> sending;
};

std::unique_ptr<Run> run;

std::int32_t number_of(wdc::Errc code) { return static_cast<std::int32_t>(code); }

wdc::Task<void> read_all(Run& all) {
  auto messages = all.receiver.message_stream();
  while (auto message = co_await messages.next()) {
    const auto bytes = message->bytes();
    const auto expected = content_of(all.received);
    if (bytes.size() != sizeof(expected) || std::memcmp(bytes.data(), expected.data(), bytes.size()) != 0) {
      finished(number_of(wdc::Errc::invalid_state));
      co_return;
    }
    if (++all.received == all.wanted) finished(0);
  }
}

struct Slowness {
  std::size_t message_size;
  std::uint64_t messages;  // with those before
  std::chrono::milliseconds stall;
  double bytes_per_second;
};

/// Reads nothing for a while, then no faster than it is told.
wdc::Task<void> read_slowly(Run& all, Slowness slowness) {
  auto messages = all.receiver.message_stream();
  co_await wdc::sleep_for(slowness.stall);
  auto& loop = wdc::browser::instance_loop();
  const auto start = loop.now();
  const std::uint64_t first = all.received;
  for (std::uint64_t read = first; read < slowness.messages; ++read) {
    auto message = co_await messages.next();
    if (!message || message->size() != slowness.message_size || message->bytes()[0] != static_cast<std::byte>(read)) {
      finished(number_of(wdc::Errc::invalid_state));
      co_return;
    }
    ++all.received;
    const auto bytes = static_cast<double>((read + 1 - first) * slowness.message_size);
    const auto due =
        start + std::chrono::milliseconds(static_cast<std::int64_t>(1000 * bytes / slowness.bytes_per_second));
    if (due > loop.now())
      co_await wdc::sleep_for(std::chrono::duration_cast<std::chrono::milliseconds>(due - loop.now()));
  }
  finished(0);
}

wdc::Task<void> flood(Run& all, Slowness slowness) {
  std::vector<std::byte> message(slowness.message_size);
  for (; all.sent < slowness.messages; ++all.sent) {
    message[0] = static_cast<std::byte>(all.sent);
    const auto result = co_await all.sender.send_bytes(message);
    if (!result) {
      finished(number_of(result.error().code()));
      co_return;
    }
  }
}

wdc::Task<void> send_wanted(Run& all) {
  auto result = co_await all.sender.wait_open();
  while (result && all.sent < all.wanted) {
    const auto words = content_of(all.sent++);
    result = co_await all.sender.send_bytes(std::as_bytes(std::span(words)));
  }
  if (!result) finished(number_of(result.error().code()));
}

}  // namespace

extern "C" {

/// Takes both channels. 0, or the number of an error.
TEST_EXPORT(endurance_open) std::int32_t endurance_open(std::int32_t near, std::int32_t far) {
  auto& loop = wdc::browser::instance_loop();
  auto sender = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(near));
  auto receiver = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(far));
  if (!sender) return number_of(sender.error().code());
  if (!receiver) return number_of(receiver.error().code());
  run = std::make_unique<Run>();
  run->sender = std::move(*sender);
  run->receiver = std::move(*receiver);
  run->reading = wdc::spawn(loop, read_all(*run));
  return 0;
}

/// `count` more messages; test.finished follows.
TEST_EXPORT(endurance_send) void endurance_send(double count) {
  run->wanted += static_cast<std::uint64_t>(count);
  run->sending = wdc::spawn(wdc::browser::instance_loop(), send_wanted(*run));
}

/// As fast as it goes to a reader that stalls and is slow then; nothing else before or after it. test.finished follows.
TEST_EXPORT(endurance_flood)
void endurance_flood(std::size_t message_size, double messages, double stall_ms, double bytes_per_second) {
  const Slowness slowness{message_size, static_cast<std::uint64_t>(messages),
                          std::chrono::milliseconds(static_cast<std::int64_t>(stall_ms)), bytes_per_second};
  run->reading.cancel();
  run->reading = wdc::spawn(wdc::browser::instance_loop(), read_slowly(*run, slowness));
  run->sending = wdc::spawn(wdc::browser::instance_loop(), flood(*run, slowness));
}

TEST_EXPORT(endurance_sent) double endurance_sent() { return static_cast<double>(run->sent); }
TEST_EXPORT(endurance_received) double endurance_received() { return static_cast<double>(run->received); }
TEST_EXPORT(endurance_live_bytes) double endurance_live_bytes() { return static_cast<double>(live_bytes); }
TEST_EXPORT(endurance_close) void endurance_close() { run.reset(); }

}  // extern "C"

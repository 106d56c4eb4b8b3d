// SPDX-License-Identifier: MIT
// What tests/browser/endurance.test.mjs runs in a page: numbered 64-byte messages through one real channel, each
// checked when it arrives, and an allocator that knows how many bytes are in use.
#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

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

TEST_EXPORT(endurance_received) double endurance_received() { return static_cast<double>(run->received); }
TEST_EXPORT(endurance_live_bytes) double endurance_live_bytes() { return static_cast<double>(live_bytes); }
TEST_EXPORT(endurance_close) void endurance_close() { run.reset(); }

}  // extern "C"

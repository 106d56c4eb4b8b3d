// SPDX-License-Identifier: MIT
// A reader in C++ of a channel whose events the page feeds from memory. Driven by crossing.mjs.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "byte_sum.h"
#include "wdc/browser.h"
#include "wdc/wdc.h"

namespace {

struct Crossing {
  wdc::DataChannel channel;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  wdc::Spawned<void> reading;
};

std::vector<std::unique_ptr<Crossing>> crossings;

Crossing& at(std::int32_t number) { return *crossings[static_cast<std::size_t>(number)]; }

wdc::Task<void> read_every_byte(Crossing& all) {
  auto messages = all.channel.message_stream();
  while (auto message = co_await messages.next()) {
    ++all.messages;
    all.bytes += message->size();
    all.sum += bench::byte_sum(message->bytes());
  }
}

/// What the way into a coroutine costs by itself: the bytes are never fetched.
wdc::Task<void> read_sizes(Crossing& all) {
  auto messages = all.channel.message_stream();
  while (auto message = co_await messages.next()) {
    ++all.messages;
    all.bytes += message->size();
  }
}

}  // namespace

extern "C" {

/// A number for the reader, or minus that of an error. Takes the channel.
[[clang::export_name("crossing_open")]] std::int32_t crossing_open(std::int32_t channel, std::int32_t reads_bytes) {
  auto& loop = wdc::browser::instance_loop();
  auto adopted = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(channel));
  if (!adopted) return -static_cast<std::int32_t>(adopted.error().code());
  auto crossing = std::make_unique<Crossing>();
  crossing->channel = std::move(*adopted);
  crossing->reading = wdc::spawn(loop, reads_bytes != 0 ? read_every_byte(*crossing) : read_sizes(*crossing));
  crossings.push_back(std::move(crossing));
  return static_cast<std::int32_t>(crossings.size() - 1);
}

[[clang::export_name("crossing_messages")]] double crossing_messages(std::int32_t number) {
  return static_cast<double>(at(number).messages);
}
[[clang::export_name("crossing_sum")]] double crossing_sum(std::int32_t number) {
  return static_cast<double>(at(number).sum);
}

[[clang::export_name("crossing_close")]] void crossing_close(std::int32_t number) {
  crossings[static_cast<std::size_t>(number)].reset();
}

}  // extern "C"

// SPDX-License-Identifier: MIT
// C++ on both ends of a real channel: sends one message from linear memory over and over, and reads every byte of what
// arrives. Driven by cpp_transfer.mjs.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "byte_sum.h"
#include "wdc/browser.h"
#include "wdc/wdc.h"

extern "C" [[clang::import_module("bench"), clang::import_name("finished")]] void bench_finished(std::int32_t error);

namespace {

struct Transfer {
  wdc::DataChannel sender;
  wdc::DataChannel receiver;
  std::vector<std::byte> message;
  bool running = false;
  bool all_sent = false;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t received_sum = 0;
  wdc::Spawned<void> reading;
  wdc::Spawned<void> sending;

  // Exactly once a run: by whichever comes last.
  void tell_if_finished() {
    if (!all_sent || received != sent) return;
    all_sent = false;
    bench_finished(0);
  }
};

std::unique_ptr<Transfer> transfer;

wdc::Task<void> read_all(Transfer& all) {
  auto messages = all.receiver.message_stream();
  while (auto message = co_await messages.next()) {
    all.received_bytes += message->size();
    all.received_sum += bench::byte_sum(message->bytes());
    ++all.received;
    all.tell_if_finished();
  }
}

wdc::Task<void> send_until_stopped(Transfer& all) {
  auto result = co_await all.sender.wait_open();
  while (result && all.running) {
    result = co_await all.sender.send_bytes(all.message);
    if (result) ++all.sent;
  }
  if (!result) {
    bench_finished(static_cast<std::int32_t>(result.error().code()));
    co_return;
  }
  all.all_sent = true;
  all.tell_if_finished();
}

}  // namespace

extern "C" {

/// 0, or the number of an error. Takes both channels.
[[clang::export_name("bench_open")]] std::int32_t bench_open(std::int32_t near, std::int32_t far, std::size_t high,
                                                             std::size_t low, std::size_t size) {
  auto& loop = wdc::browser::instance_loop();
  wdc::FlowOptions flow;
  flow.send_high_water_mark = high;
  flow.send_low_water_mark = low;
  auto sender = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(near), flow);
  auto receiver = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(far));
  if (!sender) return static_cast<std::int32_t>(sender.error().code());
  if (!receiver) return static_cast<std::int32_t>(receiver.error().code());
  transfer = std::make_unique<Transfer>();
  transfer->sender = std::move(*sender);
  transfer->receiver = std::move(*receiver);
  transfer->message.resize(size);
  transfer->reading = wdc::spawn(loop, read_all(*transfer));
  return 0;
}

/// Where the page puts the message that is sent.
[[clang::export_name("bench_message")]] std::byte* bench_message() { return transfer->message.data(); }

/// Sends until bench_stop(); bench.finished is called once everything has arrived, or with the number of an error.
[[clang::export_name("bench_run")]] void bench_run() {
  transfer->running = true;
  transfer->sending = wdc::spawn(wdc::browser::instance_loop(), send_until_stopped(*transfer));
}

[[clang::export_name("bench_stop")]] void bench_stop() { transfer->running = false; }

[[clang::export_name("bench_sent")]] double bench_sent() { return static_cast<double>(transfer->sent); }
[[clang::export_name("bench_received")]] double bench_received() { return static_cast<double>(transfer->received); }
[[clang::export_name("bench_received_bytes")]] double bench_received_bytes() {
  return static_cast<double>(transfer->received_bytes);
}
[[clang::export_name("bench_received_sum")]] double bench_received_sum() {
  return static_cast<double>(transfer->received_sum);
}

[[clang::export_name("bench_close")]] void bench_close() { transfer.reset(); }

}  // extern "C"

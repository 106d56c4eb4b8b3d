// SPDX-License-Identifier: MIT
// Counts the words of every text that arrives, and answers with their number. Beside the library's doors to JavaScript
// it has three of its own: take_channel and words, which the page calls, and line, which the page provides.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <wdc/browser.h>
#include <wdc/wdc.h>

extern "C" [[clang::import_module("app"), clang::import_name("line")]] void app_line(const char* text,
                                                                                     std::size_t size);

namespace {

std::uint32_t all_words = 0;

void say(std::string_view text) { app_line(text.data(), text.size()); }

std::uint32_t words_in(std::string_view text) {
  std::uint32_t words = 0;
  bool inside = false;
  for (const char character : text) {
    const bool letter = character != ' ' && character != '\n';
    if (letter && !inside) ++words;
    inside = letter;
  }
  return words;
}

wdc::Task<> count(wdc::DataChannel channel) {
  auto messages = channel.message_stream();
  while (auto message = co_await messages.next()) {
    const auto words = words_in(message->as_text());
    all_words += words;
    if (auto sent = co_await channel.send_text(std::to_string(words)); !sent) co_return say(sent.error().message());
  }
  const auto end = messages.end_reason();
  say(end ? "closed" : end.error().message());
}

}  // namespace

/// Takes a channel that the host has adopted; 0, or minus the number of an error.
extern "C" [[clang::export_name("take_channel")]] std::int32_t take_channel(std::int32_t number) {
  auto& loop = wdc::browser::instance_loop();
  auto channel = wdc::browser::adopt(loop, static_cast<wdc::browser::HostChannel>(number));
  if (!channel) return -static_cast<std::int32_t>(channel.error().code());
  wdc::spawn(loop, count(std::move(*channel))).detach();
  return 0;
}

extern "C" [[clang::export_name("words")]] std::uint32_t words() { return all_words; }

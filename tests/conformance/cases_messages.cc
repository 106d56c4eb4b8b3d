// SPDX-License-Identifier: MIT
// What arrives is what was sent: sizes, kinds, text, limits, forwarding.
#include <algorithm>
#include <array>
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;
using wdc::Message;

constexpr std::size_t kLargest = 262'144;
constexpr std::uint32_t kSeed = 0xC0FFEE;

/// 0, 1, 2, around a packet's payload, 16 and 64 KiB, and the largest.
std::vector<std::size_t> all_sizes(const wdc::DataChannel& channel) {
  std::vector<std::size_t> sizes{0, 1, 2, 1'199, 1'200, 1'201, 16'384, 65'536};
  sizes.push_back(static_cast<std::size_t>(std::min<std::uint64_t>(channel.max_message_size(), kLargest)));
  return sizes;
}

std::string joined(const std::vector<std::size_t>& sizes) {
  std::string text;
  for (auto size : sizes) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

/// Every third message is text, the same rule as the far end's type=mixed.
bool is_text_by_rule(std::size_t index) { return index % 3 == 2; }

Message made_message(std::size_t size, std::uint32_t index, bool is_text) {
  if (is_text) return Message::text(pattern_text(size, kSeed, index));
  auto message = Message::with_size(size);
  fill_pattern(message.writable_bytes(), kSeed, index);
  return message;
}

/// How a message is not the one made for this place; empty if it is.
std::string unlike_made(const Message& message, std::size_t size, std::uint32_t index, bool is_text) {
  const auto name = [](bool text, std::size_t bytes) {
    return std::to_string(bytes) + " bytes of " + (text ? "text" : "binary");
  };
  const auto made = made_message(size, index, is_text);
  const auto got = message.bytes();
  const auto wanted = made.bytes();
  if (message.is_text() == is_text && std::ranges::equal(got, wanted)) return {};
  const auto first = std::ranges::mismatch(got, wanted).in1 - got.begin();
  std::string text = "message " + std::to_string(index) + ": " + name(message.is_text(), got.size()) + " where " +
                     name(is_text, size) + " belong, unlike from byte " + std::to_string(first) + " on";
  if (!message.is_text() && got.size() >= 4)
    text += "; its first word says message " + std::to_string(pattern_index(got, kSeed));
  return text;
}

enum class Kind : std::uint8_t { binary, text };

wdc::Task<void> every_size_goes(Test& t, Kind kind) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  const bool is_text = kind == Kind::text;
  auto channel =
      co_await create_channel(t, far, 1, Command().with("verify", kSeed).with("type", is_text ? "text" : "binary"));
  REQUIRE(channel);
  const auto sizes = all_sizes(channel);
  auto told = co_await far.ask(Command("watch").with("c", 1).with("sizes", joined(sizes)));
  REQUIRE(told.ok());
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    auto sent = co_await channel.send(made_message(sizes[i], i, is_text));
    REQUIRE_OK(sent);
    bytes += sizes[i];
  }
  auto report = co_await report_of(far, 1, sizes.size());
  CHECK_EQ(report.number("count"), sizes.size());
  CHECK_EQ(report.number("bytes"), bytes);
  CHECK_EQ(report.text("mismatch"), "");
  CHECK_EQ(channel.stats().messages_sent, sizes.size());
  CHECK_EQ(channel.stats().bytes_sent, bytes);
}
CASE("binary messages of every size go out whole") { co_await every_size_goes(t, Kind::binary); }
CASE("text messages of every size go out whole") { co_await every_size_goes(t, Kind::text); }

wdc::Task<void> every_size_comes(Test& t, Kind kind) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  const bool is_text = kind == Kind::text;
  auto channel = co_await accept_channel(t, far, 1);
  REQUIRE(channel);
  const auto sizes = all_sizes(channel);
  auto sending = co_await far.ask(Command("send")
                                      .with("c", 1)
                                      .with("count", sizes.size())
                                      .with("sizes", joined(sizes))
                                      .with("seed", kSeed)
                                      .with("type", is_text ? "text" : "binary"));
  REQUIRE(sending.ok());
  auto stream = channel.message_stream();
  for (std::uint32_t i = 0; i < sizes.size(); ++i) {
    t.step("message " + std::to_string(i));
    auto message = co_await stream.next();
    REQUIRE(message);
    CHECK_EQ(message->size(), sizes[i]);
    CHECK_EQ(unlike_made(*message, sizes[i], i, is_text), "");
  }
  CHECK_EQ(channel.stats().messages_received, sizes.size());
}
CASE("binary messages of every size come in whole") { co_await every_size_comes(t, Kind::binary); }
CASE("text messages of every size come in whole") { co_await every_size_comes(t, Kind::text); }

wdc::Task<void> mixed_both_ways(Test& t, bool ordered) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::uint32_t kCount = 1'000;
  constexpr std::array<std::size_t, 3> kSizes{200, 1'300, 64};
  wdc::DataChannelOptions options;
  options.ordered = ordered;
  Command watch;
  watch.with("verify", kSeed).with("sizes", "200,1300,64").with("type", "mixed");
  if (!ordered) watch.with("any_order", 1).with("type", "binary").with("sizes", "200");
  auto channel = co_await create_channel(t, far, 1, watch, options);
  REQUIRE(channel);
  Command send("send");
  send.with("c", 1).with("count", kCount).with("seed", kSeed);
  if (ordered)
    send.with("sizes", "200,1300,64").with("type", "mixed");
  else
    send.with("sizes", "200").with("type", "binary");
  auto sending = co_await far.ask(send);
  REQUIRE(sending.ok());
  auto stream = channel.message_stream();
  std::vector<bool> seen(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto size = ordered ? kSizes[i % 3] : kSizes[0];
    auto sent = co_await channel.send(made_message(size, i, ordered && is_text_by_rule(i)));
    REQUIRE_OK(sent);
    auto message = co_await stream.next();
    REQUIRE(message);
    const auto index = ordered ? i : pattern_index(message->bytes(), kSeed);
    REQUIRE(index < kCount && !seen[index]);
    seen[index] = true;
    if (!CHECK_EQ(unlike_made(*message, size, index, ordered && is_text_by_rule(index)), "")) co_return;
  }
  auto report = co_await report_of(far, 1, kCount);
  CHECK_EQ(report.number("count"), kCount);
  CHECK_EQ(report.text("mismatch"), "");
}
CASE("1000 messages each way at once, text and binary in turn, in order") { co_await mixed_both_ways(t, true); }
CASE("1000 messages each way at once over an unordered channel") { co_await mixed_both_ways(t, false); }

CASE("text with NUL and every length of UTF-8 arrives as it is") {
  using namespace std::string_view_literals;
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("echo", 1).with("keep", 1));
  REQUIRE(channel);
  static constexpr std::string_view kTexts[] = {
      "a\0b"sv,          "\0"sv, "\0\0\0"sv, "\u00e9\u20ac\U0001F600"sv, "\U0010FFFF\U00010000"sv, "\uFEFFbom"sv,
      "line\r\n\ttab"sv, ""sv};
  auto stream = channel.message_stream();
  for (auto text : kTexts) {
    auto sent = co_await channel.send_text(text);
    REQUIRE_OK(sent);
    auto seen = co_await far.ask(Command("take").with("c", 1));
    CHECK_EQ(seen.text("type"), "text");
    CHECK_EQ(seen.text("text"), text);
    auto back = co_await stream.next();
    REQUIRE(back);
    CHECK(back->is_text());
    CHECK_EQ(back->size(), text.size());
    CHECK_EQ(back->as_text(), text);
  }
}

CASE("text that is not UTF-8 is refused and the channel goes on") {
  using namespace std::string_view_literals;
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("keep", 1));
  REQUIRE(channel);
  // A lone continuation, one missing, an overlong NUL, a surrogate, beyond U+10FFFF, a byte that never occurs.
  static constexpr std::string_view kBroken[] = {"\x80"sv,     "ab\xC3(\x29"sv,      "\xC0\x80"sv, "\xED\xA0\x80"sv,
                                                 "\xE2\x82"sv, "\xF4\x90\x80\x80"sv, "\xFF"sv};
  for (auto text : kBroken) {
    CHECK_ERROR(channel.try_send_text(text), Errc::invalid_argument);
    auto sent = co_await channel.send_text(text);
    CHECK_ERROR(sent, Errc::invalid_argument);
    auto message = co_await channel.send(Message::text(text));
    CHECK_ERROR(message, Errc::invalid_argument);
  }
  auto good = co_await channel.send_text("good");
  REQUIRE_OK(good);
  auto seen = co_await far.ask(Command("take").with("c", 1));
  CHECK_EQ(seen.text("text"), "good");
  auto report = co_await report_of(far, 1, 1);
  CHECK_EQ(report.number("count"), 1);
}

CASE("empty messages of both kinds keep their kind") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("echo", 1).with("keep", 1));
  REQUIRE(channel);
  auto binary = co_await channel.send_bytes({});
  REQUIRE_OK(binary);
  auto text = co_await channel.send_text("");
  REQUIRE_OK(text);
  auto made = co_await channel.send(Message());
  REQUIRE_OK(made);
  auto stream = channel.message_stream();
  for (int i = 0; i < 3; ++i) {
    auto seen = co_await far.ask(Command("take").with("c", 1));
    CHECK_EQ(seen.text("type"), i == 1 ? "text" : "binary");
    CHECK_EQ(seen.number("size"), 0);
    auto back = co_await stream.next();
    REQUIRE(back);
    CHECK_EQ(back->is_text(), i == 1);
    CHECK(back->empty());
    CHECK_EQ(back->bytes().size(), 0);
  }
}

wdc::Task<void> limit_is_kept(Test& t, Offerer offerer) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::size_t kLimit = 100'000;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  wdc::DataChannelOptions options;
  options.negotiated = true;
  options.id = 0;
  auto channel = peer->create_data_channel("limited", options);
  REQUIRE_OK(channel);
  CHECK_EQ(channel->max_message_size(), 0);
  Command create("create");
  create.with("p", 1).with("c", 1).with("label", "limited").with("negotiated", 1).with("id", 0);
  auto created = co_await far.ask(create.with("verify", kSeed).with("sizes", kLimit).with("type", "binary"));
  REQUIRE(created.ok());
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, offerer, kLimit);
  REQUIRE(connected);
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  CHECK_EQ(channel->max_message_size(), kLimit);

  std::vector<std::byte> bytes(kLimit + 1);
  auto refused = co_await channel->send_bytes(bytes);
  CHECK_ERROR(refused, Errc::message_too_large);
  if (!refused) {
    CHECK_EQ(refused.error().value(), kLimit + 1);
    CHECK_EQ(refused.error().limit(), kLimit);
    CHECK(refused.error().message().find("100001") != std::string::npos);
    CHECK(refused.error().message().find("100000") != std::string::npos);
  }
  CHECK_ERROR(channel->try_send_bytes(bytes), Errc::message_too_large);
  auto message = co_await channel->send(Message::with_size(kLimit + 1));
  CHECK_ERROR(message, Errc::message_too_large);
  CHECK(channel->ready_state() == wdc::ReadyState::open);

  bytes.resize(kLimit);
  fill_pattern(bytes, kSeed, 0);
  auto sent = co_await channel->send_bytes(bytes);
  REQUIRE_OK(sent);
  auto report = co_await report_of(far, 1, 1);
  CHECK_EQ(report.number("bytes"), kLimit);
  CHECK_EQ(report.text("mismatch"), "");
}
CASE("the largest message passes, one byte more is message_too_large with both numbers (driver offers)") {
  co_await limit_is_kept(t, Offerer::driver);
}
CASE("the largest message passes, one byte more is message_too_large with both numbers (far end offers)") {
  co_await limit_is_kept(t, Offerer::far_end);
}

CASE("the connection's own largest message passes, one byte more does not") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1);
  REQUIRE(channel);
  while (channel.max_message_size() == 0) co_await wdc::sleep_for(1ms);  // framed: until the other side has said it
  const auto limit = channel.max_message_size();
  REQUIRE(limit >= 65'536);
  // Where the limit is a gigabyte there is no memory for one byte more.
  if (limit <= kLargest) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(limit) + 1);
    auto refused = co_await channel.send_bytes(bytes);
    CHECK_ERROR(refused, Errc::message_too_large);
    if (!refused) CHECK_EQ(refused.error().limit(), limit);
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(limit, std::uint64_t{4} << 20)));
  auto sent = co_await channel.send_bytes(bytes);
  REQUIRE_OK(sent);
  auto report = co_await report_of(far, 1, 1);
  CHECK_EQ(report.number("bytes"), bytes.size());
}

CASE("a received message is forwarded, looked at or not") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::uint32_t kCount = 300;
  constexpr std::array<std::size_t, 3> kSizes{5'000, 0, 70};
  auto from = co_await accept_channel(t, far, 1);
  REQUIRE(from);
  auto to = co_await create_channel(t, far, 2,
                                    Command().with("verify", kSeed).with("sizes", "5000,0,70").with("type", "mixed"));
  REQUIRE(to);
  auto sending = co_await far.ask(Command("send")
                                      .with("c", 1)
                                      .with("count", kCount)
                                      .with("sizes", "5000,0,70")
                                      .with("seed", kSeed)
                                      .with("type", "mixed"));
  REQUIRE(sending.ok());
  auto stream = from.message_stream();
  for (std::uint32_t i = 0; i < kCount; ++i) {
    auto message = co_await stream.next();
    REQUIRE(message);
    if (i % 2 == 1) CHECK_EQ(unlike_made(*message, kSizes[i % 3], i, is_text_by_rule(i)), "");
    auto sent = co_await to.send(std::move(*message));
    REQUIRE_OK(sent);
  }
  auto report = co_await report_of(far, 2, kCount);
  CHECK_EQ(report.number("count"), kCount);
  CHECK_EQ(report.text("mismatch"), "");
}

CASE("try_send of a received message forwards it, and gives it back when it cannot") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("keep", 1));
  REQUIRE(channel);
  auto said = co_await far.ask(Command("say").with("c", 1).with("text", "pass it on"));
  REQUIRE(said.ok());
  auto stream = channel.message_stream();
  auto message = co_await stream.next();
  REQUIRE(message);
  auto other = far.peer().create_data_channel("not open yet");
  REQUIRE_OK(other);
  CHECK_ERROR(other->try_send(std::move(*message)), Errc::not_open);
  CHECK_EQ(message->as_text(), "pass it on");
  CHECK_OK(channel.try_send(std::move(*message)));
  auto seen = co_await far.ask(Command("take").with("c", 1));
  CHECK_EQ(seen.text("text"), "pass it on");
}

CASE("a message outlives its stream, its channel and its connection") {
  wdc::Message kept;
  {
    auto session = co_await meet(t);
    REQUIRE(session);
    auto& far = *session;
    auto channel = co_await create_channel(t, far, 1);
    REQUIRE(channel);
    auto sending =
        co_await far.ask(Command("send").with("c", 1).with("count", 1).with("sizes", 3'000).with("seed", kSeed));
    REQUIRE(sending.ok());
    auto stream = channel.message_stream();
    auto message = co_await stream.next();
    REQUIRE(message);
    kept = std::move(*message);
  }
  CHECK_EQ(unlike_made(kept, 3'000, 0, false), "");
}

CASE("a caller may reuse its buffer as soon as send returned") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr std::uint32_t kCount = 400;
  wdc::DataChannelOptions options;
  options.flow.send_high_water_mark = 64 << 10;
  options.flow.send_low_water_mark = 16 << 10;
  auto channel = co_await create_channel(
      t, far, 1, Command().with("verify", kSeed).with("sizes", 16'000).with("type", "binary"), options);
  REQUIRE(channel);
  std::vector<std::byte> buffer(16'000);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    fill_pattern(buffer, kSeed, i);
    auto sent = co_await channel.send_bytes(buffer);
    REQUIRE_OK(sent);
  }
  CHECK(channel.stats().send_waits > 0);
  auto report = co_await report_of(far, 1, kCount);
  CHECK_EQ(report.number("count"), kCount);
  CHECK_EQ(report.text("mismatch"), "");
}

}  // namespace
}  // namespace conformance

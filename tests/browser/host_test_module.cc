// SPDX-License-Identifier: MIT
// What tests/browser/host.test.mjs runs in a page: C++ on both ends of real connections. Each scenario is a task; its
// end is told to the page by test.finished.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <wdc/browser.h>
#include <wdc/wdc.h>

#define TEST_IMPORT(name) [[clang::import_module("test"), clang::import_name(#name)]] extern
#define TEST_EXPORT(name) [[clang::export_name(#name)]]

extern "C" {
/// An empty text: all was well.
TEST_IMPORT(finished) void finished(std::int32_t scenario, const char* text, std::size_t size);
/// A suspended stack: gives its argument back once the page says so.
TEST_IMPORT(suspend) std::int32_t suspend(std::int32_t value);
}

namespace {

std::uint64_t allocations = 0;

std::size_t memory_pages() { return __builtin_wasm_memory_size(0); }

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) __builtin_trap();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace std::chrono_literals;
using wdc::Errc;
using wdc::Result;
using wdc::Task;

using Outcome = Result<void>;

std::unexpected<wdc::Error> wrong(std::string what) { return wdc::fail(Errc::invalid_state, std::move(what)); }

#define CHECK(condition) \
  if (!(condition)) co_return wrong("not true in line " + std::to_string(__LINE__) + ": " #condition)
#define TRY(expression)                    \
  if (auto&& tried = (expression); !tried) \
  co_return wrong("line " + std::to_string(__LINE__) + ": " + tried.error().message())

wdc::EventLoop& loop() { return wdc::browser::instance_loop(); }

// Two connections that trickle to each other.

Task<> trickle(wdc::PeerConnection& from, wdc::PeerConnection& to) {
  while (auto event = co_await from.next_negotiation_event()) {
    if (auto* candidate = std::get_if<wdc::IceCandidate>(&*event)) {
      if (auto added = co_await to.add_ice_candidate(std::move(*candidate)); !added) co_return;
    }
  }
}

struct Pair {
  wdc::PeerConnection a;
  wdc::PeerConnection b;
  wdc::DataChannel from_a;
  wdc::DataChannel from_b;
  wdc::Spawned<void> trickle_a;
  wdc::Spawned<void> trickle_b;
};

Task<Outcome> exchange_descriptions(Pair& pair) {
  auto offer = co_await pair.a.set_local_description();
  TRY(offer);
  CHECK(offer->type == wdc::SdpType::offer);
  TRY(co_await pair.b.set_remote_description(*offer));
  pair.trickle_a = wdc::spawn(loop(), trickle(pair.a, pair.b));
  auto answer = co_await pair.b.create_answer();
  TRY(answer);
  TRY(co_await pair.b.set_local_description(*answer));
  TRY(co_await pair.a.set_remote_description(*answer));
  pair.trickle_b = wdc::spawn(loop(), trickle(pair.b, pair.a));
  co_return Outcome();
}

Task<Outcome> connect(Pair& pair, wdc::DataChannelOptions options = {}) {
  auto a = wdc::PeerConnection::create(loop());
  TRY(a);
  auto b = wdc::PeerConnection::create(loop());
  TRY(b);
  pair.a = std::move(*a);
  pair.b = std::move(*b);
  auto channel = pair.a.create_data_channel(
      "pr\xc3\xbc"
      "fung",
      options);
  TRY(channel);
  pair.from_a = std::move(*channel);
  CHECK(pair.from_a.ready_state() == wdc::ReadyState::connecting);
  auto early = pair.from_a.try_send_text("early");
  CHECK(!early && early.error().code() == Errc::not_open);
  TRY(co_await exchange_descriptions(pair));
  auto incoming = co_await pair.b.accept_data_channel();
  CHECK(incoming.has_value());
  pair.from_b = std::move(*incoming);
  TRY(co_await pair.from_a.wait_open());
  TRY(co_await pair.from_b.wait_open());
  co_return Outcome();
}

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

bool same(std::span<const std::byte> left, std::span<const std::byte> right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

Task<Outcome> expect_bytes(wdc::MessageStream& stream, std::span<const std::byte> bytes) {
  auto message = co_await stream.next();
  CHECK(message.has_value());
  CHECK(!message->is_text());
  CHECK(message->size() == bytes.size());
  CHECK(same(message->bytes(), bytes));
  co_return Outcome();
}

Task<Outcome> expect_text(wdc::MessageStream& stream, std::string_view text) {
  auto message = co_await stream.next();
  CHECK(message.has_value());
  CHECK(message->is_text());
  CHECK(message->size() == text.size());
  CHECK(message->as_text() == text);
  co_return Outcome();
}

constexpr std::array<std::string_view, 4> kTexts = {std::string_view("plain"), std::string_view("nul \0 inside\0", 13),
                                                    std::string_view(""),
                                                    std::string_view("\xef\xbb\xbf"
                                                                     "bom, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80")};

Task<Outcome> send_all(wdc::DataChannel& channel) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{0}, std::size_t{4'096}, std::size_t{65'536}})
    TRY(co_await channel.send_bytes(pattern(size)));
  for (const auto text : kTexts) TRY(co_await channel.send_text(text));
  co_return Outcome();
}

Task<Outcome> expect_all(wdc::MessageStream& stream) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{0}, std::size_t{4'096}, std::size_t{65'536}})
    TRY(co_await expect_bytes(stream, pattern(size)));
  for (const auto text : kTexts) TRY(co_await expect_text(stream, text));
  co_return Outcome();
}

/// Sends everything back, untouched.
Task<Outcome> reflect(wdc::DataChannel& channel) {
  auto messages = channel.message_stream();
  while (auto message = co_await messages.next()) TRY(co_await channel.send(std::move(*message)));
  co_return messages.end_reason();
}

// Scenarios

Task<Outcome> exchange() {
  Pair pair;
  TRY(co_await connect(pair));
  CHECK(pair.from_b.label() ==
        "pr\xc3\xbc"
        "fung");
  CHECK(pair.from_a.id() && pair.from_a.id() == pair.from_b.id());
  CHECK(pair.from_b.max_message_size() >= 65'536);
  while (co_await pair.a.next_connection_state() != wdc::ConnectionState::connected) {
  }
  auto at_a = pair.from_a.message_stream();
  {
    auto at_b = pair.from_b.message_stream();
    TRY(co_await send_all(pair.from_a));
    TRY(co_await send_all(pair.from_b));
    TRY(co_await expect_all(at_b));
    TRY(co_await expect_all(at_a));
  }
  auto reflecting = wdc::spawn(loop(), reflect(pair.from_b));
  TRY(co_await send_all(pair.from_a));
  TRY(co_await expect_all(at_a));
  auto bad = pair.from_a.try_send_text("\xff\xfe");
  CHECK(!bad && bad.error().code() == Errc::invalid_argument);
  const auto limit = pair.from_a.max_message_size();
  auto large =
      co_await pair.from_a.send(wdc::Message::with_size(limit < 1'000'000 ? static_cast<std::size_t>(limit) + 1 : 1));
  CHECK(limit >= 1'000'000 ? large.has_value() : large.error().code() == Errc::message_too_large);
  TRY(co_await pair.from_a.close());
  TRY(co_await std::move(reflecting));
  auto late = pair.from_a.try_send_text("late");
  CHECK(!late && late.error().code() == Errc::closed);
  co_return Outcome();
}

Task<Outcome> close_delivers() {
  Pair pair;
  TRY(co_await connect(pair));
  constexpr std::size_t kMessages = 2'000;
  const auto bytes = pattern(1'024);
  for (std::size_t i = 0; i < kMessages; ++i) TRY(co_await pair.from_a.send_bytes(bytes));
  auto closing = pair.from_a.close();
  auto messages = pair.from_b.message_stream();
  std::size_t received = 0;
  while (auto message = co_await messages.next()) received += message->size() == bytes.size() ? 1 : 0;
  TRY(messages.end_reason());
  TRY(co_await std::move(closing));
  CHECK(received == kMessages);
  co_return Outcome();
}

Task<Outcome> options_arrive() {
  Pair pair;
  TRY(co_await connect(pair, {.ordered = false, .max_retransmits = 3, .protocol = "p\xc3\xb6"}));
  CHECK(!pair.from_b.ordered() && pair.from_b.max_retransmits() == 3 && !pair.from_b.max_packet_life_time());
  CHECK(pair.from_b.protocol() == "p\xc3\xb6" && !pair.from_b.negotiated());
  wdc::DataChannelOptions negotiated{.max_packet_life_time = 250ms, .negotiated = true, .id = 7};
  auto left = pair.a.create_data_channel("n", negotiated);
  auto right = pair.b.create_data_channel("n", negotiated);
  TRY(left);
  TRY(right);
  CHECK(left->max_packet_life_time() == 250ms && left->negotiated() && left->id() == 7);
  TRY(co_await left->wait_open());
  TRY(co_await right->wait_open());
  TRY(co_await right->send_text("over seven"));
  auto messages = left->message_stream();
  TRY(co_await expect_text(messages, "over seven"));
  auto twice = pair.a.create_data_channel("n", negotiated);
  CHECK(!twice && twice.error().code() == Errc::invalid_state);
  co_return Outcome();
}

Task<Outcome> closed_connection() {
  Pair pair;
  TRY(co_await connect(pair));
  auto at_b = pair.from_b.message_stream();
  pair.a.close();
  CHECK(pair.a.connection_state() == wdc::ConnectionState::closed);
  auto offer = co_await pair.a.create_offer();
  CHECK(!offer && offer.error().code() == Errc::connection_closed);
  auto sent = co_await pair.from_a.send_text("gone");
  CHECK(!sent && sent.error().code() == Errc::connection_closed);
  CHECK(!co_await at_b.next());
  // Firefox may not tell it from a clean close.
  auto reason = at_b.end_reason();
  CHECK(reason || reason.error().code() == Errc::connection_closed);
  co_return Outcome();
}

Task<Outcome> restart() {
  Pair pair;
  TRY(co_await connect(pair));
  pair.trickle_a.cancel();
  // What the first negotiation still has to say comes first.
  pair.a.restart_ice();
  while (auto event = co_await pair.a.next_negotiation_event())
    if (std::holds_alternative<wdc::NegotiationNeeded>(*event) &&
        pair.a.signaling_state() == wdc::SignalingState::stable)
      break;
  TRY(co_await exchange_descriptions(pair));
  auto messages = pair.from_b.message_stream();
  TRY(co_await pair.from_a.send_text("after the restart"));
  TRY(co_await expect_text(messages, "after the restart"));
  co_return Outcome();
}

Task<Outcome> refusals() {
  auto peer = wdc::PeerConnection::create(loop(), {.ice_servers = {{{"nonsense"}, "", ""}}});
  CHECK(!peer && peer.error().code() == Errc::invalid_argument);
  peer = wdc::PeerConnection::create(loop(), {.ice_servers = {{{"turn:127.0.0.1:3478"}, "user", "password"}},
                                              .ice_transport_policy = wdc::IceTransportPolicy::relay});
  TRY(peer);
  auto applied = co_await peer->set_remote_description({wdc::SdpType::offer, "no description"});
  CHECK(!applied && applied.error().code() == Errc::negotiation_failed && !applied.error().detail().empty());
  auto answer = co_await peer->create_answer();
  CHECK(!answer && answer.error().code() == Errc::negotiation_failed);
  auto channel = peer->create_data_channel("never opens");
  TRY(channel);
  auto opening = co_await wdc::with_timeout(channel->wait_open(), 20ms);
  CHECK(!opening && opening.error().code() == Errc::timed_out);
  TRY(co_await channel->close());
  co_return Outcome();
}

// 100,000 messages each way once warm: no operator new, no growth.

struct Volume {
  static constexpr std::uint64_t kWarm = 5'000;
  static constexpr std::uint64_t kMessages = 100'000;
  struct Direction {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t target = UINT64_MAX;
    std::uint64_t sum = 0;
  };
  std::array<Direction, 2> directions;
  bool measuring = false;
  std::uint64_t allocations_before = 0;
  std::size_t pages_before = 0;
  std::uint64_t allocations_made = UINT64_MAX;
  std::size_t pages_grown = SIZE_MAX;

  void received() {
    auto& [a, b] = directions;
    if (!measuring && a.received >= kWarm && b.received >= kWarm) {
      measuring = true;
      for (auto& direction : directions) direction.target = direction.sent + kMessages;
      allocations_before = allocations;
      pages_before = memory_pages();
    }
    if (a.received == a.target && b.received == b.target) {
      allocations_made = allocations - allocations_before;
      pages_grown = memory_pages() - pages_before;
    }
  }
};

Task<Outcome> send_volume(wdc::DataChannel& channel, Volume& volume, std::size_t which) {
  auto& direction = volume.directions[which];
  std::array<std::byte, 64> bytes{};
  while (direction.sent < direction.target) {
    // Counted first: the other direction may begin to measure while this one waits.
    bytes[0] = static_cast<std::byte>(++direction.sent);
    TRY(co_await channel.send_bytes(bytes));
  }
  co_return Outcome();
}

Task<Outcome> receive_volume(wdc::DataChannel& channel, Volume& volume, std::size_t which) {
  auto& direction = volume.directions[which];
  auto messages = channel.message_stream();
  while (direction.received < direction.target) {
    auto message = co_await messages.next();
    CHECK(message.has_value());
    CHECK(message->bytes()[0] == static_cast<std::byte>(++direction.received));
    volume.received();
  }
  co_return Outcome();
}

Task<Outcome> volume() {
  Pair pair;
  TRY(co_await connect(pair));
  auto counts = std::make_unique<Volume>();
  auto reading_a = wdc::spawn(loop(), receive_volume(pair.from_a, *counts, 1));
  auto reading_b = wdc::spawn(loop(), receive_volume(pair.from_b, *counts, 0));
  auto sending_a = wdc::spawn(loop(), send_volume(pair.from_a, *counts, 0));
  auto sending_b = wdc::spawn(loop(), send_volume(pair.from_b, *counts, 1));
  TRY(co_await std::move(sending_a));
  TRY(co_await std::move(sending_b));
  TRY(co_await std::move(reading_a));
  TRY(co_await std::move(reading_b));
  if (counts->allocations_made != 0) co_return wrong(std::to_string(counts->allocations_made) + " times operator new");
  if (counts->pages_grown != 0) co_return wrong("memory grew by " + std::to_string(counts->pages_grown) + " pages");
  co_return Outcome();
}

// A million awaits of each kind in this module's 256 KB of stack.

struct Ready {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::uint32_t await_resume() const noexcept { return 1; }
};

Task<std::uint32_t> one() { co_return 1; }

Task<Outcome> million_awaits() {
  constexpr std::uint32_t kAwaits = 1'000'000;
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < kAwaits; ++i) sum += co_await Ready{};
  for (std::uint32_t i = 0; i < kAwaits; ++i) sum += co_await one();
  for (std::uint32_t i = 0; i < kAwaits; ++i) sum += co_await wdc::spawn(loop(), one());
  CHECK(sum == 3 * kAwaits);
  co_return Outcome();
}

Task<Outcome> timers() {
  const auto start = loop().now();
  co_await wdc::sleep_for(30ms);
  CHECK(loop().now() - start >= 30ms);
  auto first = co_await wdc::when_any(wdc::sleep_for(10s), wdc::sleep_for(5ms));
  CHECK(first.index() == 1);
  // Two loops of one instance share the host's timer.
  wdc::EventLoop second;
  bool posted = false;
  TRY(second.post([&] { posted = true; }));
  auto slept = wdc::spawn(second, [](wdc::EventLoop& at) -> Task<bool> {
    co_await wdc::sleep_for(at, 5ms);
    co_return true;
  }(second));
  // Awaited here it would go on inside a pump of the second loop, which could not be destroyed then.
  while (!slept.done()) co_await wdc::sleep_for(1ms);
  CHECK(slept.take() && posted);
  co_return Outcome();
}

/// Tabs of one page meet by a BroadcastChannel, or over a server.
Task<Outcome> meet(std::string url, std::string room, bool closes) {
  auto connection = co_await wdc::connect(loop(), url, room, {.timeout = 20s});
  TRY(connection);
  auto messages = connection->channel.message_stream();
  TRY(co_await connection->channel.send_text("hello"));
  TRY(co_await expect_text(messages, "hello"));
  if (closes) {
    TRY(co_await connection->channel.close());
  } else {
    CHECK(!co_await messages.next());
    TRY(messages.end_reason());
  }
  co_return Outcome();
}

/// Echoes over a channel that JavaScript made, until it ends.
Task<Outcome> echo(wdc::DataChannel channel) {
  TRY(co_await channel.wait_open());
  auto messages = channel.message_stream();
  while (auto message = co_await messages.next()) TRY(co_await channel.send(std::move(*message)));
  if (auto reason = messages.end_reason(); !reason) co_return std::unexpected(reason.error());
  co_return Outcome();
}

Task<> report(std::int32_t scenario, Task<Outcome> task) {
  auto outcome = co_await std::move(task);
  const auto text = outcome ? std::string() : outcome.error().message();
  finished(scenario, text.data(), text.size());
}

void start(std::int32_t scenario, Task<Outcome> task) {
  wdc::spawn(loop(), report(scenario, std::move(task))).detach();
}

std::string take_text(std::int32_t slot, std::size_t size) {
  auto message = wdc::browser::message_from_slot(static_cast<wdc::browser::Slot>(slot), size, wdc::MessageType::text);
  return std::string(message.as_text());
}

wdc::DataChannel sender;

int overflow(int depth) {
  volatile char room[1'024] = {};
  room[depth % 1'024] = static_cast<char>(depth);
  return depth < 0 ? 0 : overflow(depth + 1) + room[0];
}

}  // namespace

extern "C" {

TEST_EXPORT(run_scenario) void run_scenario(std::int32_t scenario) {
  switch (scenario) {
    case 1:
      return start(scenario, exchange());
    case 2:
      return start(scenario, close_delivers());
    case 3:
      return start(scenario, options_arrive());
    case 4:
      return start(scenario, closed_connection());
    case 5:
      return start(scenario, restart());
    case 6:
      return start(scenario, refusals());
    case 7:
      return start(scenario, volume());
    case 8:
      return start(scenario, million_awaits());
    case 9:
      return start(scenario, timers());
    default:
      __builtin_trap();
  }
}

TEST_EXPORT(run_meeting)
void run_meeting(std::int32_t scenario, std::int32_t url, std::size_t url_size, std::int32_t room,
                 std::size_t room_size, std::int32_t closes) {
  start(scenario, meet(take_text(url, url_size), take_text(room, room_size), closes != 0));
}

/// 0, or minus an error's number.
TEST_EXPORT(adopt_echo) std::int32_t adopt_echo(std::int32_t scenario, std::int32_t channel) {
  auto adopted = wdc::browser::adopt(loop(), static_cast<wdc::browser::HostChannel>(channel));
  if (!adopted) return -static_cast<std::int32_t>(adopted.error().code());
  start(scenario, echo(std::move(*adopted)));
  return 0;
}

TEST_EXPORT(adopt_sender) std::int32_t adopt_sender(std::int32_t channel) {
  auto adopted = wdc::browser::adopt(loop(), static_cast<wdc::browser::HostChannel>(channel));
  if (!adopted) return -static_cast<std::int32_t>(adopted.error().code());
  sender = std::move(*adopted);
  return 0;
}

TEST_EXPORT(send_slot) std::int32_t send_slot(std::int32_t slot, std::size_t size, std::int32_t is_text) {
  auto message = wdc::browser::message_from_slot(static_cast<wdc::browser::Slot>(slot), size,
                                                 is_text != 0 ? wdc::MessageType::text : wdc::MessageType::binary);
  auto sent = sender.try_send(std::move(message));
  return sent ? 0 : -static_cast<std::int32_t>(sent.error().code());
}

TEST_EXPORT(drop_sender) void drop_sender() { sender = wdc::DataChannel(); }

TEST_EXPORT(trap) void trap() { __builtin_trap(); }
TEST_EXPORT(overflow_stack) int overflow_stack() { return overflow(0); }
TEST_EXPORT(suspend_stack) std::int32_t suspend_stack(std::int32_t value) { return suspend(value) + 1; }

}  // extern "C"

int main() { return 0; }

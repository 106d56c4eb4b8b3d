// SPDX-License-Identifier: MIT
// What emscripten.test.mjs runs in a page: both ends of a real connection, in one program, over the library that
// js/emscripten makes. It speaks the ABI of docs/wire/host.md directly, so that a compiler without C++23 can build it.
#include <emscripten.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "src/browser/host_imports.h"

namespace {

namespace host = wdc::browser::host;
using host::Context;
using host::Number;

constexpr char kText[] =
    "gr\xc3\xbc\xc3\x9f"
    "e";
constexpr std::size_t kLargeBytes = 100'000;
constexpr std::size_t kGrowth = 32u << 20;

/// The contexts that the host is given. Operations are numbered by their steps.
enum : Context { kPeerA = 1, kPeerB, kChannelA, kChannelB, kAdopted };
enum Step : std::uint32_t { kOffer = 1, kOfferApplied, kAnswer, kAnswerApplied, kCandidate };

struct Program {
  Number peer_a = 0;
  Number peer_b = 0;
  Number channel_a = 0;
  Number channel_b = 0;
  Number adopted = 0;
  int echoes = 0;
  int closed = 0;
  int pumps = 0;
  bool asleep = false;
  bool small = false;
  const char* failure = "";
  bool finished = false;
};
Program program;
constexpr std::size_t kLargestSmall = 64;
alignas(8) char small_place[kLargestSmall];

void check(bool condition, const char* what) {
  if (!condition && *program.failure == '\0') program.failure = what;
}

/// A slot's bytes in memory of our own.
struct Text {
  explicit Text(Number slot)
      : size(slot == 0 ? 0 : host::slot_size(slot)), data(static_cast<char*>(std::malloc(size + 1))) {
    if (slot != 0) host::slot_read(slot, data, size);
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { std::free(data); }
  std::size_t size;
  char* data;
};

Number& channel_of(Context context) {
  if (context == kChannelA) return program.channel_a;
  return context == kChannelB ? program.channel_b : program.adopted;
}

void fill(std::uint8_t* bytes) {
  for (std::size_t index = 0; index < kLargeBytes; ++index) bytes[index] = static_cast<std::uint8_t>(index * 7);
}

void send_all(Number channel) {
  check(host::channel_send_text(channel, kText, sizeof(kText) - 1) == 0, "text was refused");
  auto* bytes = static_cast<std::uint8_t*>(std::malloc(kLargeBytes));
  fill(bytes);
  check(host::channel_send_bytes(channel, bytes, 3) == 0, "bytes were refused");
  check(host::channel_send_bytes(channel, bytes, kLargeBytes) == 0, "many bytes were refused");
  std::free(bytes);
  check(host::channel_send_text(channel, "\xff", 1) == -3, "text that is not UTF-8 was taken");
}

void check_echo(const Text& message, bool is_text) {
  switch (program.echoes++) {
    case 0:
      check(is_text && message.size == sizeof(kText) - 1 && std::memcmp(message.data, kText, message.size) == 0,
            "text");
      return;
    case 1:
      check(!is_text && message.size == 3 && message.data[1] == 7, "bytes");
      return;
    default:
      check(program.small, "the small message came in a slot");
      auto* expected = static_cast<std::uint8_t*>(std::malloc(kLargeBytes));
      fill(expected);
      check(!is_text && message.size == kLargeBytes && std::memcmp(message.data, expected, kLargeBytes) == 0,
            "many bytes");
      std::free(expected);
      host::channel_close(program.channel_a);
  }
}

void event() { check(!program.asleep, "an event entered while the stack was suspended"); }

void release_all() {
  host::channel_release(program.channel_a);
  host::channel_release(program.channel_b);
  host::peer_release(program.peer_a);
  host::peer_release(program.peer_b);
  program.finished = true;
}

}  // namespace

extern "C" {

WDC_EXPORT(wdc_turn_end) void wdc_turn_end() {}
WDC_EXPORT(wdc_pump) void wdc_pump() {
  event();
  ++program.pumps;
}

WDC_EXPORT(wdc_channel_open) void wdc_channel_open(Context context) {
  event();
  if (context == kChannelA) send_all(program.channel_a);
}

WDC_EXPORT(wdc_channel_message)
const void* wdc_channel_message(Context context, Number slot, std::size_t size, std::int32_t is_text) {
  event();
  if (context == kChannelA) {
    const Text message(slot);
    check(message.size == size, "size");
    check_echo(message, is_text != 0);
    return nullptr;
  }
  // One echo out of C++'s memory, which has grown and perhaps moved; the others untouched.
  if (is_text != 0) {
    void* growth = std::malloc(kGrowth);
    check(growth != nullptr, "memory did not grow");
    const Text message(slot);
    check(host::channel_send_text(channel_of(context), message.data, message.size) == 0, "echo of text");
    std::free(growth);
  } else {
    check(host::channel_send_slot(channel_of(context), slot) == 0, "echo of bytes");
  }
  return small_place;
}

WDC_EXPORT(wdc_channel_small) const void* wdc_channel_small(Context context, std::size_t size) {
  event();
  check(context != kChannelA && size <= kLargestSmall, "a small message where none was wanted");
  program.small = true;
  check(host::channel_send_bytes(channel_of(context), small_place, size) == 0, "echo of a small message");
  return small_place;
}

WDC_EXPORT(wdc_channel_low) void wdc_channel_low(Context) { event(); }
WDC_EXPORT(wdc_channel_stalled) void wdc_channel_stalled(Context) { event(); }
WDC_EXPORT(wdc_channel_closing) void wdc_channel_closing(Context) { event(); }

WDC_EXPORT(wdc_channel_closed) void wdc_channel_closed(Context context, std::int32_t code, Number detail) {
  event();
  check(code == 0, "a channel broke");
  if (detail != 0) host::slot_free(detail);
  if (context == kAdopted) {
    host::channel_release(program.adopted);
    program.adopted = 0;
  } else if (++program.closed == 2) {
    release_all();
  }
}

WDC_EXPORT(wdc_peer_description)
void wdc_peer_description(Context, std::uint32_t step, std::int32_t code, std::int32_t type, Number slot) {
  event();
  check(code == 0, "no description");
  const Text sdp(slot);
  const bool offer = step == kOffer;
  host::peer_set_remote(offer ? program.peer_b : program.peer_a, offer ? kOfferApplied : kAnswerApplied, type, sdp.data,
                        sdp.size);
}

WDC_EXPORT(wdc_peer_applied)
void wdc_peer_applied(Context, std::uint32_t step, std::int32_t code, Number slot) {
  event();
  if (slot != 0) host::slot_free(slot);
  check(code == 0 || step == kCandidate, "a description was refused");
  if (step == kOfferApplied) host::peer_set_local_implicit(program.peer_b, kAnswer);
}

WDC_EXPORT(wdc_peer_negotiation_needed) void wdc_peer_negotiation_needed(Context) { event(); }

WDC_EXPORT(wdc_peer_candidate)
void wdc_peer_candidate(Context context, Number candidate, Number mid, std::int32_t line, Number fragment) {
  event();
  const Text text(candidate);
  const Text mid_text(mid);
  const Text fragment_text(fragment);
  host::peer_add_candidate(context == kPeerA ? program.peer_b : program.peer_a, kCandidate, text.data, text.size,
                           mid_text.data, mid == 0 ? host::kAbsent : mid_text.size, line, fragment_text.data,
                           fragment == 0 ? host::kAbsent : fragment_text.size);
}

WDC_EXPORT(wdc_peer_state) void wdc_peer_state(Context, std::int32_t, std::int32_t) { event(); }

WDC_EXPORT(wdc_peer_channel) void wdc_peer_channel(Context, Number channel) {
  event();
  program.channel_b = channel;
  host::channel_start(channel, kChannelB, kLargestSmall);
}

EMSCRIPTEN_KEEPALIVE void test_connect() {
  check(host::now() > 0, "now");
  host::request_pump();
  program.peer_a = host::peer_create(0);
  program.peer_b = host::peer_create(0);
  host::peer_start(program.peer_a, kPeerA);
  host::peer_start(program.peer_b, kPeerB);
  program.channel_a = host::peer_create_channel(program.peer_a, kText, sizeof(kText) - 1, "", 0, 1, 0, -1, -1, -1);
  host::channel_start(program.channel_a, kChannelA, 0);
  const Text label(host::channel_label(program.channel_a));
  check(label.size == sizeof(kText) - 1 && std::memcmp(label.data, kText, label.size) == 0, "label");
  host::peer_set_local_implicit(program.peer_a, kOffer);
}

/// Echoes until the channel is closed.
EMSCRIPTEN_KEEPALIVE void test_adopt(Number channel) {
  program.adopted = channel;
  host::channel_start(channel, kAdopted, 0);
}

EMSCRIPTEN_KEEPALIVE const char* test_failure() { return program.failure; }
EMSCRIPTEN_KEEPALIVE int test_finished() { return program.finished && program.adopted == 0 && program.pumps > 0; }
EMSCRIPTEN_KEEPALIVE int test_echoes() { return program.echoes; }

#if defined(TEST_ASYNCIFY)
/// Suspends the stack; no event may enter meanwhile.
EMSCRIPTEN_KEEPALIVE void test_sleep(int milliseconds) {
  program.asleep = true;
  emscripten_sleep(static_cast<unsigned>(milliseconds));
  program.asleep = false;
}
#endif

EMSCRIPTEN_KEEPALIVE void test_abort() { abort(); }

}  // extern "C"

int main() {
#if defined(TEST_ASYNCIFY)
  test_sleep(1);
#endif
  return 0;
}

// SPDX-License-Identifier: MIT
// What current.test.mjs runs in a page: the C++ library over Emscripten. Functions give an empty text if all was well.
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include <emscripten.h>
#include <emscripten/bind.h>
#include <wdc/emscripten.h>
#include <wdc/wdc.h>

#if defined(__EMSCRIPTEN_PTHREADS__)
#include <atomic>
#include <thread>
#endif

namespace {

using namespace std::chrono_literals;
using wdc::Result;
using wdc::Task;

constexpr int kMessages = 2'000;

wdc::EventLoop& loop() { return wdc::browser::instance_loop(); }

Task<> trickle(wdc::PeerConnection& from, wdc::PeerConnection& to) {
  while (auto event = co_await from.next_negotiation_event())
    if (auto* candidate = std::get_if<wdc::IceCandidate>(&*event))
      if (auto added = co_await to.add_ice_candidate(std::move(*candidate)); !added) co_return;
}

Task<Result<void>> echo(wdc::DataChannel& channel) {
  auto messages = channel.message_stream();
  while (auto message = co_await messages.next())
    if (auto sent = co_await channel.send(std::move(*message)); !sent) co_return sent;
  co_return messages.end_reason();
}

Task<Result<void>> negotiate(wdc::PeerConnection& a, wdc::PeerConnection& b) {
  auto offer = co_await a.set_local_description();
  if (!offer) co_return std::unexpected(offer.error());
  if (auto set = co_await b.set_remote_description(*offer); !set) co_return set;
  auto answer = co_await b.set_local_description();
  if (!answer) co_return std::unexpected(answer.error());
  co_return co_await a.set_remote_description(*answer);
}

Task<Result<void>> exchange() {
  auto a = wdc::PeerConnection::create(loop(), {});
  auto b = wdc::PeerConnection::create(loop(), {});
  if (!a || !b) co_return wdc::fail(wdc::Errc::unsupported);
  auto trickle_a = wdc::spawn(loop(), trickle(*a, *b));
  auto trickle_b = wdc::spawn(loop(), trickle(*b, *a));
  auto near = a->create_data_channel("exchange");
  if (!near) co_return std::unexpected(near.error());
  if (auto done = co_await negotiate(*a, *b); !done) co_return done;
  auto far = co_await b->accept_data_channel();
  if (!far) co_return wdc::fail(wdc::Errc::connection_closed);
  auto echoing = wdc::spawn(loop(), echo(*far));
  if (auto opened = co_await near->wait_open(); !opened) co_return opened;
  auto echoes = near->message_stream();
  for (int number = 0; number < kMessages; ++number) {
    const std::string text = std::to_string(number) + std::string(static_cast<std::size_t>(number), '.');
    if (auto sent = co_await near->send_text(text); !sent) co_return sent;
    if (number % 2 == 0) continue;
    for (int behind = number - 1; behind <= number; ++behind) {
      auto message = co_await echoes.next();
      if (!message || message->as_text().substr(0, std::to_string(behind).size()) != std::to_string(behind))
        co_return wdc::fail(wdc::Errc::transport_error, "another message came back");
    }
  }
  if (auto closed = co_await near->close(); !closed) co_return closed;
  co_return co_await std::move(echoing);
}

struct Run {
  bool finished = false;
  std::string outcome;
};
Run last;

Task<> watch(Task<Result<void>> task) {
  auto result = co_await std::move(task);
  last = {true, result ? "" : result.error().message()};
}

void start_exchange() {
  last = {};
  wdc::spawn(loop(), watch(exchange())).detach();
}

/// Memory grows, and every view of it goes.
void grow() { std::string(64u << 20, 'x').clear(); }

wdc::DataChannel adopted;

Task<Result<void>> echo_adopted() { co_return co_await echo(adopted); }

std::string adopt(emscripten::val channel, emscripten::val options) {
  auto result = wdc::from_js(loop(), channel, {}, options);
  if (!result) return result.error().message();
  adopted = std::move(*result);
  return "";
}

void start_echo() {
  last = {};
  wdc::spawn(loop(), watch(echo_adopted())).detach();
}

emscripten::val give_back() {
  auto channel = wdc::to_js(std::move(adopted));
  return channel ? *channel : emscripten::val(channel.error().message());
}

Task<Result<void>> sleep_a_while() {
  co_await wdc::sleep_for(20ms);
  co_return Result<void>{};
}

void start_sleep() {
  last = {};
  wdc::spawn(loop(), watch(sleep_a_while())).detach();
}

#if defined(TEST_EXCEPTIONS)
Task<int> throwing() {
  co_await wdc::sleep_for(1ms);
  throw std::runtime_error("thrown in a task");
  co_return 0;
}

Task<Result<void>> catching() {
  try {
    if (co_await throwing() == 0) co_return wdc::fail(wdc::Errc::invalid_state, "nothing was thrown");
  } catch (const std::runtime_error& error) {
    co_return std::string_view(error.what()) == "thrown in a task" ? Result<void>{}
                                                                   : wdc::fail(wdc::Errc::invalid_state);
  }
  co_return wdc::fail(wdc::Errc::invalid_state, "nothing was thrown");
}

void start_exceptions() {
  last = {};
  wdc::spawn(loop(), watch(catching())).detach();
}
#endif

#if defined(__EMSCRIPTEN_PTHREADS__)
/// Another thread posts, and is refused everything else.
void start_threads() {
  last = {};
  loop();
  std::thread([] {
    std::string outcome;
    auto peer = wdc::PeerConnection::create(loop(), {});
    if (peer || peer.error().code() != wdc::Errc::wrong_thread) outcome = "a connection on the wrong thread";
    auto sent = adopted.try_send_text("no");
    if (sent || sent.error().code() != wdc::Errc::wrong_thread) outcome = "a send on the wrong thread";
    auto posted = loop().post([outcome] {
      auto sent_here = adopted.try_send_text("posted");
      last = {true, sent_here ? outcome : sent_here.error().message()};
    });
    if (!posted) last = {true, posted.error().message()};
  }).detach();
}
#endif

#if defined(TEST_SUSPEND)
bool asleep = false;
/// Suspends the stack of its caller.
void sleep_suspended(int milliseconds) {
  asleep = true;
  emscripten_sleep(static_cast<unsigned>(milliseconds));
  asleep = false;
}
#endif

bool finished() { return last.finished; }
std::string outcome() { return last.outcome; }

}  // namespace

#if defined(TEST_SUSPEND)
// Not of embind, whose functions wait while Asyncify suspends the stack.
extern "C" EMSCRIPTEN_KEEPALIVE int test_is_asleep() { return asleep ? 1 : 0; }
#endif

EMSCRIPTEN_BINDINGS(current) {
  emscripten::function("startExchange", &start_exchange);
  emscripten::function("startSleep", &start_sleep);
  emscripten::function("grow", &grow);
  emscripten::function("adopt", &adopt);
  emscripten::function("startEcho", &start_echo);
  emscripten::function("giveBack", &give_back);
  emscripten::function("finished", &finished);
  emscripten::function("outcome", &outcome);
#if defined(TEST_EXCEPTIONS)
  emscripten::function("startExceptions", &start_exceptions);
#endif
#if defined(__EMSCRIPTEN_PTHREADS__)
  emscripten::function("startThreads", &start_threads);
#endif
#if defined(TEST_SUSPEND)
  emscripten::function("sleepSuspended", &sleep_suspended, emscripten::async());
#endif
}

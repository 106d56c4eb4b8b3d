// SPDX-License-Identifier: MIT
// What every case is written with: registration, checks, and the doors to whoever runs the suite.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "wdc/wdc.h"

namespace conformance {

using namespace std::chrono_literals;

/// The home that runs the suite; main_*.cc implements it.
class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  virtual void write_line(std::string_view line) = 0;
  /// Asks whoever started the suite for something that only it can do ("freeze", "thaw", "kill page", "kill",
  /// "restart"); done() says when it is.
  virtual void request(std::string_view what) = 0;
  [[nodiscard]] virtual bool request_done() const = 0;

 protected:
  ~Runner() = default;
};

struct Settings {
  std::string url;      ///< of the signaling server, ws://host:port/ws
  std::string room;     ///< how the names of rooms begin; the far end waits in ROOM-0, ROOM-1, ... one after the other
  bool framed = false;  ///< channels that say no protocol of their own speak framed mode
};

[[nodiscard]] inline std::string show(std::string_view value) {
  constexpr std::size_t kShown = 80;
  return '"' + std::string(value.substr(0, kShown)) + (value.size() > kShown ? "...\"" : "\"");
}
[[nodiscard]] inline std::string show(bool value) { return value ? "true" : "false"; }
template <std::integral T>
[[nodiscard]] std::string show(T value) {
  return std::to_string(value);
}
[[nodiscard]] inline std::string show(std::chrono::milliseconds value) { return std::to_string(value.count()) + " ms"; }
template <class T>
requires requires(T value) { wdc::name(value); }
[[nodiscard]] std::string show(T value) { return std::string(wdc::name(value)); }
template <class T>
[[nodiscard]] std::string show(const std::optional<T>& value) {
  return value ? show(*value) : "nothing";
}

/// One run of one case.
class Test {
 public:
  Test(wdc::EventLoop& event_loop, Runner& home, Settings run_settings)
      : loop(event_loop), runner(home), settings(std::move(run_settings)) {}

  /// Where the case is, for the report of one that hangs.
  void step(std::string_view name) { step_ = name; }
  [[nodiscard]] const std::string& current_step() const { return step_; }

  void fail(std::string_view what, std::source_location where = std::source_location::current());
  bool check(bool passed, std::string_view what, std::source_location where = std::source_location::current()) {
    if (!passed) fail(what, where);
    return passed;
  }
  bool check_equal(std::string_view actual, std::string_view expected, std::string_view what,
                   std::source_location where = std::source_location::current()) {
    if (actual != expected) fail(std::string(what) + ": " + show(actual) + ", expected " + show(expected), where);
    return actual == expected;
  }
  template <class A, class B>
  requires(!std::convertible_to<const A&, std::string_view>) bool check_equal(
      const A& actual, const B& expected, std::string_view what,
      std::source_location where = std::source_location::current()) {
    bool equal;
    if constexpr (std::integral<A> && std::integral<B> && !std::same_as<A, bool> && !std::same_as<B, bool>)
      equal = std::cmp_equal(actual, expected);
    else
      equal = actual == expected;
    if (!equal) fail(std::string(what) + ": " + show(actual) + ", expected " + show(expected), where);
    return equal;
  }
  template <class T>
  bool check_ok(const wdc::Result<T>& result, std::string_view what,
                std::source_location where = std::source_location::current()) {
    if (!result) fail(std::string(what) + ": " + result.error().message(), where);
    return result.has_value();
  }
  template <class T>
  bool check_error(const wdc::Result<T>& result, wdc::Errc expected, std::string_view what,
                   std::source_location where = std::source_location::current()) {
    if (!result && result.error().code() == expected) return true;
    fail(std::string(what) + ": " + (result ? std::string("success") : result.error().message()) + ", expected " +
             std::string(wdc::name(expected)),
         where);
    return false;
  }
  [[nodiscard]] bool failed() const { return !failures_.empty(); }
  [[nodiscard]] const std::string& failures() const { return failures_; }

  wdc::EventLoop& loop;
  Runner& runner;
  Settings settings;

 private:
  std::string failures_;
  std::string step_;
};

#define CHECK(condition) t.check(static_cast<bool>(condition), #condition)
#define CHECK_EQ(actual, expected) t.check_equal((actual), (expected), #actual)
#define CHECK_OK(result) t.check_ok((result), #result)
#define CHECK_ERROR(result, errc) t.check_error((result), (errc), #result)
// The same, and the case ends if it fails.
#define REQUIRE(condition) \
  if (!CHECK(condition)) co_return
#define REQUIRE_OK(result) \
  if (!CHECK_OK(result)) co_return

/// A case registers itself before main.
struct Case {
  using Body = wdc::Task<void> (*)(Test&);
  Case(const char* case_name, Body case_body, std::chrono::milliseconds case_limit, bool only_under_stress);

  const char* name;
  Body body;
  std::chrono::milliseconds limit;
  bool stress;  ///< takes minutes: run only when asked for
  Case* next = nullptr;
};

#define CONFORMANCE_JOIN_(a, b) a##b
#define CONFORMANCE_JOIN(a, b) CONFORMANCE_JOIN_(a, b)
#define CONFORMANCE_CASE(name, limit, stress)                                                                        \
  static wdc::Task<void> CONFORMANCE_JOIN(case_, __LINE__)(Test & t);                                                \
  static const Case CONFORMANCE_JOIN(registered_, __LINE__)(name, CONFORMANCE_JOIN(case_, __LINE__), limit, stress); \
  static wdc::Task<void> CONFORMANCE_JOIN(case_, __LINE__)([[maybe_unused]] Test & t)
/// CASE("what it shows") { body of a Task<void> with `Test& t` }
#define CASE(name) CONFORMANCE_CASE(name, 20s, false)
#define SLOW_CASE(name, limit) CONFORMANCE_CASE(name, limit, false)
#define STRESS_CASE(name, limit) CONFORMANCE_CASE(name, limit, true)

[[nodiscard]] std::size_t case_count();
[[nodiscard]] const Case& case_at(std::size_t index);

/// Runs one case and writes its line: "case<TAB>passed|failed<TAB>milliseconds<TAB>name<TAB>detail".
[[nodiscard]] wdc::Task<void> run_case(const Case& test_case, wdc::EventLoop& loop, Runner& runner, Settings settings);

/// Looks at `condition` every 2 ms until it holds; false after `limit`.
template <class F>
wdc::Task<bool> until(wdc::EventLoop& loop, F condition, std::chrono::milliseconds limit = 10s) {
  const auto deadline = loop.now() + limit;
  while (!condition()) {
    if (loop.now() > deadline) co_return false;
    co_await wdc::sleep_for(2ms);
  }
  co_return true;
}

[[nodiscard]] inline std::chrono::milliseconds elapsed(wdc::EventLoop& loop, wdc::TimePoint since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(loop.now() - since);
}

}  // namespace conformance

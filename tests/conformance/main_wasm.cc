// SPDX-License-Identifier: MIT
// The suite in a browser: the page starts one case at a time and looks at what is left behind (tests/browser).
#include <optional>
#include <string>
#include <string_view>

#include "allocation_counter.h"
#include "far_end.h"
#include "suite.h"
#include "wdc/browser.h"

[[clang::import_module("conformance"), clang::import_name("line")]] void import_line(const char* text,
                                                                                     std::size_t size);
[[clang::import_module("conformance"), clang::import_name("request")]] void import_request(const char* text,
                                                                                           std::size_t size);

namespace {

using conformance::Settings;

class PageRunner final : public conformance::Runner {
 public:
  void write_line(std::string_view line) override { import_line(line.data(), line.size()); }
  void request(std::string_view what) override {
    waiting_ = true;
    import_request(what.data(), what.size());
  }
  [[nodiscard]] bool request_done() const override { return !waiting_; }
  void answer() { waiting_ = false; }

 private:
  bool waiting_ = false;
};

PageRunner runner;
std::string argument;
wdc::Spawned<void> running;

}  // namespace

/// Room for the text of the next call: "url\nroom", and "\nframed" if the channels shall speak framed mode.
[[clang::export_name("conformance_argument")]] char* conformance_argument(std::size_t size) {
  argument.resize(size);
  return argument.data();
}

[[clang::export_name("conformance_count")]] std::size_t conformance_count() { return conformance::case_count(); }

/// Writes "listed<TAB>stress<TAB>name".
[[clang::export_name("conformance_list")]] void conformance_list(std::size_t index) {
  const auto& test_case = conformance::case_at(index);
  runner.write_line(std::string("listed\t") + (test_case.stress ? "1" : "0") + '\t' + test_case.name);
}

[[clang::export_name("conformance_start")]] void conformance_start(std::size_t index) {
  constexpr std::string_view kFramed = "\nframed";
  const bool framed = argument.ends_with(kFramed);
  if (framed) argument.resize(argument.size() - kFramed.size());
  const auto newline = argument.find('\n');
  Settings settings{argument.substr(0, newline), argument.substr(newline + 1), framed};
  argument = std::string();
  auto& loop = wdc::browser::instance_loop();
  running = wdc::spawn(loop, conformance::run_case(conformance::case_at(index), loop, runner, std::move(settings)));
}

/// After the case's line, from outside of it: frees its frames.
[[clang::export_name("conformance_finish")]] void conformance_finish() { running.cancel(); }

/// A request was carried out.
[[clang::export_name("conformance_answer")]] void conformance_answer() { runner.answer(); }

[[clang::export_name("conformance_meetings")]] std::uint32_t conformance_meetings() { return conformance::meetings(); }

[[clang::export_name("conformance_live_allocations")]] std::int32_t conformance_live_allocations() {
  return static_cast<std::int32_t>(conformance::live_allocations());
}

// SPDX-License-Identifier: MIT
// The suite in a native program; "shared": all its connections are on one UDP port. usage: conformance_native URL ROOM
// [framed] [shared], then commands on the input, one a line:
//   list        writes "listed<TAB>stress<TAB>name" for each case, then "end"
//   meetings    writes "meetings<TAB>number"
//   run INDEX   writes the case's line, then "after<TAB>live allocations". Before the case's line there may be
//               "request<TAB>what", which is answered by "done"
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "allocation_counter.h"
#include "far_end.h"
#include "suite.h"
#include "wdc/native.h"

namespace {

/// The loop stands still while a request is carried out.
class ProgramRunner final : public conformance::Runner {
 public:
  void write_line(std::string_view line) override {
    std::cout << line << std::endl;  // whoever reads waits for it
  }
  void request(std::string_view what) override {
    std::string line = "request\t" + std::string(what);
    if (what == "restart") line += ' ' + std::to_string(conformance::meetings());  // the room to sit in
    write_line(line);
    std::string answer;
    if (!std::getline(std::cin, answer) || answer != "done") std::exit(1);
  }
  [[nodiscard]] bool request_done() const override { return true; }
};

wdc::Task<> run_and_stop(std::size_t index, wdc::EventLoop& loop, ProgramRunner& runner,
                         conformance::Settings settings) {
  auto running = conformance::run_case(conformance::case_at(index), loop, runner, std::move(settings));
  co_await std::move(running);
  loop.stop();
}

/// What goes away by itself, like a farewell to the server, is given up to a second for it.
void settle(wdc::EventLoop& loop, std::int64_t live_before) {
  const auto deadline = loop.now() + std::chrono::seconds(1);
  while (conformance::live_allocations() > live_before && loop.now() < deadline) {
    auto waiting = wdc::spawn(loop, [](wdc::EventLoop& on) -> wdc::Task<> {
      co_await wdc::sleep_for(std::chrono::milliseconds(2));
      on.stop();
    }(loop));
    loop.run();
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool framed = false;
  wdc::NativeOptions options;
  bool is_understood = argc >= 3;
  for (const std::string_view word : std::span(argv + std::min(argc, 3), argv + argc)) {
    if (word == "framed")
      framed = true;
    else if (word == "shared")
      options.port_use = wdc::PortUse::shared;
    else
      is_understood = false;
  }
  if (!is_understood) {
    std::cerr << "usage: conformance_native URL ROOM [framed] [shared]\n";
    return 2;
  }
  const auto own_loop = wdc::make_native_loop(options).value();
  auto& loop = *own_loop;
  ProgramRunner runner;
  std::string command;
  std::int64_t live_before = 0;
  while (std::getline(std::cin, command)) {
    if (command == "list") {
      for (std::size_t i = 0; i < conformance::case_count(); ++i) {
        const auto& test_case = conformance::case_at(i);
        runner.write_line(std::string("listed\t") + (test_case.stress ? "1" : "0") + '\t' + test_case.name);
      }
      runner.write_line("end");
    } else if (command == "meetings") {
      runner.write_line("meetings\t" + std::to_string(conformance::meetings()));
    } else if (command.starts_with("run ")) {
      {
        auto running =
            wdc::spawn(loop, run_and_stop(std::stoul(command.substr(4)), loop, runner, {argv[1], argv[2], framed}));
        loop.run();
      }
      settle(loop, live_before);
      live_before = conformance::live_allocations();
      runner.write_line("after\t" + std::to_string(live_before));
    } else {
      std::cerr << "nobody can " << command << '\n';
      return 2;
    }
  }
  return 0;
}

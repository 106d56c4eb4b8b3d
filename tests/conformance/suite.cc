// SPDX-License-Identifier: MIT
#include "suite.h"

namespace conformance {

namespace {

// Plain pointers: constructors of other files run before or after this one's.
Case* first_case = nullptr;
Case** last_link = &first_case;

/// One line, whatever a message holds.
std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return line;
}

}  // namespace

Case::Case(const char* case_name, Body case_body, std::chrono::milliseconds case_limit, bool only_under_stress)
    : name(case_name), body(case_body), limit(case_limit), stress(only_under_stress) {
  *last_link = this;
  last_link = &next;
}

std::size_t case_count() {
  std::size_t count = 0;
  for (const Case* it = first_case; it != nullptr; it = it->next) ++count;
  return count;
}

const Case& case_at(std::size_t index) {
  const Case* it = first_case;
  while (index-- > 0) it = it->next;
  return *it;
}

void Test::fail(std::string_view what, std::source_location where) {
  std::string_view file = where.file_name();
  file.remove_prefix(file.find_last_of('/') + 1);
  if (!failures_.empty()) failures_ += "; ";
  failures_ += std::string(file) + ':' + std::to_string(where.line()) + ": " + std::string(what);
}

wdc::Task<void> run_case(const Case& test_case, wdc::EventLoop& loop, Runner& runner, Settings settings) {
  const auto start = loop.now();
  Test test(loop, runner, std::move(settings));
  {
    auto ended = co_await wdc::with_timeout(test_case.body(test), test_case.limit);
    if (!ended) test.fail("did not end in " + show(test_case.limit) + ", at: " + test.current_step());
  }
  runner.write_line(std::string("case\t") + (test.failed() ? "failed" : "passed") + '\t' +
                    std::to_string(elapsed(loop, start).count()) + '\t' + test_case.name + '\t' +
                    on_one_line(test.failures()));
}

}  // namespace conformance

// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace wdc::server {

/// The whole program, from its command line to its exit status; docs/server.md. `name` is what it calls itself.
int run_program(std::string_view name, int argc, const char* const* argv);

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#pragma once

namespace wdc::server {

/// The whole program, from its command line to its exit status; docs/server.md.
int run_program(int argc, const char* const* argv);

}  // namespace wdc::server

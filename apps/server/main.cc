// SPDX-License-Identifier: MIT
#include "apps/server/program.h"

int main(int argc, char** argv) { return wdc::server::run_program("wdc_server", argc, argv); }

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows check_layers.py a small tree with one wrong file at a time: it must name that file, and nothing in the right tree."""

import os
import sys
import tempfile

import check_layers

SPDX = "// SPDX-License-Identifier: MIT\n"
HEADER = SPDX + "#pragma once\n"

RIGHT = {
    "include/wdc/error.h": HEADER + "#include <expected>\n#include <chrono>\n",
    "include/wdc/message.h": HEADER + '#include "wdc/error.h"\n',
    "src/core/channel.h": HEADER + "#include <wdc/message.h>\n// std::chrono::steady_clock::now() is the home's\n",
    "src/core/channel_test.cc": SPDX + '#include <thread>\n#include "src/core/channel.h"\n#include "tests/support/pair.h"\n',
    "src/browser/backend.cc": SPDX + '#include "src/core/channel.h"\n',
    "src/native/engine.cc": SPDX + '#include "src/native/sctp/rx/queue.h"\n#include "src/native/dtls/record.h"\n',
    "src/native/sctp/rx/queue.h": HEADER + '#include "src/native/sctp/packet/chunk.h"\n',
    "src/native/sctp/tx/queue.h": HEADER + '#include "src/native/sctp/packet/chunk.h"\n',
    "src/native/sctp/packet/chunk.h": HEADER,
    "src/native/dtls/record.h": HEADER + "#include <openssl/ssl.h>\n",
    "src/native/udp/socket.cc": SPDX + "#include <sys/socket.h>\n",
    "tests/support/pair.h": HEADER + "#include <thread>\n",
    "apps/web/transfer.cc": SPDX + '#include "wdc/message.h"\n',
}

WRONG = {
    "a public header includes the core": ("include/wdc/task.h", HEADER + '#include "src/core/channel.h"\n'),
    "the core includes the browser": ("src/core/x.cc", SPDX + '#include "src/browser/backend.cc"\n'),
    "the core includes it by a relative path": ("src/core/x.cc", SPDX + '#include "../browser/backend.cc"\n'),
    "the browser includes native": ("src/browser/x.cc", SPDX + '#include "src/native/dtls/record.h"\n'),
    "native includes the browser": ("src/native/x.cc", SPDX + '#include "src/browser/backend.cc"\n'),
    "the core includes a test's header": ("src/core/x.cc", SPDX + '#include "tests/support/pair.h"\n'),
    "an app looks behind the public headers": ("apps/web/x.cc", SPDX + '#include "src/core/channel.h"\n'),
    "the core starts threads": ("src/core/x.cc", SPDX + "#include <thread>\n"),
    "the core opens sockets": ("src/core/x.cc", SPDX + "#include <sys/socket.h>\n"),
    "the core rolls dice": ("src/core/x.cc", SPDX + "#include <random>\n"),
    "the core reads the clock": ("src/core/x.cc", SPDX + "auto t = std::chrono::steady_clock::now();\n"),
    "sctp reads the clock": ("src/native/sctp/x.cc", SPDX + "#include <time.h>\n"),
    "the core calls JavaScript": ("src/core/x.cc", SPDX + "[[clang::import_name(\"x\")]] void x();\n"),
    "sctp includes dtls": ("src/native/sctp/x.cc", SPDX + '#include "src/native/dtls/record.h"\n'),
    "rx includes tx": ("src/native/sctp/rx/x.cc", SPDX + '#include "src/native/sctp/tx/queue.h"\n'),
    "tx includes rx": ("src/native/sctp/tx/x.cc", SPDX + '#include "../rx/queue.h"\n'),
    "a source without its licence line": ("js/src/x.ts", "export {};\n"),
    "a header without its guard": ("src/core/x.h", SPDX),
}


def broken_files(tree):
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        lines = []
        check_layers.check(root, lines.append)
        return lines


def main():
    failures = []
    if broken_files(RIGHT):
        failures.append(f"the right tree is called wrong: {broken_files(RIGHT)}")
    for what, (path, text) in WRONG.items():
        lines = broken_files({**RIGHT, path: text})
        if len(lines) != 1 or not lines[0].startswith(path + ":"):
            failures.append(f"{what}: got {lines}")
    for failure in failures:
        print(failure)
    print(f"{1 + len(WRONG) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

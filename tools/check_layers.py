#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks which way the doors between the rooms open (docs/design.md), and the first lines of every source file.

usage: check_layers.py [ROOT]      prints each broken rule, then "N passed, N failed"
"""

import os
import re
import sys

SOURCE_SUFFIXES = (".h", ".cc", ".c", ".ts", ".js", ".mjs", ".py", ".sh", ".cmake", ".css", ".html")
SCRIPTS = ("run", "test", "bench", ".ci/run")
SKIPPED_FOLDERS = {"build", "node_modules", "dist", ".git", "__pycache__"}
SPDX = "SPDX-License-Identifier: MIT"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# A room sees itself and the rooms named here. The longest matching folder decides.
SEES = {
    "include/wdc": [],
    "src/core": ["include/wdc"],
    "src/browser": ["include/wdc", "src/core"],
    "src/native": ["include/wdc", "src/core"],
    "src/c_api": ["include/wdc"],
    "apps/web": ["include/wdc"],
    "apps/server": ["include/wdc"],
    "apps/cli": ["include/wdc", "apps/server", "apps/web"],
    "js": ["include/wdc", "src/core", "src/browser"],
    "examples": ["include/wdc"],
}
# Parts of the native engine that only the engine may bring together.
NATIVE_PARTS = ("sctp", "dtls", "ice", "sdp", "dcep")
# Rooms without a clock, thread, socket, random number or JavaScript.
NEUTRAL_ROOMS = ["include/wdc", "src/core"] + ["src/native/" + part for part in (*NATIVE_PARTS, "base")]

# The public header that exists for one platform's own values.
DOORS_TO_JAVASCRIPT = ["include/wdc/emscripten.h"]

SYSTEM_HEADERS = re.compile(
    r"^(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|random|filesystem"
    r"|fstream|iostream|cstdio|stdio\.h|ctime|time\.h|csignal|signal\.h|unistd\.h|fcntl\.h|poll\.h|netdb\.h|ifaddrs\.h"
    r"|pthread\.h|dlfcn\.h|dirent\.h|threads\.h|semaphore\.h|windows\.h|winsock2\.h|emscripten\.h"
    r"|(sys|net|netinet|arpa|linux|asm|wasi|emscripten|boost|asio)/.*)$"
)
SYSTEM_NAMES = re.compile(
    r"\b(steady_clock|system_clock|high_resolution_clock|utc_clock|file_clock)\s*::\s*now\b"
    r"|\brandom_device\b|\bthread_local\b|\bgetrandom\b|\bgetentropy\b|\bclock_gettime\b|\bgettimeofday\b"
    r"|\b(std::|::)(rand|srand|time|clock|getenv)\s*\("
    r"|\bimport_module\b|\bimport_name\b|\bEM_JS\b|\bEM_ASM\b"
)


def without_comments(text):
    """The text with comments and string contents blanked; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

    def blank(match):
        found = match.group(0)
        return '""' if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, text)


def is_test(path):
    return re.search(r"_test\.(cc|h|mjs|ts|py)$", path) is not None


def room_of(path):
    rooms = [room for room in SEES if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def native_part_of(path):
    match = re.match(r"src/native/([^/]+)/", path)
    return match.group(1) if match and match.group(1) in NATIVE_PARTS else None


def half_of(path):
    """rx, tx or None: the two halves of a transport, told by the folders on the way."""
    folders = path.split("/")[:-1]
    halves = [half for half in ("rx", "tx") if half in folders]
    return halves[0] if len(halves) == 1 else None


def resolve(root, includer, name):
    """The included file's path from the root, or None where it is not a file of ours."""
    for base in (os.path.dirname(includer), "", "include", "src"):
        candidate = os.path.normpath(os.path.join(base, name))
        if not candidate.startswith("..") and os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def broken_layering(root, path, text):
    """Every broken layering rule of one C or C++ file, as (line, what)."""
    room = room_of(path)
    neutral = any(path.startswith(folder + "/") for folder in NEUTRAL_ROOMS) and path not in DOORS_TO_JAVASCRIPT
    code = without_comments(text).split("\n")
    for number, line in enumerate(text.split("\n"), 1):
        if not code[number - 1].strip():
            continue
        match = INCLUDE.match(line)
        if match is None:
            if neutral and not is_test(path):
                name = SYSTEM_NAMES.search(code[number - 1])
                if name:
                    yield number, f"{name.group(0)!r} in a room without clock, thread, socket, randomness or JavaScript"
            continue
        name = match.group(2)
        target = resolve(root, path, name)
        if target is None:
            if neutral and not is_test(path) and SYSTEM_HEADERS.match(name):
                yield number, f"<{name}> in a room without clock, thread, socket, randomness or JavaScript"
            continue
        if room is None:
            continue
        target_room = room_of(target)
        if is_test(path) and target.startswith("tests/"):
            continue
        if target_room != room and target_room not in SEES[room]:
            yield number, f"{room} includes {target}"
        part, target_part = native_part_of(path), native_part_of(target)
        if part and target_part and part != target_part:
            yield number, f"{part} includes {target_part} ({target})"
        half, target_half = half_of(path), half_of(target)
        if half and target_half and half != target_half:
            yield number, f"{half} includes {target_half} ({target})"


def broken_opening(path, text):
    """What is wrong with the first lines of a file, as (line, what)."""
    opening = text.split("\n", 3)[:3]
    # The README shows these pages whole, to be pasted.
    pasteable = path.startswith("examples/") and path.endswith(".html")
    if not pasteable and not any(SPDX in line for line in opening):
        yield 1, f"the first lines lack '{SPDX}'"
    if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
        yield 1, "the header lacks '#pragma once'"


def source_files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(SOURCE_SUFFIXES) or name == "CMakeLists.txt" or path in SCRIPTS:
                yield path


def check(root, report=print):
    passed = failed = 0
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        checks = [broken_opening(path, text)]
        if path.endswith((".h", ".cc", ".c")):
            checks.append(broken_layering(root, path, text))
        for broken in map(list, checks):
            for line, what in broken:
                report(f"{path}:{line}: {what}")
            passed, failed = passed + (not broken), failed + bool(broken)
    return passed, failed


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    passed, failed = check(os.path.abspath(root))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

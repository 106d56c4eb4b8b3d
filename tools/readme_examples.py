#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README shows files that the tests run: its code blocks that begin with a line naming a file hold that file.

  readme_examples.py            checks, and prints `N passed, N failed`
  readme_examples.py --write    puts the files' text into the README
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?ms)^```(\w+)\n((?:<!--|//|#) (examples/\S+)(?: -->)?\n)(.*?)^```$")


def shown(path: str) -> str:
    text = (ROOT / path).read_text()
    return re.sub(r"(?m)\A(?:// |# )SPDX-License-Identifier: MIT\n", "", text)


def main() -> int:
    readme = ROOT / "README.md"
    text = readme.read_text()
    if "--write" in sys.argv:
        readme.write_text(BLOCK.sub(lambda m: f"```{m[1]}\n{m[2]}{shown(m[3])}```", text))
        return 0
    passed = failed = 0
    for block in BLOCK.finditer(text):
        if block[4] == shown(block[3]):
            passed += 1
        else:
            failed += 1
            print(f"README.md: the block of {block[3]} is not the file's text (tools/readme_examples.py --write)")
    if passed + failed == 0:
        failed = 1
        print("README.md shows no example")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

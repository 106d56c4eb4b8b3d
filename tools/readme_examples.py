#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README and the pages of docs/ show files that the tests run: their code blocks that begin with a line naming a file of
examples/ hold that file.

  readme_examples.py            checks, and prints `N passed, N failed`
  readme_examples.py --write    puts the files' text into the pages
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
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    passed = failed = 0
    named = set()
    for page in pages:
        text = page.read_text()
        if "--write" in sys.argv:
            page.write_text(BLOCK.sub(lambda m: f"```{m[1]}\n{m[2]}{shown(m[3])}```", text))
            continue
        for block in BLOCK.finditer(text):
            named.add(block[3])
            if block[4] == shown(block[3]):
                passed += 1
            else:
                failed += 1
                print(f"{page.relative_to(ROOT)}: the block of {block[3]} is not the file's text (tools/readme_examples.py --write)")
    if "--write" in sys.argv:
        return 0
    for example in sorted((ROOT / "examples/docs").glob("*")):
        if str(example.relative_to(ROOT)) not in named:
            failed += 1
            print(f"{example.relative_to(ROOT)} is shown by no page")
    if not any(name.startswith("examples/quick-start/") for name in named):
        failed += 1
        print("README.md shows no example")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tools/install.sh run|test [PACKAGE...]   installs what is missing of the Debian packages and the npm packages, and says what.
# Without the right to install Debian packages it prints the command to give and stops with status 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run_packages=(
  g++ cmake ninja-build
  clang-22 lld-22 llvm-22 wasi-libc libc++-22-dev-wasm32 libc++abi-22-dev-wasm32 libclang-rt-22-dev-wasm32 binaryen
  libboost1.81-dev libboost-json1.81-dev libcli11-dev libssl-dev
)
test_packages=(
  libgtest-dev libgmock-dev libclang-rt-22-dev clang-format clang-tidy-22 python3 chromium firefox-esr
  emscripten libusrsctp-dev tshark coturn openssl pkg-config
)
# Intel's cryptography is for one kind of processor.
if [ "$(uname -m)" = x86_64 ]; then run_packages+=(libipsec-mb-dev); fi

say() { printf 'install: %s\n' "$*" >&2; }

case "${1:-}" in
  run) packages=("${run_packages[@]}") ;;
  test) packages=("${run_packages[@]}" "${test_packages[@]}") ;;
  *)
    echo "usage: tools/install.sh run|test [PACKAGE...]" >&2
    exit 2
    ;;
esac
shift
packages+=("$@")

# Any Node.js of 18 or later will do, from wherever it came.
node_major() { node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }
if [ "$(node_major)" -lt 18 ]; then packages+=(nodejs); fi
if ! command -v npm >/dev/null; then packages+=(npm); fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  if [ "$status" != installed ]; then missing+=("$package"); fi
done

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
  else
    say "these Debian packages are missing, and installing them takes root. Please run:"
    echo "sudo apt-get update && sudo apt-get install --no-install-recommends -y ${missing[*]}" >&2
    exit 1
  fi
  say "installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >&2
fi

# node_modules is as the lock file says exactly when the stamp holds the lock file's hash.
stamp=node_modules/.installed-lock
lock=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ]; then
  say "installing npm packages (npm ci)"
  npm ci --no-progress >&2
  echo "$lock" >"$stamp"
fi

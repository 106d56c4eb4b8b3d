# SPDX-License-Identifier: MIT
# Debian's clang-22, lld-22 and wasm32 libc++. The triple names their sysroot: wasm32-wasip1 would find nothing.
set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")  # Platform/WASI.cmake

set(CMAKE_C_COMPILER clang-22)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_CXX_COMPILER clang++-22)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR llvm-ar-22 CACHE STRING "")
set(CMAKE_RANLIB llvm-ranlib-22 CACHE STRING "")
set(CMAKE_CXX_COMPILER_AR llvm-ar-22 CACHE STRING "")
set(CMAKE_CXX_COMPILER_RANLIB llvm-ranlib-22 CACHE STRING "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

# clang calls the triple deprecated, on every file; the sysroot has no other.
set(CMAKE_CXX_FLAGS_INIT "-Wno-deprecated -fno-exceptions -fno-rtti -msimd128 -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_INIT "-Wno-deprecated -msimd128 -ffunction-sections -fdata-sections")

# Beside -Oz this is 2 % larger in brotli and faster; -O3 adds nothing. A program is all of its classes: virtual functions that
# nobody calls go, and those with one implementation are called directly, for 3 to 8 ns of a message on its way to a reader in Chromium.
set(CMAKE_CXX_FLAGS_RELEASE
    "-O2 -DNDEBUG -flto -fvisibility=hidden -fwhole-program-vtables -fvirtual-function-elimination" CACHE STRING "")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG -flto" CACHE STRING "")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

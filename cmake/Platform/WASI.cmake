# SPDX-License-Identifier: MIT
# CMake 3.25 does not know this system: nothing is shared, nothing has a suffix but what we give it.
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
set(CMAKE_STATIC_LIBRARY_PREFIX "lib")
set(CMAKE_STATIC_LIBRARY_SUFFIX ".a")
set(CMAKE_EXECUTABLE_SUFFIX ".wasm")
set(CMAKE_DL_LIBS "")

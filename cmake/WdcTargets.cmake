# SPDX-License-Identifier: MIT
#
# wdc_add_library(<name> SOURCES <files>... [LIBS <targets>...])   a static library of ours: C++23, no exceptions
# wdc_add_test(<name> [ALONE] SOURCES <files>... [LIBS <targets>...])
#                                                                  a GoogleTest binary, registered in ctest (native only);
#                                                                  where WDC_ONE_THREAD is set not with ThreadSanitizer.
#                                                                  ALONE: nothing runs beside it, as it goes by the clock
# wdc_add_module(<name> SOURCES <files>... [LIBS <targets>...] [OUTPUT_DIRECTORY <dir>])
#                                                                  <name>.wasm for the browser (wasm only), with the library
#                                                                  linked in; what else leaves it says [[clang::export_name]].
#                                                                  With Emscripten <name>.js, an ES module, and its .wasm

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(CMAKE_SYSTEM_NAME MATCHES "^(WASI|Emscripten)$")
  set(WDC_WASM TRUE)
else()
  set(WDC_WASM FALSE)
endif()

if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  # clang has it go over what was linked, wherever it finds it, and says nothing where it does not.
  find_program(WDC_WASM_OPT wasm-opt)
  if(NOT WDC_WASM_OPT)
    message(WARNING "wasm-opt (Debian's binaryen) is not installed: modules come out an eighth to a seventh larger")
  endif()
endif()

option(WDC_WARNINGS_AS_ERRORS "Treat warnings as errors" ${PROJECT_IS_TOP_LEVEL})
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(WDC_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()

# Address, undefined and thread for the presets asan and tsan; everything is compiled with it, tests included.
set(WDC_SANITIZE "" CACHE STRING "Value of -fsanitize=, or empty")
if(WDC_SANITIZE)
  add_compile_options(-fsanitize=${WDC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WDC_SANITIZE})
endif()

if(NOT WDC_WASM AND PROJECT_IS_TOP_LEVEL)
  find_package(Threads REQUIRED)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    message(STATUS "GoogleTest is not installed: the tests are left out")
  endif()
endif()

set(WDC_INCLUDE_DIR "${CMAKE_CURRENT_SOURCE_DIR}/include")
set(WDC_SOURCE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")

function(wdc_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -fno-exceptions)
  target_include_directories(${name} PUBLIC "${WDC_INCLUDE_DIR}" PRIVATE "${WDC_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_LIBS})
endfunction()

function(wdc_add_test name)
  if(NOT GTest_FOUND OR (WDC_ONE_THREAD AND WDC_SANITIZE STREQUAL "thread"))
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "ALONE" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${WDC_INCLUDE_DIR}" "${WDC_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest_main Threads::Threads)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS gtest TIMEOUT 300 RUN_SERIAL ${arg_ALONE})
endfunction()

function(wdc_add_module name)
  if(NOT CMAKE_SYSTEM_NAME MATCHES "^(WASI|Emscripten)$") # not WDC_WASM: a project around this one does not see it
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} wdc_browser)
  if(arg_OUTPUT_DIRECTORY)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${arg_OUTPUT_DIRECTORY}")
  endif()
  if(EMSCRIPTEN)
    target_link_options(${name} PRIVATE -sMODULARIZE -sEXPORT_ES6 -sALLOW_MEMORY_GROWTH)
    return()
  endif()
  # The stack stands first, so that an overflow traps instead of running into the data. 256 KiB: an await takes no
  # stack of its own however long the chain, and pages are paid by every instance.
  target_link_options(${name} PRIVATE -mexec-model=reactor -Wl,--stack-first -Wl,-z,stack-size=262144
                      -Wl,--gc-sections -Wl,--export-if-defined=__main_void)
  # Debian's libc++ and wasi-libc bring their debug information along, ten times the size of everything else.
  target_link_options(${name} PRIVATE $<$<CONFIG:Release>:-Wl,--strip-all>)
  set_target_properties(${name} PROPERTIES SUFFIX ".wasm")
endfunction()

// SPDX-License-Identifier: MIT

// The compiler calls `int main()` __main_void, and every module exports that name. This is the one of a module without;
// libc's own would ask for a main that is not there.

extern "C" {

[[gnu::weak]] int __main_argc_argv(int count, char** arguments);

int __main_void() {
  if (__main_argc_argv == nullptr) return 0;
  char* none[] = {nullptr};
  return __main_argc_argv(0, none);
}

}  // extern "C"

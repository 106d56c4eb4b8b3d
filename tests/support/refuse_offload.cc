// SPDX-License-Identifier: MIT
// refuse_offload segments|batches PROGRAM [WORD...]: runs the program on a kernel that refuses UDP's segmentation
// offload, as old kernels and some sandboxes do, or sendmmsg and recvmmsg as well. A seccomp filter is what refuses, so
// the program makes its real calls and gets the kernel's answers; what it starts inherits the filter.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "no seccomp architecture is known for this processor"
#endif

constexpr std::uint32_t field(std::size_t offset) { return static_cast<std::uint32_t>(offset); }
constexpr std::uint32_t argument(int number) {  // its lower half, on little-endian machines
  return field(offsetof(seccomp_data, args) + sizeof(std::uint64_t) * static_cast<std::size_t>(number));
}
constexpr std::uint32_t refuse(int error) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error); }

class Filter {
 public:
  Filter() {
    load(field(offsetof(seccomp_data, arch)));
    skip_unless(kArchitecture, 1);
    skip(1);
    give(SECCOMP_RET_ALLOW);  // a program of another architecture
  }
  void load(std::uint32_t offset) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)); }
  void load_call() { load(field(offsetof(seccomp_data, nr))); }
  void give(std::uint32_t verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
  void skip_unless(std::uint32_t value, std::uint8_t count) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
  }
  void skip(std::uint32_t count) { code_.push_back(BPF_STMT(BPF_JMP | BPF_JA, count)); }

  [[nodiscard]] bool install() {
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
  }

 private:
  std::vector<sock_filter> code_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (argc < 3 || (what != "segments" && what != "batches")) {
    std::fputs("usage: refuse_offload segments|batches PROGRAM [WORD...]\n", stderr);
    return 2;
  }
  Filter filter;
  for (const auto option : {UDP_SEGMENT, UDP_GRO}) {
    filter.load_call();
    filter.skip_unless(SYS_setsockopt, 5);
    filter.load(argument(1));
    filter.skip_unless(SOL_UDP, 3);
    filter.load(argument(2));
    filter.skip_unless(static_cast<std::uint32_t>(option), 1);
    filter.give(refuse(ENOPROTOOPT));
  }
  // A filter sees no memory, so not that it is UDP_SEGMENT. Ours is the one sendmsg without flags: Asio's have
  // MSG_NOSIGNAL.
  filter.load_call();
  filter.skip_unless(SYS_sendmsg, 3);
  filter.load(argument(2));
  filter.skip_unless(0, 1);
  filter.give(refuse(EIO));
  if (what == "batches") {
    for (const auto call : {SYS_sendmmsg, SYS_recvmmsg}) {
      filter.load_call();
      filter.skip_unless(static_cast<std::uint32_t>(call), 1);
      filter.give(refuse(ENOSYS));
    }
  }
  filter.give(SECCOMP_RET_ALLOW);
  if (!filter.install()) {
    std::fprintf(stderr, "refuse_offload: the kernel takes no filter: %s\n", std::strerror(errno));
    return 1;
  }
  setenv("WDC_REFUSED", argv[1], 1);  // for tests that want to know
  execvp(argv[2], argv + 2);
  std::fprintf(stderr, "refuse_offload: %s: %s\n", argv[2], std::strerror(errno));
  return 1;
}

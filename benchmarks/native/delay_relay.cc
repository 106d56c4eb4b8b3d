// SPDX-License-Identifier: MIT
// delay_relay ADDRESS MILLISECONDS: a network of two ends. Prints two ports of ADDRESS; what the first sender to one of
// them sends comes to the first sender to the other, from that one's port, so many milliseconds later. It loses nothing
// unless it cannot keep up. Ends with its input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Datagram {
  Clock::time_point due;
  int side = 0;  // where it came from
  std::size_t size = 0;
  std::array<std::byte, 1'500> bytes;
};

struct Side {
  int descriptor = -1;
  std::optional<sockaddr_in> peer;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int open_socket(const char* address) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  if (inet_pton(AF_INET, address, &local.sin_addr) != 1) die(address);
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) die("bind");
  // The queues of a path: a train must not be lost because this process is not awake yet.
  const int bytes = 4 << 20;
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE, SO_RCVBUF, SO_SNDBUF}) {
    if ((option == SO_RCVBUF || option == SO_SNDBUF) && geteuid() == 0) continue;
    (void)setsockopt(descriptor, SOL_SOCKET, option, &bytes, sizeof bytes);
  }
  return descriptor;
}

int port_of(int descriptor) {
  sockaddr_in local{};
  socklen_t size = sizeof local;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size) != 0) die("getsockname");
  return ntohs(local.sin_port);
}

bool is_same(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

/// A ring of datagrams that wait, oldest first: all wait equally long.
class Queue {
 public:
  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] bool full() const { return tail_ - head_ == ring_.size(); }
  [[nodiscard]] Datagram& front() { return ring_[head_ % ring_.size()]; }
  [[nodiscard]] Datagram& back() { return ring_[tail_ % ring_.size()]; }  // the one to be written next
  void pop() { ++head_; }
  void push() { ++tail_; }

 private:
  std::vector<Datagram> ring_{32'768};
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

void receive(Side& side, int number, Queue& queue, Clock::duration delay) {
  for (int i = 0; i < 256 && !queue.full(); ++i) {
    auto& datagram = queue.back();
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto got = recvfrom(side.descriptor, datagram.bytes.data(), datagram.bytes.size(), 0,
                              reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    if (!side.peer) side.peer = from;
    if (!is_same(*side.peer, from)) continue;
    datagram.size = static_cast<std::size_t>(got);
    datagram.side = number;
    datagram.due = Clock::now() + delay;
    queue.push();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: delay_relay ADDRESS MILLISECONDS\n");
    return 2;
  }
  const auto delay = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double, std::milli>(std::strtod(argv[2], nullptr)));
  std::array<Side, 2> sides{{{open_socket(argv[1]), {}}, {open_socket(argv[1]), {}}}};
  std::printf("%d %d\n", port_of(sides[0].descriptor), port_of(sides[1].descriptor));
  std::fflush(stdout);
  Queue queue;
  for (;;) {
    std::array<pollfd, 3> waiting{{{sides[0].descriptor, POLLIN, 0}, {sides[1].descriptor, POLLIN, 0}, {0, POLLIN, 0}}};
    timespec time{1, 0};
    if (!queue.empty()) {
      const auto left = std::max(Clock::duration{}, queue.front().due - Clock::now());
      time = {left / std::chrono::seconds(1), (left % std::chrono::seconds(1)).count()};
    }
    if (ppoll(waiting.data(), waiting.size(), &time, nullptr) < 0) die("ppoll");
    if (waiting[2].revents != 0) return 0;
    for (int i = 0; i < 2; ++i) receive(sides[static_cast<std::size_t>(i)], i, queue, delay);
    const auto now = Clock::now();
    for (; !queue.empty() && queue.front().due <= now; queue.pop()) {
      const auto& datagram = queue.front();
      const auto& to = sides[1 - static_cast<std::size_t>(datagram.side)];
      if (!to.peer) continue;  // a check, which is repeated
      (void)sendto(to.descriptor, datagram.bytes.data(), datagram.size, 0, reinterpret_cast<const sockaddr*>(&*to.peer),
                   sizeof *to.peer);
    }
  }
}

// SPDX-License-Identifier: MIT
// usrsctp, the same way: two sockets in one thread, its timers driven from outside, packets carried by us. It may not
// be given a packet while it sends one, so each is kept in a ring meanwhile: a copy of at most 1,200 bytes more than
// ours has.
#include <usrsctp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "benchmarks/sctp/bench_case.h"

namespace wdc::bench {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "usrsctp: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

/// Packets on their way to one end.
class Ring {
 public:
  struct Packet {
    std::size_t size = 0;
    std::array<std::byte, kPacketSize> bytes;
  };
  [[nodiscard]] bool empty() const { return first_ == next_; }
  void push(std::span<const std::byte> bytes) {
    require(next_ - first_ < packets_.size(), "more packets than were thought of");
    require(bytes.size() <= kPacketSize, "a larger packet than was asked for");
    Packet& packet = packets_[next_++ % packets_.size()];
    packet.size = bytes.size();
    std::memcpy(packet.bytes.data(), bytes.data(), bytes.size());
  }
  /// Valid until as many more were pushed as the ring holds.
  [[nodiscard]] const Packet& pop() { return packets_[first_++ % packets_.size()]; }

 private:
  std::vector<Packet> packets_ = std::vector<Packet>(16'384);
  std::size_t first_ = 0;
  std::size_t next_ = 0;
};

struct End {
  struct socket* socket = nullptr;
  Ring arriving;
  End* other = nullptr;
};

int output(void* self, void* data, std::size_t size, std::uint8_t, std::uint8_t) {
  static_cast<End*>(self)->other->arriving.push({static_cast<const std::byte*>(data), size});
  return 0;
}

sockaddr_conn address_of(End& end) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(5000);
  address.sconn_addr = &end;
  return address;
}

template <class Value>
void set(struct socket* socket, int level, int option, Value value) {
  require(usrsctp_setsockopt(socket, level, option, &value, sizeof value) == 0, "setsockopt");
}

/// One in a process.
class UsrsctpCase final : public BenchCase {
 public:
  UsrsctpCase(std::size_t message_size, Crc crc) : BenchCase(message_size) {
    usrsctp_init_nothreads(0, output, nullptr);
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_sendspace(static_cast<std::uint32_t>(send_buffer_));
    usrsctp_sysctl_set_sctp_recvspace(static_cast<std::uint32_t>(kReceiveWindow));
    // As WebRTC implementations set it: no limit to bursts, ten packets to begin with.
    usrsctp_sysctl_set_sctp_max_burst_default(0);
    usrsctp_sysctl_set_sctp_fr_max_burst_default(0);
    usrsctp_sysctl_set_sctp_initial_cwnd(10);
    if (crc == Crc::none) {
      usrsctp_enable_crc32c_offload();
    } else {
      usrsctp_disable_crc32c_offload();
    }
    a_.other = &b_;
    b_.other = &a_;
    for (End* end : {&a_, &b_}) open(*end);
    struct socket* const listener = b_.socket;
    require(usrsctp_listen(listener, 1) == 0, "listen");
    sockaddr_conn address = address_of(a_);
    require(
        usrsctp_connect(a_.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 || errno == EINPROGRESS,
        "connect");
    while (carry(a_) + carry(b_) > 0) {
    }
    b_.socket = usrsctp_accept(listener, nullptr, nullptr);
    require(b_.socket != nullptr, "accept");
    usrsctp_set_non_blocking(b_.socket, 1);
    usrsctp_close(listener);
    set_packet_size(a_.socket, a_);
    set_packet_size(b_.socket, b_);
    ticked_ = Clock::now();
  }
  ~UsrsctpCase() override {
    for (End* end : {&a_, &b_}) {
      set(end->socket, SOL_SOCKET, SO_LINGER, linger{1, 0});
      usrsctp_close(end->socket);
    }
    while (carry(a_) + carry(b_) > 0) {
    }
    usrsctp_deregister_address(&a_);
    usrsctp_deregister_address(&b_);
  }
  UsrsctpCase(const UsrsctpCase&) = delete;
  UsrsctpCase& operator=(const UsrsctpCase&) = delete;

  void turn() override {
    sctp_sndinfo info{};
    info.snd_ppid = htonl(53);
    while (usrsctp_sendv(a_.socket, message_.data(), message_.size(), nullptr, 0, &info, sizeof info,
                         SCTP_SENDV_SNDINFO, 0) == static_cast<ssize_t>(message_.size())) {
    }
    require(errno == EWOULDBLOCK, "send");
    counts_.packets += carry(b_);
    read();
    carry(a_);
    const auto now = Clock::now();
    if (const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - ticked_);
        elapsed.count() > 0) {
      usrsctp_handle_timers(static_cast<std::uint32_t>(elapsed.count()));
      ticked_ += elapsed;
    }
  }

 private:
  static void open(End& end) {
    usrsctp_register_address(&end);
    end.socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
    require(end.socket != nullptr, "socket");
    usrsctp_set_non_blocking(end.socket, 1);
    set(end.socket, IPPROTO_SCTP, SCTP_NODELAY, std::uint32_t{1});
    sockaddr_conn address = address_of(end);
    require(usrsctp_bind(end.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }

  /// Of an association: an endpoint does not hand it on.
  static void set_packet_size(struct socket* socket, End& to) {
    const sockaddr_conn address = address_of(to);
    sctp_paddrparams path{};
    std::memcpy(&path.spp_address, &address, sizeof address);
    path.spp_flags = SPP_PMTUD_DISABLE;
    path.spp_pathmtu = kPacketSize - 12;  // it adds the common header
    set(socket, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path);
  }

  /// Gives an end what is there for it now; returns how many packets that were.
  std::size_t carry(End& end) {
    std::size_t carried = 0;
    while (!end.arriving.empty()) {
      const Ring::Packet& packet = end.arriving.pop();
      usrsctp_conninput(&end, packet.bytes.data(), packet.size, 0);
      ++carried;
    }
    return carried;
  }

  void read() {
    for (;;) {
      sctp_rcvinfo info{};
      socklen_t info_size = sizeof info;
      unsigned info_type = 0;
      int flags = 0;
      const ssize_t size = usrsctp_recvv(b_.socket, memory_.data(), memory_.size(), nullptr, nullptr, &info, &info_size,
                                         &info_type, &flags);
      if (size <= 0) break;
      if ((flags & MSG_EOR) != 0) ++counts_.messages;
    }
  }

  End a_;
  End b_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(std::size_t{2} << 20);
  Clock::time_point ticked_;
};

}  // namespace

std::unique_ptr<BenchCase> make_usrsctp_case(std::size_t message_size, Crc crc) {
  return std::make_unique<UsrsctpCase>(message_size, crc);
}

}  // namespace wdc::bench

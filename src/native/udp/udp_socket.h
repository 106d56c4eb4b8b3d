// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "src/native/udp/address.h"
#include "wdc/error.h"

namespace wdc::udp {

/// How many datagrams one call takes. Each is what is used at most: a kernel that refuses leads to the next.
enum class Offload : std::uint8_t {
  segments,  // UDP_SEGMENT and UDP_GRO: one buffer, cut and joined by the kernel or the network card
  batches,   // sendmmsg and recvmmsg
  single,
};

struct SocketOptions {
  Offload send = Offload::segments;
  Offload receive = Offload::segments;
  /// Trains of fewer datagrams are sent by a batch.
  std::size_t shortest_segmented_train = 2;
  /// Bytes that may wait to be received, as far as the system allows without rights; 0: the system's default. What a
  /// peer has in flight ends up here whenever this thread does not get a core for a while.
  int receive_buffer = 4 << 20;
  /// Where UDP_GRO is not used: larger datagrams are cut, and dropped.
  std::size_t largest_datagram = 2'048;
};

enum class SendStatus : std::uint8_t {
  ok,         // `sent` datagrams left, all of them
  blocked,    // the socket's buffer is full after `sent`: go on when it is writable
  too_large,  // the path's MTU is smaller than the datagrams
  failed,     // `sent` left, the next could not: unreachable, forbidden. It is counted and passed over.
};

struct SendResult {
  SendStatus status = SendStatus::ok;
  std::size_t sent = 0;  // datagrams
};

/// Datagrams of one sender: all of `segment_size`, the last may be shorter.
struct ReceivedTrain {
  std::span<std::byte> bytes{};
  std::size_t segment_size = 0;
  Address from{};
};

struct SocketStats {
  std::uint64_t sent = 0;  // datagrams
  std::uint64_t received = 0;
  std::uint64_t send_calls = 0;
  std::uint64_t receive_calls = 0;
  std::uint64_t blocked = 0;
  std::uint64_t unreachable = 0;
  std::uint64_t send_errors = 0;  // others
  std::uint64_t cut = 0;          // larger than largest_datagram
  std::uint64_t offload_refusals = 0;

  SocketStats& operator+=(const SocketStats& other) {
    sent += other.sent;
    received += other.received;
    send_calls += other.send_calls;
    receive_calls += other.receive_calls;
    blocked += other.blocked;
    unreachable += other.unreachable;
    send_errors += other.send_errors;
    cut += other.cut;
    offload_refusals += other.offload_refusals;
    return *this;
  }
};

/// A bound, non-blocking UDP socket. It sends and receives trains of datagrams with as few calls as the kernel allows
/// and never marks packets (ECN).
class UdpSocket {
 public:
  /// As many as one segmented call takes (UDP_MAX_SEGMENTS), and as one receive() returns.
  static constexpr std::size_t kMostDatagrams = 64;
  /// What receive() wants: a train of the largest size that IP can carry.
  static constexpr std::size_t kReceiveMemory = 65'536 * 2;

  /// Port 0: any. An IPv6 socket hears IPv6 alone. Errors: transport_error, which names the address and what is wrong
  /// with it (the port is in use, there is no such address here, no such network).
  [[nodiscard]] static Result<UdpSocket> open(const Address& local, const SocketOptions& options = {});
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  /// Sends `train` as datagrams of `segment_size`, the last may be shorter. After `blocked` the rest begins at
  /// sent * segment_size. REQUIRES: segment_size > 0.
  [[nodiscard]] SendResult send(std::span<const std::byte> train, std::size_t segment_size, const Address& to);

  /// What is there, into `memory` (kReceiveMemory) and `trains` (kMostDatagrams at least): one train, or without
  /// segmentation as many datagrams as are there and fit. Where calls take one each, it looks for some microseconds
  /// longer after the second. Returns how many trains; none: nothing is there any more.
  [[nodiscard]] std::size_t receive(std::span<std::byte> memory, std::span<ReceivedTrain> trains);

  /// Whether routers may cut datagrams. For path MTU discovery of one's own (RFC 8899).
  void set_dont_fragment(bool on) const;

  [[nodiscard]] const Address& local() const { return local_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const SocketStats& stats() const { return stats_; }
  /// What is used now.
  [[nodiscard]] Offload send_offload() const { return options_.send; }
  [[nodiscard]] Offload receive_offload() const { return options_.receive; }

 private:
  struct Batch;  // headers for the batched calls
  UdpSocket(int descriptor, const SocketOptions& options);

  [[nodiscard]] Batch& headers();

  [[nodiscard]] SendResult send_segments(std::span<const std::byte> train, std::size_t segment_size, const Address& to);
  [[nodiscard]] SendResult send_batch(std::span<const std::byte> train, std::size_t segment_size, const Address& to);
  [[nodiscard]] SendResult send_single(std::span<const std::byte> train, std::size_t segment_size, const Address& to);
  [[nodiscard]] SendStatus send_error(int number);
  [[nodiscard]] std::size_t receive_batch(std::span<std::byte> memory, std::span<ReceivedTrain> trains);
  [[nodiscard]] std::size_t receive_singles(std::span<std::byte> memory, std::span<ReceivedTrain> trains);
  [[nodiscard]] std::size_t receive_one(std::span<std::byte> memory, ReceivedTrain& train);

  int descriptor_ = -1;
  SocketOptions options_;
  Address local_;
  SocketStats stats_;
  int doubtful_refusals_ = 0;
  std::unique_ptr<Batch> batch_;
};

/// Calls `take(datagram)` for each.
template <class F>
void for_each_datagram(const ReceivedTrain& train, F&& take) {
  for (auto rest = train.bytes; !rest.empty();) {
    const auto datagram = rest.first(std::min(train.segment_size, rest.size()));
    take(datagram);
    rest = rest.subspan(datagram.size());
  }
}

}  // namespace wdc::udp

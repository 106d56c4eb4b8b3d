// SPDX-License-Identifier: MIT
#include "src/native/udp/udp_socket.h"

#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "src/native/udp/system_error.h"

namespace wdc::udp {
namespace {

/// What one segmented call may carry: an IP packet's 65,535 bytes less IPv4's and UDP's headers. IPv6 has 20 more.
constexpr std::size_t kMostBytes = 65'507;

/// EINVAL may mean one train or all of them; as many in a row mean all.
constexpr int kMostDoubtfulRefusals = 4;

template <class T>
bool set_option(int descriptor, int level, int name, T value) {
  return setsockopt(descriptor, level, name, &value, sizeof value) == 0;
}

bool would_block(int number) { return number == EAGAIN || number == EWOULDBLOCK; }

std::string what_is_wrong(const Address& local, int number) {
  switch (number) {
    case EADDRINUSE:
      return "port " + std::to_string(local.port) + " of " + local.host() + " is in use";
    case EADDRNOTAVAIL:
      return "this machine has no address " + local.host();
    case EACCES:
      return "port " + std::to_string(local.port) + " takes rights that this program has not";
    case EAFNOSUPPORT:
      return local.family == Family::ipv6 ? "this machine has no IPv6" : "this machine has no IPv4";
    default:
      return system_error("a UDP socket on " + local.text() + " cannot be opened", number);
  }
}

}  // namespace

struct UdpSocket::Batch {
  std::array<mmsghdr, kMostDatagrams> messages{};
  std::array<iovec, kMostDatagrams> parts{};
  std::array<sockaddr_storage, kMostDatagrams> addresses{};
};

/// A socket that segments has no use for them: for sending, they are taken when they are needed first.
UdpSocket::Batch& UdpSocket::headers() {
  if (batch_ == nullptr) batch_ = std::make_unique<Batch>();
  return *batch_;
}

Result<UdpSocket> UdpSocket::open(const Address& local, const SocketOptions& options) {
  const int domain = local.family == Family::ipv6 ? AF_INET6 : AF_INET;
  const int descriptor = ::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (descriptor < 0) return fail(Errc::transport_error, what_is_wrong(local, errno));
  UdpSocket socket(descriptor, options);
  // Whoever wants both has two sockets: addresses of one in the clothes of the other help nobody.
  if (local.family == Family::ipv6) set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  sockaddr_storage storage{};
  socklen_t size = local.write(storage);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    return fail(Errc::transport_error, what_is_wrong(local, errno));
  }
  size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail(Errc::transport_error, what_is_wrong(local, errno));
  }
  socket.local_ = Address::from(storage);
  if (options.receive_buffer > 0) set_option(descriptor, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  if (options.receive == Offload::segments && !set_option(descriptor, SOL_UDP, UDP_GRO, 1)) {
    ++socket.stats_.offload_refusals;
    socket.options_.receive = Offload::batches;
  }
  // Now, and not when something comes: that may be in the middle of a load, on a path that was silent before.
  if (socket.options_.receive == Offload::batches) (void)socket.headers();
  return socket;
}

UdpSocket::UdpSocket(int descriptor, const SocketOptions& options) : descriptor_(descriptor), options_(options) {}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      options_(other.options_),
      local_(other.local_),
      stats_(other.stats_),
      doubtful_refusals_(other.doubtful_refusals_),
      batch_(std::move(other.batch_)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    options_ = other.options_;
    local_ = other.local_;
    stats_ = other.stats_;
    doubtful_refusals_ = other.doubtful_refusals_;
    batch_ = std::move(other.batch_);
  }
  return *this;
}

UdpSocket::~UdpSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void UdpSocket::set_dont_fragment(bool on) const {
  if (local_.family == Family::ipv6) {
    set_option(descriptor_, IPPROTO_IPV6, IPV6_MTU_DISCOVER, on ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
  } else {
    set_option(descriptor_, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
  }
}

// --- Sending
// ------------------------------------------------------------------------------------------------------------

SendResult UdpSocket::send(std::span<const std::byte> train, std::size_t segment_size, const Address& to) {
  SendResult total;
  while (!train.empty()) {
    const std::size_t most = std::min(kMostDatagrams, std::max<std::size_t>(kMostBytes / segment_size, 1));
    const std::span<const std::byte> part = train.first(std::min(train.size(), most * segment_size));
    const bool long_enough = part.size() > (options_.shortest_segmented_train - 1) * segment_size;
    SendResult result;
    if (options_.send == Offload::segments && long_enough && part.size() > segment_size) {
      result = send_segments(part, segment_size, to);
    } else if (options_.send != Offload::single && part.size() > segment_size) {
      result = send_batch(part, segment_size, to);
    } else {
      result = send_single(part, segment_size, to);
    }
    total.sent += result.sent;
    stats_.sent += result.sent;
    total.status = result.status;
    if (result.status != SendStatus::ok) break;
    train = train.subspan(part.size());
  }
  return total;
}

SendStatus UdpSocket::send_error(int number) {
  if (would_block(number)) {
    ++stats_.blocked;
    return SendStatus::blocked;
  }
  if (number == EMSGSIZE) return SendStatus::too_large;
  const bool unreachable =
      number == ENETUNREACH || number == EHOSTUNREACH || number == ECONNREFUSED || number == ENETDOWN;
  ++(unreachable ? stats_.unreachable : stats_.send_errors);
  return SendStatus::failed;
}

SendResult UdpSocket::send_segments(std::span<const std::byte> train, std::size_t segment_size, const Address& to) {
  sockaddr_storage address;
  iovec part{const_cast<std::byte*>(train.data()), train.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = to.write(address);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto size = static_cast<std::uint16_t>(segment_size);
  std::memcpy(CMSG_DATA(header), &size, sizeof size);

  ++stats_.send_calls;
  const std::size_t count = (train.size() + segment_size - 1) / segment_size;
  if (::sendmsg(descriptor_, &message, 0) >= 0) {
    doubtful_refusals_ = 0;
    return {SendStatus::ok, count};
  }
  const int number = errno;
  if (number != EIO && number != EINVAL) return {send_error(number), 0};
  // EIO: the way out cannot compute checksums. EINVAL: the kernel has no such option, or a segment does not fit the
  // MTU.
  ++stats_.offload_refusals;
  const SendResult result = send_batch(train, segment_size, to);
  if (number == EIO || (result.sent > 0 && ++doubtful_refusals_ >= kMostDoubtfulRefusals)) {
    options_.send = std::max(options_.send, Offload::batches);
  }
  return result;
}

SendResult UdpSocket::send_batch(std::span<const std::byte> train, std::size_t segment_size, const Address& to) {
  Batch& batch = headers();
  sockaddr_storage address;
  const socklen_t address_size = to.write(address);
  std::size_t count = 0;
  for (auto rest = train; !rest.empty(); ++count) {
    const auto datagram = rest.first(std::min(segment_size, rest.size()));
    rest = rest.subspan(datagram.size());
    batch.parts[count] = {const_cast<std::byte*>(datagram.data()), datagram.size()};
    msghdr& message = batch.messages[count].msg_hdr;
    message = {};
    message.msg_name = &address;
    message.msg_namelen = address_size;
    message.msg_iov = &batch.parts[count];
    message.msg_iovlen = 1;
  }
  std::size_t sent = 0;
  while (sent < count) {
    ++stats_.send_calls;
    const int result = ::sendmmsg(descriptor_, batch.messages.data() + sent, static_cast<unsigned>(count - sent), 0);
    if (result > 0) {
      sent += static_cast<std::size_t>(result);
    } else if (errno == ENOSYS) {
      options_.send = Offload::single;
      SendResult rest = send_single(train.subspan(sent * segment_size), segment_size, to);
      rest.sent += sent;
      return rest;
    } else {
      return {send_error(errno), sent};
    }
  }
  return {SendStatus::ok, sent};
}

SendResult UdpSocket::send_single(std::span<const std::byte> train, std::size_t segment_size, const Address& to) {
  sockaddr_storage address;
  const socklen_t address_size = to.write(address);
  std::size_t sent = 0;
  for (; !train.empty(); ++sent) {
    const auto datagram = train.first(std::min(segment_size, train.size()));
    ++stats_.send_calls;
    if (::sendto(descriptor_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                 address_size) < 0) {
      return {send_error(errno), sent};
    }
    train = train.subspan(datagram.size());
  }
  return {SendStatus::ok, sent};
}

// --- Receiving
// ----------------------------------------------------------------------------------------------------------

std::size_t UdpSocket::receive(std::span<std::byte> memory, std::span<ReceivedTrain> trains) {
  if (options_.receive == Offload::segments) return receive_one(memory, trains[0]);
  const std::size_t room = std::min({kMostDatagrams, trains.size(), memory.size() / options_.largest_datagram});
  return options_.receive == Offload::batches ? receive_batch(memory, trains.first(room))
                                              : receive_singles(memory, trains.first(room));
}

std::size_t UdpSocket::receive_singles(std::span<std::byte> memory, std::span<ReceivedTrain> trains) {
  // While datagrams follow one another, it takes less to look for the next a few times than to answer each alone.
  constexpr int kLooks = 16;
  std::size_t count = 0;
  for (int looks = 0; count < trains.size() && looks <= (count > 1 ? kLooks : 0);) {
    const auto slot = memory.subspan(count * options_.largest_datagram, options_.largest_datagram);
    const std::size_t found = receive_one(slot, trains[count]);
    looks = found > 0 ? 0 : looks + 1;
    count += found;
  }
  return count;
}

std::size_t UdpSocket::receive_one(std::span<std::byte> memory, ReceivedTrain& train) {
  for (;;) {
    sockaddr_storage address;
    iovec part{memory.data(), memory.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = sizeof address;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ++stats_.receive_calls;
    const auto result = ::recvmsg(descriptor_, &message, 0);
    if (result < 0) {
      if (errno == EINTR || errno == ECONNREFUSED) continue;  // the latter is news of something sent before
      return 0;
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      ++stats_.cut;
      continue;
    }
    const auto size = static_cast<std::size_t>(result);
    if (size == 0) continue;  // an empty datagram means nothing to anyone here
    train.bytes = memory.first(size);
    train.segment_size = size;
    train.from = Address::from(address);
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_UDP || header->cmsg_type != UDP_GRO) continue;
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(header), sizeof segment);
      if (segment > 0) train.segment_size = static_cast<std::size_t>(segment);
    }
    stats_.received += (size + train.segment_size - 1) / train.segment_size;
    return 1;
  }
}

std::size_t UdpSocket::receive_batch(std::span<std::byte> memory, std::span<ReceivedTrain> trains) {
  Batch& batch = headers();
  for (std::size_t i = 0; i < trains.size(); ++i) {
    batch.parts[i] = {memory.data() + i * options_.largest_datagram, options_.largest_datagram};
    msghdr& message = batch.messages[i].msg_hdr;
    message = {};
    message.msg_name = &batch.addresses[i];
    message.msg_namelen = sizeof(sockaddr_storage);
    message.msg_iov = &batch.parts[i];
    message.msg_iovlen = 1;
  }
  for (;;) {
    ++stats_.receive_calls;
    const int result = ::recvmmsg(descriptor_, batch.messages.data(), static_cast<unsigned>(trains.size()), 0, nullptr);
    if (result <= 0) {
      if (result < 0 && (errno == EINTR || errno == ECONNREFUSED)) continue;
      if (result < 0 && errno == ENOSYS) {
        options_.receive = Offload::single;
        return receive_singles(memory, trains);
      }
      return 0;
    }
    std::size_t count = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(result); ++i) {
      const mmsghdr& message = batch.messages[i];
      if ((message.msg_hdr.msg_flags & MSG_TRUNC) != 0) {
        ++stats_.cut;
        continue;
      }
      if (message.msg_len == 0) continue;
      trains[count++] = {memory.subspan(i * options_.largest_datagram, message.msg_len), message.msg_len,
                         Address::from(batch.addresses[i])};
    }
    stats_.received += count;
    if (count > 0) return count;
  }
}

}  // namespace wdc::udp

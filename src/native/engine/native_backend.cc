// SPDX-License-Identifier: MIT
#include "src/native/engine/native_backend.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace wdc::native {

namespace {

SocketAddress to_socket_address(const udp::Address& address) {
  const auto bytes = std::as_bytes(std::span(address.bytes));
  if (address.family == udp::Family::ipv4) return {IpAddress::v4(bytes.first<4>()), address.port};
  return {IpAddress::v6(bytes), address.port};
}

udp::Address to_udp_address(const SocketAddress& address, std::uint32_t scope) {
  udp::Address made{.family = address.ip.is_v4() ? udp::Family::ipv4 : udp::Family::ipv6, .port = address.port};
  if (address.ip.is_link_local() && address.ip.is_v6()) made.scope = scope;
  const auto bytes = address.ip.bytes();
  std::memcpy(made.bytes.data(), bytes.data(), bytes.size());
  return made;
}

/// RFC 7064: "stun:host" or "stun:host:port".
struct ServerUrl {
  std::string scheme;
  std::string host;
  std::uint16_t port = 3'478;
};

Result<ServerUrl> parse_server_url(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::invalid_argument, "ICE server \"" + std::string(url) + "\": " + std::string(why));
  };
  const auto colon = url.find(':');
  if (colon == std::string_view::npos) return refuse("there is no scheme");
  ServerUrl made;
  made.scheme = url.substr(0, colon);
  if (made.scheme != "stun")
    return fail(Errc::unsupported, "ICE server \"" + std::string(url) + "\": only stun: is spoken here");
  auto rest = url.substr(colon + 1);
  rest = rest.substr(0, rest.find('?'));
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return refuse("the address has no ]");
    made.host = rest.substr(1, end - 1);
    rest = rest.substr(end + 1);
  } else {
    made.host = rest.substr(0, rest.find(':'));
    rest = rest.substr(made.host.size());
  }
  if (made.host.empty()) return refuse("there is no host");
  if (rest.empty()) return made;
  const auto port = rest.substr(1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), made.port);
  if (rest[0] != ':' || error != std::errc() || end != port.data() + port.size() || made.port == 0)
    return refuse("the port is not 1 to 65535");
  return made;
}

}  // namespace

/// A socket, of one connection or shared by several.
class NativeBackend::Endpoint final : public udp::SocketEvents {
 public:
  /// `owner` is null where it is shared.
  Endpoint(NativeBackend& backend, NativePeer* owner, udp::UdpSocket socket)
      : backend_(backend),
        owner_(owner),
        socket_(std::move(socket)),
        local_(to_socket_address(socket_.local())),
        table_(local_) {
    watch_ = backend.watch(socket_, *this);
  }

  [[nodiscard]] bool is_shared() const { return owner_ == nullptr; }
  /// REQUIRES: is_shared().
  [[nodiscard]] PortTable& table() { return table_; }

  [[nodiscard]] const SocketAddress& local() const { return local_; }

  /// False while the socket is full: what is left of the burst is kept.
  [[nodiscard]] bool send(const Burst& burst) {
    const auto to = to_udp_address(burst.path.remote, socket_.local().scope);
    if (burst.is_train) return send(burst.train(), burst.datagrams.front().size(), to);
    bool has_room = true;
    for (const auto& datagram : burst.datagrams) {
      if (has_room)
        has_room = send(datagram, datagram.size(), to);
      else
        keep(datagram, datagram.size(), to);
    }
    return has_room;
  }

  bool on_readable() override {
    // So many at most, then the loop's tasks have their turn.
    constexpr int kMostReceives = 8;
    TimePoint now{};
    for (int i = 0; i < kMostReceives; ++i) {
      const auto count = socket_.receive(backend_.receive_memory_, backend_.trains_);
      if (count == 0) {
        if (i == 0) return false;
        break;
      }
      if (i == 0) now = backend_.time();
      const std::span<const udp::ReceivedTrain> trains(backend_.trains_.data(), count);
      for (std::size_t at = 0; at < count;) at += handle_burst(trains.subspan(at), now);
      // A lone datagram is often all there is, and somebody waits for the answer. Where a call could have had more
      // trains, there are no more.
      const bool is_segmented = socket_.receive_offload() == udp::Offload::segments;
      if (is_segmented ? backend_.datagrams_.size() == 1 : count < backend_.trains_.size()) break;
    }
    if (!is_shared()) backend_.request_advance(*owner_);
    return true;
  }

  void on_writable() override {
    while (!waiting_.empty()) {
      auto& next = waiting_.front();
      const auto result = socket_.send(next.bytes, next.segment_size, next.to);
      if (result.status == udp::SendStatus::blocked) {
        next.bytes.erase(next.bytes.begin(),
                         next.bytes.begin() +
                             static_cast<std::ptrdiff_t>(std::min(result.sent * next.segment_size, next.bytes.size())));
        watch_->want_writable();
        return;
      }
      waiting_.erase(waiting_.begin());
    }
    if (!is_shared()) return backend_.request_advance(*owner_);
    table_.for_each_member([this](PortMember& member) { backend_.request_advance(static_cast<NativePeer&>(member)); });
  }

  [[nodiscard]] bool is_blocked() const { return !waiting_.empty(); }
  [[nodiscard]] const udp::SocketStats& stats() const { return socket_.stats(); }

 private:
  /// The trains of one sender at the front of `trains`, opened together. Returns how many those were.
  std::size_t handle_burst(std::span<const udp::ReceivedTrain> trains, TimePoint now) {
    const auto& sender = trains.front().from;
    auto& datagrams = backend_.datagrams_;
    datagrams.clear();
    std::size_t count = 0;
    for (; count < trains.size() && trains[count].from == sender; ++count)
      udp::for_each_datagram(trains[count], [&](std::span<std::byte> datagram) { datagrams.push_back(datagram); });
    const auto from = to_socket_address(sender);
    if (is_shared())
      sort_out(datagrams, from, now);
    else
      owner_->handle_datagrams({local_, from}, datagrams, now);
    return count;
  }

  /// Datagrams of one address, which may be several connections' by their STUN messages.
  void sort_out(std::span<const dtls::MutableByteView> datagrams, const SocketAddress& from, TimePoint now) {
    NativePeer* peer = nullptr;
    std::size_t begin = 0;  // of what is to be handed over
    const auto hand_over = [&](std::size_t end) {
      if (peer != nullptr && begin < end) {
        peer->handle_datagrams({local_, from}, datagrams.subspan(begin, end - begin), now);
        backend_.request_advance(*peer);
      }
      begin = end;
    };
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      const auto route = table_.route(datagrams[i], from);
      auto* const member = static_cast<NativePeer*>(route.member);
      if (member != peer || route.is_taken) hand_over(i);
      peer = member;
      if (route.is_taken) {
        begin = i + 1;
        member->refuse_datagram(datagrams[i], {local_, from}, now);
        backend_.request_advance(*member);
        backend_.find_other_port(*member, *this, from);
      } else if (member != nullptr && ice::looks_like_stun(datagrams[i])) {
        hand_over(i + 1);
        table_.learn(*member, from);
      }
    }
    hand_over(datagrams.size());
  }

  struct Waiting {
    std::vector<std::byte> bytes;
    std::size_t segment_size;
    udp::Address to;
  };

  bool send(std::span<const std::byte> bytes, std::size_t segment_size, const udp::Address& to) {
    if (is_blocked()) {
      keep(bytes, segment_size, to);
      return false;
    }
    while (!bytes.empty()) {
      const auto result = socket_.send(bytes, segment_size, to);
      if (result.status == udp::SendStatus::ok) return true;
      if (result.status == udp::SendStatus::blocked) {
        keep(bytes.subspan(std::min(result.sent * segment_size, bytes.size())), segment_size, to);
        return false;
      }
      // The datagram at `sent` cannot leave; the others may.
      bytes = bytes.subspan(std::min((result.sent + 1) * segment_size, bytes.size()));
    }
    return true;
  }

  void keep(std::span<const std::byte> bytes, std::size_t segment_size, const udp::Address& to) {
    if (bytes.empty()) return;
    if (waiting_.empty()) watch_->want_writable();
    waiting_.push_back({{bytes.begin(), bytes.end()}, segment_size, to});
  }

  NativeBackend& backend_;
  NativePeer* owner_;
  udp::UdpSocket socket_;
  SocketAddress local_;
  PortTable table_;
  std::unique_ptr<udp::Watch> watch_;
  std::vector<Waiting> waiting_;
};

struct NativeBackend::Entry {
  std::vector<std::unique_ptr<Endpoint>> owned;
  std::vector<Endpoint*> endpoints;  // those, or shared ones
  std::unique_ptr<udp::Alarm> alarm;
  std::vector<std::unique_ptr<udp::Lookup>> lookups;
  std::size_t servers_awaited = 0;  // of the lookups
  bool is_due = false;
  struct Turn final : SendTurns::Member {
    explicit Turn(NativePeer& sender) : peer(sender) {}
    NativePeer& peer;
  } turn;

  explicit Entry(NativePeer& peer) : turn(peer) {}
};

Result<std::unique_ptr<NativeBackend>> NativeBackend::make(BackendOptions options) {
  const auto wall = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto certificate = options.certificate_pem.empty() ? dtls::Certificate::make(wall)
                                                     : dtls::Certificate::from_pem(options.certificate_pem);
  if (!certificate) return std::unexpected(std::move(certificate.error()));
  auto fingerprint = certificate->fingerprint();
  if (!fingerprint) return std::unexpected(std::move(fingerprint.error()));
  auto context = dtls::Context::make(*certificate, wall, std::move(options.aead));
  if (!context) return std::unexpected(std::move(context.error()));
  Identity identity{std::move(*certificate), std::move(*context), *fingerprint};
  auto* const shared = options.context;
  return std::unique_ptr<NativeBackend>(shared == nullptr
                                            ? new NativeBackend(std::move(options), std::move(identity))
                                            : new NativeBackend(*shared, std::move(options), std::move(identity)));
}

NativeBackend::NativeBackend(BackendOptions options, Identity identity)
    : udp::NativeLoop(options.busy_wait),
      options_(std::move(options)),
      certificate_(std::move(identity.certificate)),
      dtls_(std::move(identity.context)),
      fingerprints_{identity.fingerprint},
      memory_(new MessageMemory),
      shared_{*dtls_, memory_->buffers(), random_, {}} {
  make_room();
}

NativeBackend::NativeBackend(boost::asio::io_context& context, BackendOptions options, Identity identity)
    : udp::NativeLoop(context),
      options_(std::move(options)),
      certificate_(std::move(identity.certificate)),
      dtls_(std::move(identity.context)),
      fingerprints_{identity.fingerprint},
      memory_(new MessageMemory),
      shared_{*dtls_, memory_->buffers(), random_, {}} {
  make_room();
}

void NativeBackend::make_room() {
  train_memory_.resize(sctp::PacketTrain::kMostPackets * options_.transport.datagram_size);
  shared_.train_memory = train_memory_;
  receive_memory_.resize(udp::UdpSocket::kReceiveMemory);
  trains_.resize(udp::UdpSocket::kMostDatagrams);
  datagrams_.reserve(udp::UdpSocket::kMostDatagrams);
}

NativeBackend::~NativeBackend() { memory_->drop_reference(); }

TimePoint NativeBackend::time() const { return TimePoint(now().time_since_epoch()); }

Result<std::unique_ptr<core::PeerBackend>> NativeBackend::create_peer(const PeerConnectionOptions& options) {
  for (const auto& server : options.ice_servers)
    for (const auto& url : server.urls)
      if (auto parsed = parse_server_url(url); !parsed) return std::unexpected(std::move(parsed.error()));
  if (options.ice_transport_policy == IceTransportPolicy::relay)
    return fail(Errc::unsupported, "relayed candidates alone: there is no TURN client");
  auto peer = std::make_unique<NativePeer>(*this, options, options_.transport);
  auto entry = std::make_unique<Entry>(*peer);
  NativePeer* const raw = peer.get();
  entry->alarm = make_alarm([this, raw] {
    request_advance(*raw);
    if (driven_by_host()) (void)advance_all();
  });
  peers_.emplace(raw, std::move(entry));
  return peer;
}

Result<std::unique_ptr<core::SignalingBackend>> NativeBackend::open_signaling(std::string_view url,
                                                                              std::string_view room) {
  return signaling::open_signaling(context(), url, room, options_.signaling);
}

udp::SocketStats NativeBackend::socket_stats() const {
  udp::SocketStats sum;
  for (const auto& [peer, entry] : peers_)
    for (const auto& endpoint : entry->owned) sum += endpoint->stats();
  for (const auto& port : shared_ports_)
    for (const auto& endpoint : port) sum += endpoint->stats();
  return sum;
}

bool NativeBackend::turn(bool may_wait) {
  const bool advanced = advance_all();
  const bool more = NativeLoop::turn(may_wait && !advanced);
  // What came is told now. The answers of the loop's tasks leave in the next turn, together with the acknowledgements;
  // only where that may be long in coming (EventLoop::poll()) those leave at once.
  const bool delivered = may_wait ? deliver_all() : advance_all();
  return delivered || more || advanced;
}

bool NativeBackend::deliver_all() {
  for (std::size_t i = 0; i < due_.size(); ++i)
    if (due_[i] != nullptr) due_[i]->deliver(time());
  return !due_.empty();
}

bool NativeBackend::advance_all() {
  if (due_.empty()) return false;
  advancing_.swap(due_);
  for (auto* peer : advancing_) {
    if (peer == nullptr) continue;  // forgotten meanwhile
    auto& entry = *peers_.at(peer);
    entry.is_due = false;
    advance(*peer, entry);
  }
  advancing_.clear();
  tell_begun_turns();
  return true;
}

void NativeBackend::advance(NativePeer& peer, Entry& entry) {
  const auto now = time();
  peer.hold(peer.has_bulk() && !turns_.may_send(entry.turn, now));
  peer.advance(now);
  if (!peer.has_bulk()) turns_.pause(entry.turn, now);
  for (auto* endpoint : entry.endpoints)
    if (endpoint->is_shared()) endpoint->table().update(peer);
  const auto deadline = std::min(peer.next_deadline(), turns_.next_deadline(entry.turn, now));
  entry.alarm->set(deadline == kNever ? udp::Alarm::kNever : wdc::TimePoint(deadline.time_since_epoch()));
}

void NativeBackend::tell_begun_turns() {
  while (auto* begun = turns_.poll_begun()) request_advance(static_cast<Entry::Turn*>(begun)->peer);
}

void NativeBackend::request_advance(NativePeer& peer) {
  const auto found = peers_.find(&peer);
  if (found == peers_.end() || std::exchange(found->second->is_due, true)) return;
  due_.push_back(&peer);
  if (driven_by_host())
    found->second->alarm->set(now());  // from a turn of its own
  else
    request_pump();  // the loop is not to wait
}

Result<std::vector<udp::Address>> NativeBackend::addresses_to_use() const {
  if (options_.bind_address) return std::vector{*options_.bind_address};
  udp::InterfacePolicy policy{.loopback = options_.loopback == LoopbackCandidates::always};
  auto interfaces = udp::list_interfaces(policy);
  if (interfaces && interfaces->empty() && options_.loopback == LoopbackCandidates::automatic) {
    policy.loopback = true;
    interfaces = udp::list_interfaces(policy);
  }
  if (!interfaces) return std::unexpected(std::move(interfaces.error()));
  std::vector<udp::Address> addresses;
  for (const auto& interface : *interfaces) addresses.push_back(interface.address);
  return addresses;
}

Result<udp::UdpSocket> NativeBackend::open_socket(udp::Address address) {
  const auto [first, last] = options_.ports;
  address.port = first;
  auto socket = udp::UdpSocket::open(address, options_.sockets);
  for (std::uint32_t port = first; !socket && ++port <= last;) {
    address.port = static_cast<std::uint16_t>(port);
    socket = udp::UdpSocket::open(address, options_.sockets);
  }
  if (!socket && first != last)
    return fail(Errc::transport_error, "no UDP port of " + std::to_string(first) + " to " + std::to_string(last) +
                                           " is free; the last one: " + socket.error().detail());
  return socket;
}

Result<std::vector<std::unique_ptr<NativeBackend::Endpoint>>> NativeBackend::open_endpoints(NativePeer* peer) {
  const auto locals = addresses_to_use();
  if (!locals) return std::unexpected(locals.error());
  std::vector<std::unique_ptr<Endpoint>> endpoints;
  std::optional<Error> refused;
  for (const auto& local : *locals) {
    auto socket = open_socket(local);
    if (socket)
      endpoints.push_back(std::make_unique<Endpoint>(*this, peer, std::move(*socket)));
    else
      refused = std::move(socket.error());
  }
  if (!endpoints.empty()) return endpoints;
  if (refused) return std::unexpected(std::move(*refused));
  return fail(Errc::transport_error, "no network: no interface that is up has an address to use");
}

Result<std::vector<SocketAddress>> NativeBackend::open_sockets(NativePeer& peer) {
  auto& entry = *peers_.at(&peer);
  if (entry.endpoints.empty() && options_.port_use == PortUse::shared) {
    if (shared_ports_.empty())
      if (auto opened = open_shared_port(); !opened) return std::unexpected(std::move(opened.error()));
    share(peer, entry, shared_ports_.front());
  } else if (entry.endpoints.empty()) {
    auto opened = open_endpoints(&peer);
    if (!opened) return std::unexpected(std::move(opened.error()));
    entry.owned = std::move(*opened);
    for (const auto& endpoint : entry.owned) entry.endpoints.push_back(endpoint.get());
  }
  std::vector<SocketAddress> addresses;
  for (const auto* endpoint : entry.endpoints) addresses.push_back(endpoint->local());
  return addresses;
}

Result<void> NativeBackend::open_shared_port() {
  auto opened = open_endpoints(nullptr);
  if (!opened) return std::unexpected(std::move(opened.error()));
  shared_ports_.push_back(std::move(*opened));
  return {};
}

void NativeBackend::share(NativePeer& peer, Entry& entry, SharedPort& port) {
  for (const auto& endpoint : port) {
    endpoint->table().update(peer);
    entry.endpoints.push_back(endpoint.get());
  }
}

/// The peer is at an address that is another connection's on this port: both ends are shared by both. Any other port
/// where the address is free will do; the peer finds it by its checks.
void NativeBackend::find_other_port(NativePeer& peer, const Endpoint& endpoint, const SocketAddress& remote) {
  constexpr std::size_t kMostSharedPorts = 64;
  auto& entry = *peers_.at(&peer);
  SharedPort* other = nullptr;
  for (auto& port : shared_ports_) {
    const auto same = std::ranges::find_if(port, [&](const auto& at) { return at->local().ip == endpoint.local().ip; });
    if (same == port.end() || !(*same)->table().is_free_for(peer, remote)) continue;
    if (std::ranges::find(entry.endpoints, same->get()) != entry.endpoints.end()) return;  // it has one
    if (other == nullptr) other = &port;
  }
  if (other == nullptr) {
    if (shared_ports_.size() >= kMostSharedPorts) return;
    if (auto opened = open_shared_port(); !opened) return report(opened.error().message());
    other = &shared_ports_.back();
  }
  share(peer, entry, *other);
  for (const auto& added : *other) peer.add_local_address(added->local(), time());
}

bool NativeBackend::send(NativePeer& peer, const Burst& burst) {
  const auto found = peers_.find(&peer);
  if (found == peers_.end()) return false;
  if (burst.is_train) turns_.note_sent(found->second->turn, burst.train().size(), time());
  for (auto* endpoint : found->second->endpoints) {
    if (endpoint->local() != burst.path.local) continue;
    if (endpoint->is_shared() && !burst.is_train)
      for (const auto& datagram : burst.datagrams) endpoint->table().note_sent(peer, datagram);
    return endpoint->send(burst);
  }
  return true;  // the socket is gone, and so is what was for it
}

void NativeBackend::resolve(NativePeer& peer, std::string host_name) {
  auto& entry = *peers_.at(&peer);
  constexpr std::size_t kMostLookups = 32;
  if (entry.lookups.size() >= kMostLookups) return;
  entry.lookups.push_back(look_up(host_name, 0, [this, &peer, host_name](Result<std::vector<udp::Address>> found) {
    std::vector<IpAddress> addresses;
    if (found)
      for (const auto& address : *found) addresses.push_back(to_socket_address(address).ip);
    peer.handle_resolved(host_name, addresses, time());
    request_advance(peer);
  }));
}

bool NativeBackend::look_up_servers(NativePeer& peer, const std::vector<IceServer>& servers) {
  auto& entry = *peers_.at(&peer);
  for (const auto& server : servers) {
    for (const auto& url : server.urls) {
      const auto parsed = parse_server_url(url);
      if (!parsed) continue;
      entry.lookups.push_back(
          look_up(parsed->host, parsed->port, [this, &peer, &entry](Result<std::vector<udp::Address>> found) {
            if (!found) report(found.error().message());
            if (found)
              for (const auto& address : *found) peer.add_stun_server(to_socket_address(address), time());
            if (--entry.servers_awaited == 0) peer.end_of_stun_servers(time());
            request_advance(peer);
          }));
      ++entry.servers_awaited;
    }
  }
  return entry.servers_awaited > 0;
}

void NativeBackend::forget(NativePeer& peer) noexcept {
  std::replace(due_.begin(), due_.end(), &peer, static_cast<NativePeer*>(nullptr));
  std::replace(advancing_.begin(), advancing_.end(), &peer, static_cast<NativePeer*>(nullptr));
  for (const auto& port : shared_ports_)
    for (const auto& endpoint : port) endpoint->table().remove(peer);
  if (const auto found = peers_.find(&peer); found != peers_.end()) {
    turns_.leave(found->second->turn, time());
    peers_.erase(found);
    tell_begun_turns();
  }
  std::erase_if(shared_ports_, [](const SharedPort& port) { return port.front()->table().empty(); });
}

}  // namespace wdc::native

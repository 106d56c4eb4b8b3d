// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "wdc/error.h"
#include "wdc/event_loop.h"

// What a native program may choose. `EventLoop()` and run_main() take the defaults.

namespace boost::asio {
class io_context;  // NOLINT(readability-identifier-naming): Boost's
}

namespace wdc {

/// Whether the peer is told of our loopback addresses, by which programs of one machine reach each other.
enum class LoopbackCandidates : std::uint8_t {
  automatic,  ///< only where no other interface is up
  always,
  never,
};

/// How connections come by their UDP ports.
enum class PortUse : std::uint8_t {
  each,    ///< every connection has its own on each address
  shared,  ///< all of a loop share one on each address; where two would have the same peer's address, one has a second
};

struct PortRange {
  std::uint16_t first = 0;  ///< 0: any
  std::uint16_t last = 0;
};

/// A packet of SCTP, as it is inside DTLS.
struct LoggedPacket {
  TimePoint at;
  bool is_sent = false;
  std::span<const std::byte> bytes;  ///< valid during the call
};

struct NativeOptions {
  LoopbackCandidates loopback = LoopbackCandidates::automatic;
  /// The one address to use, numeric, of an interface of this machine. Empty: those of all interfaces that are up.
  std::string bind_address = {};
  PortUse port_use = PortUse::each;
  /// UDP ports to choose from.
  PortRange ports = {};
  /// A certificate and its private key: ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits or more. Empty: a new one
  /// for each loop. The peer knows it by its fingerprint, so it may be self-signed.
  std::string certificate_pem = {};
  /// Certificates to trust for wss://, instead of the system's.
  std::string trusted_pem = {};
  /// While packets come and go within tens of microseconds, a loop of its own looks for the next one for this long
  /// before it sleeps, because to be woken costs more: a round trip takes a fifth of the time, and the core is busy
  /// meanwhile. A loop under load looks up to six times as long, for a quarter of the time that it works. One that is
  /// idle never does. Zero: it always sleeps.
  std::chrono::microseconds busy_wait{50};
  /// Sees every packet, for tools like Wireshark. Called in the middle of things: it must not call the library.
  std::function<void(const LoggedPacket&)> packet_log = {};
};

/// A loop of its own, run by EventLoop::run() and poll(). Errors: invalid_argument, which names the option.
[[nodiscard]] Result<std::unique_ptr<EventLoop>> make_native_loop(NativeOptions options = {});
/// On a context of the program's, which runs it on this thread and outlives the loop; EventLoop::run() then returns at
/// once.
[[nodiscard]] Result<std::unique_ptr<EventLoop>> make_native_loop(boost::asio::io_context& context,
                                                                  NativeOptions options = {});

}  // namespace wdc

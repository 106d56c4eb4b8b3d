// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace wdc::server {

// What a remote may make the server spend. Related limits are checked against each other by check_limits.
struct Limits {
  // A description with many candidates is about 10 KB; 64 KiB leaves room and bounds what one frame can cost.
  std::size_t message_bytes = 64 * 1024;
  // Frames a member may send: in a burst, as many as the candidates of a host with many interfaces and relays, twice
  // over; afterwards a trickle.
  double messages_per_second = 20;
  double message_burst = 200;
  // Bytes a member may send. The burst must hold the largest frame.
  double bytes_per_second = 64 * 1024;
  double byte_burst = 256 * 1024;
  // What may wait for a member that reads slowly: as much as the other may send in one burst. With 1,024 rooms of two
  // this is at most 512 MiB in all.
  std::size_t queue_bytes = 256 * 1024;
  std::size_t rooms = 1024;
  std::size_t connections = 4096;
  // A browser keeps up to six for files and one a room; a household shares an address.
  std::size_t connections_per_address = 64;
  double upgrades_per_second = 10;  // an address; people and scripts that reload stay below
  double upgrade_burst = 64;
  // A person may wait this long for the other one; a peer that is connected no longer needs the room.
  std::chrono::milliseconds idle_time{std::chrono::minutes(30)};
  // Silence after which a member counts as lost; it is pinged after half of it.
  std::chrono::milliseconds dead_after{std::chrono::seconds(20)};
  std::chrono::milliseconds handshake_time{std::chrono::seconds(5)};  // of the upgrade, and of a close
  std::chrono::milliseconds header_time{std::chrono::seconds(10)};    // from a connection or an answer to a request
  std::chrono::milliseconds write_time{std::chrono::seconds(30)};     // without progress on an answer
  std::size_t header_bytes = 8 * 1024;
};

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string root;
  std::vector<std::string> allowed_origins;  // beside the server's own; "*" is any
  bool quiet = false;
  Limits limits;
};

// Why the limits cannot work together, with their numbers.
[[nodiscard]] std::expected<void, std::string> check_limits(const Limits& limits);

// The command line asked for an end (help, or a mistake): text for people, and the exit status.
struct EarlyExit {
  std::string text;
  int status = 0;
};

[[nodiscard]] std::expected<Options, EarlyExit> parse_options(std::string_view name, int argc, const char* const* argv);

}  // namespace wdc::server

// SPDX-License-Identifier: MIT
#include "apps/server/options.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <sstream>

#include "apps/server/text.h"

namespace wdc::server {
namespace {

constexpr const char* kDescription =
    "Serves a folder of static files, and relays the signaling of WebRTC peers: the two members of a room\n"
    "exchange frames over a WebSocket at /ws?room=NAME (docs/wire/signaling.md).\n"
    "Every limit has a reason, given in docs/server.md.\n"
    "The first line on standard output is: listening on http://ADDRESS:PORT";

// Unlike CLI::Range it refuses NaN, and stays out of the help, where it would be on every line.
CLI::Validator between(double least, double most) {
  const auto check = [least, most](const std::string& text) {
    double value = 0;
    const bool is_inside = CLI::detail::lexical_cast(text, value) && value >= least && value <= most;
    return is_inside ? std::string() : concat(text, " is not a number from ", least, " to ", most);
  };
  return CLI::Validator(check, "", "between");
}

// A duration option in seconds, fractions allowed.
void add_seconds(CLI::App& app, const std::string& name, std::chrono::milliseconds& value, const std::string& help) {
  const double seconds = std::chrono::duration<double>(value).count();
  app.add_option_function<double>(
         name, [&value](double s) { value = std::chrono::milliseconds(std::llround(s * 1000)); }, help)
      ->type_name("SECONDS")
      ->default_str(concat(seconds))
      ->check(between(0.001, 31'536'000.0));
}

template <class Number>
void add_number(CLI::App& app, const std::string& name, Number& value, const std::string& unit, double most,
                const std::string& help) {
  app.add_option(name, value, help)->type_name(unit)->capture_default_str()->check(between(1.0, most));
}

void add_limits(CLI::App& app, Limits& limits) {
  constexpr double kMostBytes = 1024.0 * 1024 * 1024;
  constexpr double kMost = 1'000'000;
  app.option_defaults()->group("Limits");
  add_number(app, "--message-bytes", limits.message_bytes, "BYTES", 16.0 * 1024 * 1024,
             "Largest frame a member may send");
  add_number(app, "--messages-per-second", limits.messages_per_second, "RATE", kMost,
             "Frames a member may send, sustained");
  add_number(app, "--message-burst", limits.message_burst, "FRAMES", kMost, "Frames a member may send at once");
  add_number(app, "--bytes-per-second", limits.bytes_per_second, "RATE", kMostBytes,
             "Bytes a member may send, sustained");
  add_number(app, "--byte-burst", limits.byte_burst, "BYTES", kMostBytes, "Bytes a member may send at once");
  add_number(app, "--queue-bytes", limits.queue_bytes, "BYTES", kMostBytes,
             "Bytes that may wait for a member who reads slowly; above, it is closed");
  add_number(app, "--rooms", limits.rooms, "ROOMS", kMost, "Rooms at a time");
  add_number(app, "--connections", limits.connections, "CONNECTIONS", kMost, "Connections at a time");
  add_number(app, "--connections-per-address", limits.connections_per_address, "CONNECTIONS", kMost,
             "Connections at a time from one IPv4 address or IPv6 /64");
  add_number(app, "--upgrades-per-second", limits.upgrades_per_second, "RATE", kMost,
             "WebSockets an address may open, sustained");
  add_number(app, "--upgrade-burst", limits.upgrade_burst, "WEBSOCKETS", kMost,
             "WebSockets an address may open at once");
  add_number(app, "--header-bytes", limits.header_bytes, "BYTES", 1024.0 * 1024, "Largest HTTP request header");
  add_seconds(app, "--idle-time", limits.idle_time, "Close a member after no frame from it or to it for so long");
  add_seconds(app, "--dead-after", limits.dead_after,
              "A member from whom nothing at all comes for so long is lost; it is pinged after half of it");
  add_seconds(app, "--handshake-time", limits.handshake_time, "For a WebSocket's opening and closing handshakes");
  add_seconds(app, "--header-time", limits.header_time, "For a whole HTTP request header to arrive");
  add_seconds(app, "--write-time", limits.write_time, "Without progress while an HTTP answer is sent");
  app.option_defaults()->group("Options");
}

}  // namespace

std::expected<void, std::string> check_limits(const Limits& limits) {
  const auto message_bytes = static_cast<double>(limits.message_bytes);
  if (limits.byte_burst < message_bytes) {
    return std::unexpected(concat("byte burst of ", limits.byte_burst, " is below the largest frame of ",
                                  limits.message_bytes, " bytes: no such frame could ever be sent"));
  }
  // The server adds "from" to a frame it passes on.
  if (limits.queue_bytes < limits.message_bytes + 128) {
    return std::unexpected(concat("queue of ", limits.queue_bytes, " bytes cannot hold the largest frame of ",
                                  limits.message_bytes, " bytes and 128 more"));
  }
  return {};
}

std::expected<Options, EarlyExit> parse_options(std::string_view name, int argc, const char* const* argv) {
  Options options;
  CLI::App app(kDescription, std::string(name));
  app.get_formatter()->column_width(44);
  app.add_option("--root", options.root, "Folder to serve")->type_name("DIR")->required();
  app.add_option("--address", options.address,
                 "IPv4 or IPv6 address to listen on; the default is reachable from this machine only")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--port", options.port, "Port to listen on; 0 takes any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--allow-origin", options.allowed_origins,
                 "Let pages of this origin (https://example.org) open WebSockets too; repeatable; * is any origin")
      ->type_name("ORIGIN")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--quiet", options.quiet, "Log nothing to standard error but failures to start");
  add_limits(app, options.limits);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    const int status = app.exit(error, out, out);
    return std::unexpected(EarlyExit{out.str(), status == 0 ? 0 : 1});
  }
  if (auto checked = check_limits(options.limits); !checked) {
    return std::unexpected(EarlyExit{checked.error() + "\n", 1});
  }
  return options;
}

}  // namespace wdc::server

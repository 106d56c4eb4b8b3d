// SPDX-License-Identifier: MIT
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "src/native/engine/native_backend.h"
#include "wdc/native.h"

namespace wdc {

namespace {

Result<native::BackendOptions> backend_options(NativeOptions options) {
  native::BackendOptions made;
  made.loopback = options.loopback;
  if (!options.bind_address.empty()) {
    made.bind_address = udp::Address::parse(options.bind_address, 0);
    if (!made.bind_address || made.bind_address->is_any())
      return fail(Errc::invalid_argument,
                  "bind_address \"" + options.bind_address + "\" is not the numeric address of an interface");
  }
  if (options.ports.first > options.ports.last || (options.ports.first == 0 && options.ports.last != 0))
    return fail(Errc::invalid_argument, "ports " + std::to_string(options.ports.first) + " to " +
                                            std::to_string(options.ports.last) + " are no range");
  made.ports = options.ports;
  made.port_use = options.port_use;
  made.certificate_pem = std::move(options.certificate_pem);
  made.signaling.trusted_pem = std::move(options.trusted_pem);
  if (options.busy_wait < std::chrono::microseconds::zero())
    return fail(Errc::invalid_argument, "busy_wait is negative");
  made.busy_wait = options.busy_wait;
  if (options.packet_log)
    made.transport.packet_log = [log = std::move(options.packet_log)](native::TimePoint at, bool is_sent,
                                                                      std::span<const std::byte> packet) {
      log({.at = TimePoint(at.time_since_epoch()), .is_sent = is_sent, .bytes = packet});
    };
  return made;
}

Result<std::unique_ptr<EventLoop>> make_loop(boost::asio::io_context* context, NativeOptions options) {
  auto made = backend_options(std::move(options));
  if (!made) return std::unexpected(std::move(made.error()));
  made->context = context;
  auto backend = native::NativeBackend::make(std::move(*made));
  if (!backend) return std::unexpected(std::move(backend.error()));
  return std::make_unique<EventLoop>(std::move(*backend));
}

}  // namespace

Result<std::unique_ptr<EventLoop>> make_native_loop(NativeOptions options) {
  return make_loop(nullptr, std::move(options));
}

Result<std::unique_ptr<EventLoop>> make_native_loop(boost::asio::io_context& context, NativeOptions options) {
  return make_loop(&context, std::move(options));
}

std::unique_ptr<core::Backend> core::make_default_backend() {
  auto backend = native::NativeBackend::make();
  if (!backend) {
    // Only a system without randomness or memory cannot make a key.
    std::fprintf(stderr, "%s\n", backend.error().message().c_str());
    std::abort();
  }
  return std::move(*backend);
}

}  // namespace wdc

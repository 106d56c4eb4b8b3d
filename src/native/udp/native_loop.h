// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "src/core/backend.h"
#include "src/native/udp/udp_socket.h"

namespace boost::asio {
class io_context;  // NOLINT(readability-identifier-naming): Boost's
}

namespace wdc::udp {

/// What a watched socket tells. Called from the loop's own turn; may destroy its Watch.
class SocketEvents {
 public:
  /// Something may be there: receive() until nothing is left, or leave the rest to the next call. Returns whether
  /// anything was.
  virtual bool on_readable() = 0;
  /// Once after every Watch::want_writable().
  virtual void on_writable() = 0;

 protected:
  ~SocketEvents() = default;
};

/// Tells when a socket can be read, until it is destroyed. The socket outlives it.
class Watch {
 public:
  virtual ~Watch() = default;
  virtual void want_writable() = 0;
};

/// Calls its function at a time, once each time it is set. Destroying it, or kNever, takes that back.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void set(TimePoint deadline) = 0;
  static constexpr TimePoint kNever = TimePoint::max();
};

/// A name being looked up. Destroying it calls it off.
class Lookup {
 public:
  virtual ~Lookup() = default;
};

/// The loop's part of a native backend: time, timers, sockets, names and waking, over Asio. A home derives from it and
/// adds the peers. It belongs to the thread that makes it; wake() alone may come from others.
class NativeLoop : public core::Backend {
 public:
  /// A loop of its own, run by EventLoop::run() and poll(). `busy_wait`: see NativeOptions.
  explicit NativeLoop(std::chrono::nanoseconds busy_wait = {});
  /// On a context of the user's, who runs it on this thread; EventLoop::run() then returns at once. The context
  /// outlives this.
  explicit NativeLoop(boost::asio::io_context& context);
  NativeLoop(const NativeLoop&) = delete;
  NativeLoop& operator=(const NativeLoop&) = delete;
  ~NativeLoop() override;

  void attach(core::Loop& loop) override { loop_ = &loop; }
  [[nodiscard]] TimePoint now() const override;
  void request_pump() override;
  void set_deadline(std::optional<TimePoint> deadline) override;
  void wake() noexcept override;
  [[nodiscard]] bool driven_by_host() const noexcept override { return host_driven_; }
  bool turn(bool may_wait) override;
  [[nodiscard]] bool on_owning_thread() const noexcept override { return std::this_thread::get_id() == owner_; }
  void report(std::string_view text) override;

  [[nodiscard]] std::unique_ptr<Watch> watch(const UdpSocket& socket, SocketEvents& events);
  [[nodiscard]] std::unique_ptr<Alarm> make_alarm(std::function<void()> function);
  /// Calls `done` from a later turn, unless the lookup is destroyed before. Errors: transport_error, which names the
  /// name.
  [[nodiscard]] std::unique_ptr<Lookup> look_up(std::string host, std::uint16_t port,
                                                std::function<void(Result<std::vector<Address>>)> done);

 protected:
  /// For other things of a home that run on it.
  [[nodiscard]] boost::asio::io_context& context();

 private:
  struct Parts;
  struct Life;
  void pump_now();
  [[nodiscard]] bool read_hot_socket(bool waits);
  [[nodiscard]] bool look_for_a_while();

  bool host_driven_;
  std::thread::id owner_ = std::this_thread::get_id();
  core::Loop* loop_ = nullptr;
  bool pump_requested_ = false;
  std::unique_ptr<Parts> parts_;
  std::shared_ptr<Life> life_;
};

}  // namespace wdc::udp

// SPDX-License-Identifier: MIT
#include "src/native/udp/native_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>
#include <utility>

#include "src/core/loop.h"

namespace wdc::udp {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Handlers that one turn runs, so that a socket in a flood lets the tasks have theirs.
constexpr int kMostHandlers = 64;

asio::steady_timer::time_point asio_time(TimePoint time) {
  return asio::steady_timer::time_point(
      std::chrono::duration_cast<asio::steady_timer::duration>(time.time_since_epoch()));
}

/// What handlers hold on to may outlive what they were made for: a context of the user's runs on after us, and runs
/// them. So they share a state whose `owner` is null by then.
template <class Owner>
struct Held {
  Owner* owner = nullptr;
};

class DescriptorWatch final : public Watch {
 public:
  DescriptorWatch(asio::io_context& context, int descriptor, SocketEvents& events)
      : held_(std::make_shared<Held<DescriptorWatch>>(this)), events_(events), descriptor_(context, descriptor) {
    wait_readable();
  }
  ~DescriptorWatch() override {
    held_->owner = nullptr;
    descriptor_.release();  // it is the socket's
  }
  void want_writable() override {
    if (std::exchange(wants_writable_, true)) return;
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_write, [held = held_](const error_code& error) {
      if (error || held->owner == nullptr) return;
      held->owner->wants_writable_ = false;
      held->owner->events_.on_writable();
    });
  }

 private:
  void wait_readable() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [held = held_](const error_code& error) {
      if (error || held->owner == nullptr) return;
      held->owner->events_.on_readable();
      if (held->owner != nullptr) held->owner->wait_readable();
    });
  }

  std::shared_ptr<Held<DescriptorWatch>> held_;
  SocketEvents& events_;
  asio::posix::stream_descriptor descriptor_;
  bool wants_writable_ = false;
};

class TimerAlarm final : public Alarm {
 public:
  TimerAlarm(asio::io_context& context, std::function<void()> function)
      : held_(std::make_shared<Held<TimerAlarm>>(this)), function_(std::move(function)), timer_(context) {}
  ~TimerAlarm() override { held_->owner = nullptr; }
  void set(TimePoint deadline) override {
    if (deadline == deadline_) return;
    deadline_ = deadline;
    timer_.cancel();
    if (deadline == kNever) return;
    timer_.expires_at(asio_time(deadline));
    timer_.async_wait([held = held_, deadline](const error_code& error) {
      // One that was due already cannot be cancelled any more.
      if (error || held->owner == nullptr || held->owner->deadline_ != deadline) return;
      held->owner->deadline_ = kNever;
      held->owner->function_();
    });
  }

 private:
  std::shared_ptr<Held<TimerAlarm>> held_;
  std::function<void()> function_;
  asio::steady_timer timer_;
  TimePoint deadline_ = kNever;
};

Address address_of(const asio::ip::udp::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), endpoint.size());
  return Address::from(storage);
}

class NameLookup final : public Lookup {
 public:
  NameLookup(asio::io_context& context, std::string host, std::uint16_t port,
             std::function<void(Result<std::vector<Address>>)> done)
      : held_(std::make_shared<Held<NameLookup>>(this)), done_(std::move(done)), resolver_(context) {
    using Resolver = asio::ip::udp::resolver;
    const std::string service = std::to_string(port);
    resolver_.async_resolve(host, service, Resolver::numeric_service,
                            [held = held_, host](const error_code& error, const Resolver::results_type& results) {
                              if (held->owner != nullptr) held->owner->finish(host, error, results);
                            });
  }
  ~NameLookup() override { held_->owner = nullptr; }

 private:
  void finish(const std::string& host, const error_code& error, const asio::ip::udp::resolver::results_type& results) {
    const auto done = std::move(done_);  // it may destroy this
    if (error) return done(fail(Errc::transport_error, "the name " + host + " cannot be resolved: " + error.message()));
    std::vector<Address> addresses;
    for (const auto& result : results) addresses.push_back(address_of(result.endpoint()));
    done(std::move(addresses));
  }

  std::shared_ptr<Held<NameLookup>> held_;
  std::function<void(Result<std::vector<Address>>)> done_;
  asio::ip::udp::resolver resolver_;
};

}  // namespace

struct NativeLoop::Parts {
  explicit Parts(asio::io_context* given)
      : own(given == nullptr ? new asio::io_context(1) : nullptr),
        context(given == nullptr ? *own : *given),
        timer(context) {}
  std::unique_ptr<asio::io_context> own;
  asio::io_context& context;
  asio::steady_timer timer;
};

struct NativeLoop::Life : Held<NativeLoop> {};

NativeLoop::NativeLoop()
    : host_driven_(false), parts_(std::make_unique<Parts>(nullptr)), life_(std::make_shared<Life>()) {
  life_->owner = this;
}

NativeLoop::NativeLoop(asio::io_context& context)
    : host_driven_(true), parts_(std::make_unique<Parts>(&context)), life_(std::make_shared<Life>()) {
  life_->owner = this;
}

NativeLoop::~NativeLoop() { life_->owner = nullptr; }

asio::io_context& NativeLoop::context() { return parts_->context; }

TimePoint NativeLoop::now() const {
  return TimePoint(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

void NativeLoop::pump_now() {
  pump_requested_ = false;
  if (loop_ != nullptr) loop_->pump();
}

void NativeLoop::request_pump() {
  if (std::exchange(pump_requested_, true) || !host_driven_) return;
  asio::post(parts_->context, [life = life_] {
    if (life->owner != nullptr) life->owner->pump_now();
  });
}

void NativeLoop::set_deadline(std::optional<TimePoint> deadline) {
  parts_->timer.cancel();
  if (!deadline) return;
  parts_->timer.expires_at(asio_time(*deadline));
  parts_->timer.async_wait([life = life_](const error_code& error) {
    // A loop of our own is pumped by whoever runs it, after every turn.
    if (!error && life->owner != nullptr && life->owner->host_driven_) life->owner->pump_now();
  });
}

void NativeLoop::wake() noexcept {
  asio::post(parts_->context, [life = life_] {
    if (life->owner != nullptr && life->owner->host_driven_) life->owner->pump_now();
  });
}

bool NativeLoop::turn(bool may_wait) {
  asio::io_context& context = parts_->context;
  if (context.stopped()) context.restart();
  const bool waits = may_wait && !std::exchange(pump_requested_, false);
  std::size_t ran = waits ? context.run_one() : context.poll_one();
  if (ran == 0) return !context.stopped();
  for (int i = 1; i < kMostHandlers && context.poll_one() > 0; ++i) {
  }
  return true;
}

void NativeLoop::report(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

std::unique_ptr<Watch> NativeLoop::watch(const UdpSocket& socket, SocketEvents& events) {
  return std::make_unique<DescriptorWatch>(parts_->context, socket.descriptor(), events);
}

std::unique_ptr<Alarm> NativeLoop::make_alarm(std::function<void()> function) {
  return std::make_unique<TimerAlarm>(parts_->context, std::move(function));
}

std::unique_ptr<Lookup> NativeLoop::look_up(std::string host, std::uint16_t port,
                                            std::function<void(Result<std::vector<Address>>)> done) {
  return std::make_unique<NameLookup>(parts_->context, std::move(host), port, std::move(done));
}

}  // namespace wdc::udp

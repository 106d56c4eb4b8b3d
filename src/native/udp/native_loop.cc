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
#include "src/native/udp/busy_wait.h"

namespace wdc::udp {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Handlers that one turn runs, so that a socket in a flood lets the tasks have theirs.
constexpr int kMostHandlers = 64;

/// Turns in a row that read the hot socket without asking the system what else is ready.
constexpr int kMostHotTurns = 4;

/// Times that the hot socket is read while looking, between looks at everything else.
constexpr int kReadsALook = 8;

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

class DescriptorWatch;

/// The socket that had something twice in a row, with no other in between. It is read directly: while it has more, or
/// more is expected, that saves asking the system. Where several take turns it would be the wrong one to ask: a hundred
/// busy connections took twenty reads in vain for each that found something.
struct HotSocket {
  DescriptorWatch* watch = nullptr;
  DescriptorWatch* last = nullptr;  // to have something
  int turns = 0;

  void note(DescriptorWatch* found) {
    watch = last == found ? found : nullptr;
    last = found;
    turns = 0;
  }
  void forget(const DescriptorWatch* gone) {
    if (watch == gone) watch = nullptr;
    if (last == gone) last = nullptr;
  }
};

class DescriptorWatch final : public Watch {
 public:
  DescriptorWatch(asio::io_context& context, int descriptor, SocketEvents& events, HotSocket& hot)
      : held_(std::make_shared<Held<DescriptorWatch>>(this)),
        events_(events),
        hot_(hot),
        descriptor_(context, descriptor) {
    wait_readable();
  }
  ~DescriptorWatch() override {
    held_->owner = nullptr;
    hot_.forget(this);
    descriptor_.release();  // it is the socket's
  }
  /// May destroy this.
  bool read() { return events_.on_readable(); }
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
      const bool any = held->owner->read();
      if (held->owner == nullptr) return;
      if (any) held->owner->hot_.note(held->owner);
      held->owner->wait_readable();
    });
  }

  std::shared_ptr<Held<DescriptorWatch>> held_;
  SocketEvents& events_;
  HotSocket& hot_;
  asio::posix::stream_descriptor descriptor_;
  bool wants_writable_ = false;
};

/// The system's timer is set anew only for an earlier deadline, not for a later one, as each packet brings one: then it
/// runs out once too early, and is set to the deadline that there is by then.
class TimerAlarm final : public Alarm {
 public:
  TimerAlarm(asio::io_context& context, std::function<void()> function)
      : held_(std::make_shared<Held<TimerAlarm>>(this)), function_(std::move(function)), timer_(context) {}
  ~TimerAlarm() override { held_->owner = nullptr; }
  void set(TimePoint deadline) override {
    deadline_ = deadline;
    if (deadline == kNever && armed_ != kNever) {  // a loop with nothing else to wait for is to end
      armed_ = kNever;
      timer_.cancel();
    }
    if (deadline < armed_) arm(deadline);
  }

 private:
  void arm(TimePoint at) {
    armed_ = at;
    timer_.expires_at(asio_time(at));
    timer_.async_wait([held = held_, at](const error_code& error) {
      // One that was due already cannot be cancelled any more.
      if (error || held->owner == nullptr || held->owner->armed_ != at) return;
      held->owner->run_out(at);
    });
  }
  void run_out(TimePoint at) {
    armed_ = kNever;
    if (deadline_ > at) return arm(deadline_);
    deadline_ = kNever;
    function_();
  }

  std::shared_ptr<Held<TimerAlarm>> held_;
  std::function<void()> function_;
  asio::steady_timer timer_;
  TimePoint deadline_ = kNever;
  TimePoint armed_ = kNever;
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
  Parts(asio::io_context* given, std::chrono::nanoseconds most, std::function<void()> due)
      : own(given == nullptr ? new asio::io_context(1) : nullptr),
        context(given == nullptr ? *own : *given),
        alarm(context, std::move(due)),
        busy_wait(most) {}
  std::unique_ptr<asio::io_context> own;
  asio::io_context& context;
  TimerAlarm alarm;
  HotSocket hot;
  BusyWait busy_wait;
  TimePoint works_since{};
};

struct NativeLoop::Life : Held<NativeLoop> {};

// A loop of our own is pumped by whoever runs it, after every turn.
NativeLoop::NativeLoop(std::chrono::nanoseconds busy_wait)
    : host_driven_(false),
      parts_(std::make_unique<Parts>(nullptr, std::thread::hardware_concurrency() > 1 ? busy_wait : busy_wait.zero(),
                                     [] {})),
      life_(std::make_shared<Life>()) {
  life_->owner = this;
  parts_->works_since = now();
}

NativeLoop::NativeLoop(asio::io_context& context)
    : host_driven_(true),
      parts_(std::make_unique<Parts>(&context, std::chrono::nanoseconds::zero(), [this] { pump_now(); })),
      life_(std::make_shared<Life>()) {
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
  parts_->alarm.set(deadline.value_or(Alarm::kNever));
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
  if (read_hot_socket(waits)) return true;
  std::size_t ran = context.poll_one();
  if (ran == 0 && waits) {
    if (look_for_a_while()) return true;
    const TimePoint before = now();
    ran = context.run_one();
    parts_->works_since = now();
    parts_->busy_wait.slept(parts_->works_since - before);
  }
  if (ran == 0) return !context.stopped();
  for (int i = 1; i < kMostHandlers && parts_->hot.watch == nullptr && context.poll_one() > 0; ++i) {
  }
  return true;
}

/// Returns false where it is time to ask the system what is ready.
bool NativeLoop::read_hot_socket(bool waits) {
  HotSocket& hot = parts_->hot;
  if (hot.watch == nullptr) return false;
  if (++hot.turns > kMostHotTurns) {
    hot.watch = nullptr;
    return false;
  }
  if (hot.watch->read() || !waits) return true;
  if (hot.watch != nullptr && look_for_a_while()) return true;
  hot.watch = nullptr;
  return false;
}

bool NativeLoop::look_for_a_while() {
  HotSocket& hot = parts_->hot;
  BusyWait& busy_wait = parts_->busy_wait;
  const TimePoint begin = now();
  busy_wait.worked(begin - std::exchange(parts_->works_since, begin));
  if (!busy_wait.is_worthwhile()) return false;
  const TimePoint end = begin + busy_wait.most();
  TimePoint looked = begin;  // what comes of a find is work
  bool found = false;
  do {
    for (int i = 0; i < kReadsALook && hot.watch != nullptr && !found; ++i) found = hot.watch->read();
    if (!found) found = parts_->context.poll_one() > 0;
  } while (!found && (looked = now()) < end);
  if (found) hot.turns = 0;
  parts_->works_since = looked;
  busy_wait.looked(/*in_vain=*/!found, looked - begin);
  return found;
}

void NativeLoop::report(std::string_view text) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

std::unique_ptr<Watch> NativeLoop::watch(const UdpSocket& socket, SocketEvents& events) {
  return std::make_unique<DescriptorWatch>(parts_->context, socket.descriptor(), events, parts_->hot);
}

std::unique_ptr<Alarm> NativeLoop::make_alarm(std::function<void()> function) {
  return std::make_unique<TimerAlarm>(parts_->context, std::move(function));
}

std::unique_ptr<Lookup> NativeLoop::look_up(std::string host, std::uint16_t port,
                                            std::function<void(Result<std::vector<Address>>)> done) {
  return std::make_unique<NameLookup>(parts_->context, std::move(host), port, std::move(done));
}

}  // namespace wdc::udp

// SPDX-License-Identifier: MIT
#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "src/native/signaling/open_signaling.h"

namespace wdc::native::signaling {

namespace {

namespace asio = boost::asio;
using core::signaling::Frame;

/// Where a member hears. Loops of several threads meet in a room: frames are posted to the member's own, and `events`
/// is looked at there alone.
struct Ear {
  Ear(asio::io_context& of, std::string name) : context(of), id(std::move(name)) {}
  asio::io_context& context;
  const std::string id;
  core::SignalingEvents* events = nullptr;
};

void tell(const std::shared_ptr<Ear>& ear, Frame frame) {
  asio::post(ear->context, [ear, told = std::move(frame)]() mutable {
    if (ear->events != nullptr) ear->events->on_frame(std::move(told));
  });
}

/// The rooms of this process: a server without a network. The first place is impolite, the second polite.
class LocalRooms {
 public:
  static LocalRooms& instance() {
    static auto* const rooms = new LocalRooms;  // never destroyed: loops of other threads may outlive main()
    return *rooms;
  }

  [[nodiscard]] std::string new_id() {
    const std::lock_guard lock(mutex_);
    return "local-" + std::to_string(++last_id_);
  }

  void join(const std::string& name, const std::shared_ptr<Ear>& ear) {
    const std::lock_guard lock(mutex_);
    auto& places = rooms_[name];
    if (places[0] && places[1]) {
      asio::post(ear->context, [ear, name] {
        if (ear->events == nullptr) return;
        std::exchange(ear->events, nullptr)
            ->on_signaling_closed(Error(Errc::room_full, "room \"" + name + "\" of this process has 2 members"));
      });
      return;
    }
    const std::size_t place = places[0] ? 1 : 0;
    const auto& other = places[1 - place];
    places[place] = ear;
    tell(ear, core::signaling::Welcome{
                  .you = ear->id, .polite = place == 1, .peer = other ? std::optional(other->id) : std::nullopt});
    if (other) tell(other, core::signaling::Joined{ear->id});
  }

  void pass_on(const std::string& name, const std::shared_ptr<Ear>& from, Frame frame) {
    const std::lock_guard lock(mutex_);
    if (const auto other = other_of(name, from)) tell(other, std::move(frame));
  }

  void leave(const std::string& name, const std::shared_ptr<Ear>& ear) {
    const std::lock_guard lock(mutex_);
    const auto found = rooms_.find(name);
    if (found == rooms_.end()) return;
    auto& places = found->second;
    if (places[0] != ear && places[1] != ear) return;
    const auto other = other_of(name, ear);
    places[places[0] == ear ? 0 : 1] = nullptr;
    if (other)
      tell(other, core::signaling::Left{ear->id});
    else
      rooms_.erase(found);
  }

 private:
  [[nodiscard]] std::shared_ptr<Ear> other_of(const std::string& name, const std::shared_ptr<Ear>& ear) {
    const auto found = rooms_.find(name);
    if (found == rooms_.end()) return nullptr;
    const auto& places = found->second;
    return places[0] == ear ? places[1] : places[1] == ear ? places[0] : nullptr;
  }

  std::mutex mutex_;
  std::uint64_t last_id_ = 0;
  std::map<std::string, std::array<std::shared_ptr<Ear>, 2>, std::less<>> rooms_;
};

class LocalMember final : public core::SignalingBackend {
 public:
  LocalMember(asio::io_context& context, std::string room)
      : room_(std::move(room)),
        ear_(std::make_shared<Ear>(context, LocalRooms::instance().new_id())),
        work_(context.get_executor()) {}
  LocalMember(const LocalMember&) = delete;
  LocalMember& operator=(const LocalMember&) = delete;
  ~LocalMember() override {
    ear_->events = nullptr;
    LocalRooms::instance().leave(room_, ear_);
  }

  void set_events(core::SignalingEvents& events) override {
    ear_->events = &events;
    LocalRooms::instance().join(room_, ear_);
  }

  void send(const Frame& frame) override {
    using core::signaling::Bye;
    using core::signaling::Candidate;
    using core::signaling::Description;
    auto& rooms = LocalRooms::instance();
    if (const auto* description = std::get_if<Description>(&frame)) {
      rooms.pass_on(room_, ear_, Description{ear_->id, description->description});
    } else if (const auto* candidate = std::get_if<Candidate>(&frame)) {
      rooms.pass_on(room_, ear_, Candidate{ear_->id, candidate->candidate});
    } else if (std::holds_alternative<Bye>(frame)) {
      rooms.pass_on(room_, ear_, Bye{ear_->id});
      rooms.leave(room_, ear_);
    }
  }

 private:
  std::string room_;
  std::shared_ptr<Ear> ear_;
  // Somebody of another thread may come yet: the loop is to wait.
  asio::executor_work_guard<asio::io_context::executor_type> work_;
};

}  // namespace

std::unique_ptr<core::SignalingBackend> open_local_room(asio::io_context& context, std::string_view room) {
  return std::make_unique<LocalMember>(context, std::string(room));
}

}  // namespace wdc::native::signaling

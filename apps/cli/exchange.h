// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "apps/web/transfer/session.h"
#include "wdc/wdc.h"

namespace wdc::cli {

/// What the command ends with.
enum class Status : std::uint8_t {
  done = 0,
  failed_here = 1,   ///< a file or folder of this machine
  usage = 2,         ///< an argument that makes no sense
  not_met = 3,       ///< the room, the connection or the protocol
  stopped = 4,       ///< declined, cancelled, or a file that could not be read or written over there
  interrupted = 130  ///< as a shell says it
};

struct Meeting {
  std::string server;  ///< "http://host:port", as the page's address, or a "ws://" URL in full
  std::string room;
};

struct Outcome {
  Status status = Status::done;
  std::string error{};
  std::string file{};  ///< its name, or where it is now
  std::uint64_t bytes = 0;
  std::string sha256{};
  double seconds = 0;  ///< from the acceptance to the end
};

/// Where the signaling of a server is: `ws://host:port/ws` for the page's `http://host:port/...`.
[[nodiscard]] std::string signaling_url(const std::string& server);

/// One file between this program and the other member of a room, which may be the page or this command elsewhere. Says
/// on standard error how far it is.
class Exchange : protected transfer::User {
 public:
  Exchange(EventLoop& loop, Meeting meeting) : loop_(loop), meeting_(std::move(meeting)) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  /// Once. SIGINT and SIGTERM end it, and the other side is told.
  [[nodiscard]] Task<Outcome> run();

 protected:
  /// The two have met.
  virtual void begin() = 0;
  /// Called once, when the file has arrived whole on the other side, or here.
  [[nodiscard]] virtual Outcome finish(const transfer::FileDone& done) = 0;

  [[nodiscard]] transfer::Session& session() { return *session_; }
  void started(std::uint64_t size);
  void end(Outcome outcome);
  void end(Status status, std::string error) { end({.status = status, .error = std::move(error)}); }
  /// The events that both roles have.
  void on_common_event(const transfer::Event& event);

  bool wants_file_ = false;  // accepts what is offered as soon as the Session may be called
  std::string local_error_;  // why read() or write() failed

 private:
  [[nodiscard]] Task<void> follow_session();
  void show_progress();

  EventLoop& loop_;
  Meeting meeting_;
  std::optional<Connection> connection_;
  std::optional<transfer::Session> session_;
  std::optional<Outcome> outcome_;
  std::uint64_t size_ = 0;
  std::optional<TimePoint> started_at_;
  int shown_ = -1;  // percent
  Spawned<void> following_;
};

}  // namespace wdc::cli

// SPDX-License-Identifier: MIT
// The driver's side of the wire to the far end; README.md has the commands.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "suite.h"
#include "wdc/wdc.h"

namespace conformance {

/// One command: a verb and fields, as an application/x-www-form-urlencoded line.
class Command {
 public:
  explicit Command(std::string_view verb) : text_("do=") { text_ += verb; }
  /// Fields without a verb, to be added to a command.
  Command() = default;

  Command& with(std::string_view key, std::string_view value);
  Command& with(std::string_view key, const char* value) { return with(key, std::string_view(value)); }
  template <std::integral T>
  Command& with(std::string_view key, T value) {
    return with(key, std::string_view(std::to_string(value)));
  }
  Command& with(const Command& fields);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class Reply {
 public:
  Reply() = default;
  explicit Reply(std::string_view line);
  [[nodiscard]] bool ok() const { return has("ok"); }
  [[nodiscard]] bool has(std::string_view key) const;
  /// The last one's. Empty if absent.
  [[nodiscard]] std::string_view text(std::string_view key) const;
  /// -1 if absent or not a number.
  [[nodiscard]] std::int64_t number(std::string_view key) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A meeting with the far end: a connection, and the control channel on it. Everything ends with it.
class Session {
 public:
  Session(Test& test, wdc::Connection&& connection, wdc::DataChannel&& control);

  /// Gives the far end's answer. A refused command or a lost control channel fails the test, and the reply is not ok().
  [[nodiscard]] wdc::Task<Reply> ask(Command command);
  /// The same for a command that may be refused: the reply then has "error".
  [[nodiscard]] wdc::Task<Reply> try_ask(Command command);
  /// Sends a command that has no answer.
  [[nodiscard]] wdc::Task<bool> tell(Command command);
  [[nodiscard]] wdc::PeerConnection& peer() { return connection.peer(); }

  wdc::Connection connection;
  wdc::DataChannel control;

 private:
  Test& test_;
  wdc::MessageStream replies_;
  std::uint32_t next_number_ = 1;
};

using SessionPointer = std::unique_ptr<Session>;

/// Meetings begun so far: the number of the room where the far end waits next.
[[nodiscard]] std::uint32_t meetings() noexcept;
/// The name of a room that nobody was in yet.
[[nodiscard]] std::string fresh_room(const Test& t, std::string_view purpose);

/// Meets the far end. Null, and the test has failed, if that does not work.
[[nodiscard]] wdc::Task<SessionPointer> meet(Test& t, wdc::PeerConnectionOptions options);
// Overloads instead of default arguments: GCC 12 destroys a braced temporary of an await's expression twice.
[[nodiscard]] wdc::Task<SessionPointer> meet(Test& t);
/// The same in another room, which the far end was told to join.
[[nodiscard]] wdc::Task<SessionPointer> meet_in(Test& t, std::string room, wdc::PeerConnectionOptions options);
[[nodiscard]] wdc::Task<SessionPointer> meet_in(Test& t, std::string room);

/// A channel that the driver creates and the far end takes as its channel `number`, open. `watch` is what the far end
/// does with what arrives. An empty handle, and the test has failed, if that does not work.
[[nodiscard]] wdc::Task<wdc::DataChannel> create_channel(Test& t, Session& far, int number, Command watch,
                                                         wdc::DataChannelOptions options);
[[nodiscard]] wdc::Task<wdc::DataChannel> create_channel(Test& t, Session& far, int number, Command watch = {});
/// A channel that the far end creates as its channel `number` and the driver accepts, open.
[[nodiscard]] wdc::Task<wdc::DataChannel> accept_channel(Test& t, Session& far, int number, Command watch = {});

/// Waits until channel `number` of the far end has `count` messages and reports.
[[nodiscard]] wdc::Task<Reply> report_of(Session& far, int number, std::uint64_t count);
/// Waits until it has closed and reports.
[[nodiscard]] wdc::Task<Reply> report_at_close(Session& far, int number);

enum class Offerer : std::uint8_t { driver, far_end };
/// Connects `peer` with the far end's new connection `number`, every description and candidate carried by hand. At
/// least one channel must exist on the side of the offerer. `max_message_size`, if given, is written into the far end's
/// description.
[[nodiscard]] wdc::Task<bool> connect_by_hand(Test& t, Session& far, wdc::PeerConnection& peer, int number,
                                              Offerer offerer,
                                              std::optional<std::uint64_t> max_message_size = std::nullopt);

}  // namespace conformance

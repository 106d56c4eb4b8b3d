// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "src/native/dcep/open_message.h"
#include "src/native/dcep/payload_kind.h"

namespace wdc::dcep {

/// The SCTP stream a channel uses in both directions.
class ChannelId {
 public:
  constexpr ChannelId() = default;
  constexpr explicit ChannelId(std::uint16_t value) : value_(value) {}
  [[nodiscard]] constexpr std::uint16_t value() const { return value_; }
  friend constexpr auto operator<=>(ChannelId, ChannelId) = default;

 private:
  std::uint16_t value_ = 0;
};

/// Decides whose ids are even (RFC 8832 section 6): the DTLS client's.
enum class DtlsRole : std::uint8_t { client, server };

/// The peer has opened a channel.
struct IncomingChannel {
  ChannelId id;
  ChannelParameters parameters;
};
/// The peer knows our channel now: messages may go unordered from here on.
struct ChannelAcknowledged {
  ChannelId id;
};
/// Both directions are reset; the id may be used again.
struct ChannelClosed {
  ChannelId id;
};
/// To be sent: ordered, reliable, as PayloadKind::control. Where the stream's last reset is not answered yet, when it
/// is.
struct ControlMessage {
  ChannelId id;
  std::vector<std::byte> bytes;
};
/// Our side of the stream is to be reset once everything queued on it was sent.
struct ResetRequest {
  ChannelId id;
};
using Output = std::variant<IncomingChannel, ChannelAcknowledged, ChannelClosed, ControlMessage, ResetRequest>;

/// Which channels there are, and how they come and go: DCEP (RFC 8832) and closing by stream reset (RFC 8831 section
/// 6.7). sans-IO: after every call, drain poll().
///
///   open() --OPEN--> opening --ACK--> open --close()--> closing --both directions reset--> (gone)
///   OPEN of the peer ------ACK------> open --peer's reset--> closing
class ChannelTable {
 public:
  /// Streams 0 to streams - 1 may be used; 65,535 is never one (RFC 8832 section 6).
  ChannelTable(DtlsRole role, std::uint16_t streams) : role_(role), streams_(streams) {}

  /// Opens a channel under a free id of our parity; empty where there is none left.
  [[nodiscard]] std::optional<ChannelId> open(const ChannelParameters& parameters);
  /// A channel that both ends create with the same id, without DCEP; false where the id is taken or out of range.
  [[nodiscard]] bool add_negotiated(ChannelId id);
  /// Begins closing; further messages from the peer are dropped.
  void close(ChannelId id);

  enum class Arrival { deliver, handled, dropped };
  /// A message on the channel's stream. `deliver`: it is the user's.
  [[nodiscard]] Arrival handle_message(ChannelId id, std::uint32_t ppid, std::span<const std::byte> message);
  /// The peer has reset its side.
  void handle_peer_reset(ChannelId id);
  /// Our side's reset is done.
  void handle_reset_done(ChannelId id);

  [[nodiscard]] std::optional<Output> poll();

  [[nodiscard]] bool exists(ChannelId id) const { return state(id) != State::none; }
  /// RFC 8832 section 6: until the peer has answered, a message must not overtake the OPEN.
  [[nodiscard]] bool must_send_ordered(ChannelId id) const { return state(id) == State::opening; }
  [[nodiscard]] std::size_t size() const { return count_; }
  /// Messages that no channel could take: malformed, of unknown PPIDs, for unknown channels.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  enum class State : std::uint8_t { none, opening, open, closing };
  struct Channel {
    State state = State::none;
    bool local_reset_done = false;
    bool peer_reset_done = false;
  };
  static constexpr std::size_t kPageSize = 256;
  using Page = std::array<Channel, kPageSize>;

  [[nodiscard]] Channel& at(ChannelId id);
  [[nodiscard]] State state(ChannelId id) const;
  [[nodiscard]] bool is_usable(ChannelId id) const { return id.value() < streams_ && id.value() != 65'535; }
  [[nodiscard]] std::uint16_t parity(DtlsRole role) const { return role == DtlsRole::client ? 0 : 1; }
  void create(ChannelId id, State state);
  void begin_close(ChannelId id);
  void finish_if_reset(ChannelId id);
  [[nodiscard]] Arrival handle_open(ChannelId id, std::span<const std::byte> message);
  [[nodiscard]] Arrival refuse(ChannelId id);

  DtlsRole role_;
  std::uint16_t streams_;
  std::array<std::unique_ptr<Page>, 65'536 / kPageSize> pages_;
  std::deque<Output> outputs_;
  std::size_t count_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint32_t next_id_ = 0;  // where the search for a free id goes on, of either parity
};

}  // namespace wdc::dcep

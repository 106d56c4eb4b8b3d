// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "src/native/dcep/channel_table.h"
#include "src/native/dtls/session.h"
#include "src/native/ice/agent.h"
#include "src/native/sctp/association.h"
#include "src/native/sctp/queue.h"

namespace wdc::native {

/// What the transports of one loop share. Outlives them, and the buffers of their messages.
struct TransportShared {
  dtls::Context& dtls;
  sctp::BufferPool& buffers;
  RandomSource& random;
  /// Where trains are written; a burst that poll_transmit() gave is valid until the next call of any of them.
  std::span<std::byte> train_memory;
};

struct TransportOptions {
  ice::AgentOptions ice{};
  dtls::SessionOptions dtls{};      // but for the role, which start() says
  sctp::AssociationOptions sctp{};  // but for the packet size and the remote port
  /// Bytes of the largest UDP payload. 1,200 fits every path that WebRTC knows.
  std::size_t datagram_size = 1'200;
  /// Datagrams that came before their path was checked, kept: the peer's first flight may overtake its check.
  std::size_t early_datagrams = 8;
  /// Messages, and bytes of them, kept for negotiated channels that the user has not created yet. One more closes the
  /// channel, like any message that nobody takes.
  std::size_t early_messages = 256;
  std::size_t early_message_bytes = std::size_t{256} << 10;
  /// Sees every packet of SCTP, not encrypted.
  std::function<void(TimePoint at, bool is_sent, std::span<const std::byte> packet)> packet_log{};
};

/// What both descriptions agree on.
struct TransportStart {
  dtls::Role role = dtls::Role::client;
  std::vector<dtls::Fingerprint> fingerprints;
  std::uint16_t remote_sctp_port = 5'000;
};

/// DTLS and SCTP are up: channels may send.
struct UpEvent {};
/// The peer has created a channel.
struct ChannelOpenedEvent {
  dcep::ChannelId id;
  dcep::ChannelParameters parameters;
};
/// The peer has begun to close a channel; ChannelGoneEvent follows.
struct ChannelClosingEvent {
  dcep::ChannelId id;
};
/// Both directions are closed; the id may be used again.
struct ChannelGoneEvent {
  dcep::ChannelId id;
};
/// What is buffered of a channel has fallen to its threshold.
struct ChannelLowEvent {
  dcep::ChannelId id;
};
/// The end, once. No error: the peer closed in an orderly way.
struct DownEvent {
  std::optional<Error> error;
};
using TransportEvent =
    std::variant<UpEvent, ChannelOpenedEvent, ChannelClosingEvent, ChannelGoneEvent, ChannelLowEvent, DownEvent>;

/// A message for a user.
struct TransportMessage {
  dcep::ChannelId channel;
  dcep::PayloadKind kind{};
  sctp::Buffer payload;  // with one byte that does not count where `empty`
  bool empty = false;
  /// To be told to Transport::consumed() when the user has it.
  [[nodiscard]] std::size_t charge() const { return payload.size(); }
};

/// Datagrams for one path, in order.
struct Burst {
  ice::Path path;
  std::span<const dtls::MutableByteView> datagrams;
  /// They lie behind one another in memory, all of one size but for the last, which may be shorter: one segmented send.
  bool is_train = false;

  /// All of them. REQUIRES: is_train.
  [[nodiscard]] std::span<const std::byte> train() const {
    const auto& last = datagrams.back();
    return {datagrams.front().data(), last.data() + last.size()};
  }
};

/// Noise from the network.
struct TransportStats {
  std::uint64_t datagrams_unknown = 0;    // neither STUN nor DTLS (RFC 7983)
  std::uint64_t datagrams_unchecked = 0;  // DTLS from where no check came, and there was no room to wait
};

/// The way to one peer: ICE, DTLS, SCTP and DCEP on top of one another, without sockets, clocks or threads.
///
/// After every call that is not const, and after those to ice(), drain it: poll_ice_event(), poll_message() and then
/// poll_event() until neither gives anything, as events and messages keep their order so, and poll_transmit(). Then
/// wait for datagrams, or until next_deadline() and call handle_timeout(). Time never goes backwards.
class Transport {
 public:
  Transport(const TransportOptions& options, const TransportShared& shared);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// For candidates, credentials and gathering; its events come from poll_ice_event().
  [[nodiscard]] ice::Agent& ice() { return ice_; }
  [[nodiscard]] const ice::Agent& ice() const { return ice_; }

  /// Both descriptions are there. Once. Errors: invalid_argument (no fingerprint).
  [[nodiscard]] Result<void> start(TransportStart start, TimePoint now);
  [[nodiscard]] bool started() const { return session_.has_value(); }
  [[nodiscard]] bool is_up() const { return state_ == State::up; }

  /// A burst that came in on one path, in order; opened where it lies.
  void handle_datagrams(const ice::Path& path, std::span<const dtls::MutableByteView> datagrams, TimePoint now);
  void handle_timeout(TimePoint now);

  [[nodiscard]] std::optional<Burst> poll_transmit(TimePoint now);
  [[nodiscard]] std::optional<TransportMessage> poll_message(TimePoint now);
  [[nodiscard]] std::optional<TransportEvent> poll_event();
  [[nodiscard]] std::optional<ice::AgentEvent> poll_ice_event(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- channels; REQUIRES: is_up().

  /// Empty where no id is left.
  [[nodiscard]] std::optional<dcep::ChannelId> open_channel(const dcep::ChannelParameters& parameters, TimePoint now);
  [[nodiscard]] bool add_negotiated(dcep::ChannelId id);
  /// Delivers what is queued, then closes.
  void close_channel(dcep::ChannelId id, TimePoint now);
  /// Closes without what is queued and was not sent yet; what was sent is delivered.
  void abort_channel(dcep::ChannelId id, TimePoint now);
  /// An empty message is a Payload of one byte. `options.unordered` is heeded once the peer knows the channel.
  [[nodiscard]] sctp::SendStatus send(dcep::ChannelId id, dcep::PayloadKind kind, bool empty, sctp::Payload payload,
                                      sctp::SendOptions options, TimePoint now);
  void set_low_threshold(dcep::ChannelId id, std::size_t bytes);
  [[nodiscard]] std::size_t buffered(dcep::ChannelId id) const;

  /// Much waits that could be sent now, on a path so short that not the network limits it but the processor, which
  /// others want too.
  [[nodiscard]] bool has_bulk() const;
  /// While held, nothing is sent that was not sent before.
  void hold(bool held);

  /// The user has done with so many bytes of messages.
  void consumed(std::size_t bytes);

  /// Tells the peer, then is silent: drain poll_transmit() once more. Idempotent.
  void close(TimePoint now);

  [[nodiscard]] const TransportStats& stats() const { return stats_; }
  [[nodiscard]] sctp::AssociationStats sctp_stats() const;

 private:
  enum class State : std::uint8_t { new_, connecting, up, closing, down };
  struct EarlyDatagram {
    ice::Path path;
    std::vector<std::byte> bytes;
  };

  void handle_dtls(TimePoint now);
  void receive(std::span<const dtls::MutableByteView> texts, TimePoint now);
  void take_session_events(TimePoint now);
  void take_association_events(TimePoint now);
  void take_channel_outputs(TimePoint now);
  void carry_out(dcep::Output output, TimePoint now);
  [[nodiscard]] bool hold_if_resetting(dcep::ChannelId id, dcep::Output& output);
  [[nodiscard]] bool carry_out_held(dcep::ChannelId id, TimePoint now);
  void release_early(TimePoint now);
  void end(std::optional<Error> error, TimePoint now);
  [[nodiscard]] bool keep_early(TransportMessage& message);
  void drop_early(dcep::ChannelId id);
  [[nodiscard]] std::optional<Burst> single(const ice::Path& path, dtls::ByteView bytes);
  [[nodiscard]] std::optional<Burst> sealed_train(const ice::Path& path, TimePoint now);

  TransportOptions options_;
  TransportShared shared_;
  State state_ = State::new_;
  TransportStats stats_;

  ice::Agent ice_;
  std::optional<dtls::Session> session_;
  bool session_started_ = false;
  std::optional<dtls::ClosedEvent> session_closed_;  // not told yet
  std::optional<sctp::Association> association_;
  std::optional<dcep::ChannelTable> channels_;

  std::vector<dtls::MutableByteView> dtls_datagrams_;  // of the burst in hand
  std::vector<sctp::ByteView> packets_;
  std::vector<EarlyDatagram> early_;
  /// For streams whose reset is not answered yet: the peer, whose answer was lost, has opened them anew. At most two of
  /// a channel, an answer and a reset; they go with it, so that a peer that never answers cannot make them more.
  std::map<dcep::ChannelId, std::vector<dcep::Output>> held_;
  std::vector<TransportMessage> early_messages_;  // of channels that are not there yet
  std::size_t early_message_bytes_ = 0;
  sctp::Queue<TransportMessage> released_;  // of channels that now are

  std::array<dtls::MutableByteView, sctp::PacketTrain::kMostPackets> sealed_{};
  std::vector<std::byte> sending_;  // of a single datagram
  sctp::Queue<TransportEvent> events_;
};

}  // namespace wdc::native

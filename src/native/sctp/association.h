// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/native/sctp/control_queue.h"
#include "src/native/sctp/packet/error_cause.h"
#include "src/native/sctp/packet/heartbeat_chunk.h"
#include "src/native/sctp/packet/init_chunk.h"
#include "src/native/sctp/packet_train.h"
#include "src/native/sctp/queue.h"
#include "src/native/sctp/random_source.h"
#include "src/native/sctp/received_message.h"
#include "src/native/sctp/rx/reception.h"
#include "src/native/sctp/state_cookie.h"
#include "src/native/sctp/stream_reset.h"
#include "src/native/sctp/tx/transmission.h"

namespace wdc::sctp {

/// RFC 9260 section 3.3.2: who advertises a smaller window than this, in bytes, is refused.
inline constexpr std::uint32_t kLeastReceiveWindow = 1'500;

struct AssociationOptions {
  /// RFC 8841: the port of the SDP's sctp-port line, 5000 by custom.
  Port local_port{5000};
  Port remote_port{5000};
  /// The largest SCTP packet, in bytes; rounded down to a multiple of 4. 1,191 is what browsers use: it fits an IPv6
  /// packet of 1,280 bytes with everything around it.
  std::size_t packet_size = 1'191;
  /// Bytes of messages that may be here unread, and the window that is advertised; at least
  /// kLeastReceiveWindow. 5 MiB, as Chromium: 400 Mbit/s at 100 ms.
  std::size_t receive_window = std::size_t{5} << 20;
  /// The largest message taken from the peer, as announced in the SDP; a larger one ends the association.
  std::size_t receive_message_size = std::size_t{256} << 10;
  /// RFC 8831 section 6.2: 65,535 in each direction.
  std::uint16_t streams = 65'535;
  Capabilities capabilities{
      .partial_reliability = true, .message_interleaving = true, .stream_reset = true, .zero_checksum = false};
  SackRate sack_rate = SackRate::every_second_packet;
  RetransmissionTimeoutOptions timeouts;
  /// RFC 9260 section 16: Max.Init.Retransmits and Association.Max.Retrans.
  int max_init_retransmits = 8;
  int max_retransmits = 10;
  /// RFC 9260 section 16: HB.interval. Zero: no heartbeats.
  Duration heartbeat_interval = std::chrono::seconds(30);
  /// RFC 9260 section 16: Valid.Cookie.Life.
  Duration cookie_lifetime = std::chrono::seconds(60);
  /// Makes the congestion controller for packets of a size; Cubic if empty.
  std::function<std::unique_ptr<CongestionController>(std::size_t packet_size)> congestion;
};

/// Both ends have agreed.
struct ConnectedEvent {
  Capabilities capabilities;  // those of both ends; zero_checksum: that we may leave it out
  std::uint16_t outbound_streams = 0;
  std::uint16_t inbound_streams = 0;
};
/// The peer has forgotten the association and begun a new one (RFC 9260 section 5.2.4, action A): streams are at their
/// start, and what was on the way is lost.
struct RestartedEvent {
  ConnectedEvent connected;
};
/// The peer has reset its side of these streams; messages still to be polled are from before. No stream: all of them.
struct PeerResetEvent {
  std::vector<StreamId> streams;
};
/// The reset of our side of these streams is done, or was refused.
struct ResetEvent {
  std::vector<StreamId> streams;
  bool performed = false;
};
/// What is buffered for a stream has fallen to its threshold.
struct BufferedLowEvent {
  StreamId stream;
};
enum class CloseReason : std::uint8_t { shutdown, aborted_by_peer, aborted, timed_out, protocol_violation };
/// The last event.
struct ClosedEvent {
  CloseReason reason{};
  CauseCode cause = CauseCode::none;
  std::string detail;  // the peer's bytes where it aborted: not to be trusted
};
using Event = std::variant<ConnectedEvent, RestartedEvent, PeerResetEvent, ResetEvent, BufferedLowEvent, ClosedEvent>;

enum class SendStatus : std::uint8_t { ok, empty_message, too_large, no_such_stream, stream_is_resetting, closed };

/// Noise from the network and other numbers worth knowing.
struct AssociationStats {
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_malformed = 0;    // too short, wrong checksum, broken chunk
  std::uint64_t packets_misdirected = 0;  // wrong ports or verification tag
  std::uint64_t cookies_refused = 0;
  std::uint64_t sacks_refused = 0;
  std::uint64_t unknown_chunks = 0;
  std::uint64_t duplicate_chunks = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t timeouts = 0;  // of the retransmission timer
  std::uint64_t probes = 0;    // of what was sent last
  std::uint64_t abandoned_messages = 0;
  std::size_t in_flight_bytes = 0;
  std::size_t congestion_window = 0;
  std::size_t unread_bytes = 0;
  Duration smoothed_round_trip{};
};

/// One SCTP association over one path (RFC 9260), without sockets, clocks or threads.
///
/// After every call that is not const, drain it: poll_transmit() until the train stays empty, poll_event() and
/// poll_message() as long as they give something; then wait for packets, or until next_deadline() and call
/// handle_timeout(). Time never goes backwards.
///
///   closed --connect()--> cookie_wait --INIT ACK--> cookie_echoed --COOKIE ACK--> established
///     |                                                                              ^   |
///     +----------------------------COOKIE ECHO---------------------------------------+   |
///                                                                                        |
///   established --shutdown()--> shutdown_pending --all acked--> shutdown_sent --SHUTDOWN ACK--> ended
///   established --SHUTDOWN----> shutdown_received --all acked--> shutdown_ack_sent --COMPLETE--> ended
class Association {
 public:
  enum class State : std::uint8_t {
    closed,
    cookie_wait,
    cookie_echoed,
    established,
    shutdown_pending,
    shutdown_sent,
    shutdown_received,
    shutdown_ack_sent,
    ended,
  };

  /// `pool` and `random` outlive the association and the messages polled from it.
  Association(AssociationOptions options, BufferPool& pool, RandomSource& random);
  ~Association();

  // ---- mutators

  /// Sends an INIT. Both ends may do so at once (RFC 9260 section 5.2.1). Without it, waits for the peer's.
  void connect(TimePoint now);
  /// Queues a message; fragments are cut from `payload` when they are sent. Allowed before the association is set up.
  [[nodiscard]] SendStatus send(StreamId stream, Ppid ppid, Payload payload, const SendOptions& options, TimePoint now);
  /// Drops what is queued on a stream and was not sent, but for messages of the PPID `kept`: a channel's own, without
  /// which the peer could not follow. One that is partly sent is given up (RFC 3758), where the peer knows how.
  void discard(StreamId stream, Ppid kept, TimePoint now);
  /// Resets our side of a stream once everything queued on it was sent; nothing can be sent on it until ResetEvent.
  [[nodiscard]] SendStatus reset_stream(StreamId stream, TimePoint now);
  /// Ends the association when everything queued was acknowledged.
  void shutdown(TimePoint now);
  /// Ends it at once. `detail` goes to the peer.
  void abort(std::string_view detail, TimePoint now);
  /// Streams with larger weights get more of the bandwidth, in proportion.
  void set_stream_weight(StreamId stream, std::uint16_t weight) { transmission_.queue().set_weight(stream, weight); }
  void set_buffered_low_threshold(StreamId stream, std::size_t bytes) {
    transmission_.queue().set_low_threshold(stream, bytes);
  }
  /// While held, only what was sent before is sent again, and control chunks: others have their turn.
  void hold(bool held) { transmission_.hold(held); }
  /// The user has done with so many bytes of polled messages: they count against the window until then.
  void consumed(std::size_t bytes);

  // ---- handle

  /// One burst of packets, in the order they came.
  void handle_packets(std::span<const ByteView> packets, TimePoint now);
  void handle_timeout(TimePoint now);

  // ---- poll

  /// Fills the train, which must be empty and have slots of at least packet_size(); leaves it empty if there is nothing
  /// to send.
  void poll_transmit(PacketTrain& train, TimePoint now);
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] std::optional<ReceivedMessage> poll_message();
  /// kNever: only a packet or a call can change anything.
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- getters

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] std::size_t packet_size() const { return packet_size_; }
  [[nodiscard]] std::size_t buffered(StreamId stream) const { return transmission_.queue().buffered(stream); }
  [[nodiscard]] std::size_t buffered() const { return transmission_.queue().buffered(); }
  /// Our side of it is to be reset, or was and the peer has not answered: send() refuses.
  [[nodiscard]] bool is_resetting(StreamId stream) const { return reset_ && reset_->state(stream) != ResetState::none; }
  /// For one more packet of data.
  [[nodiscard]] bool peer_has_room() const { return transmission_.peer_has_room(); }
  /// The shortest round trip so far.
  [[nodiscard]] Duration shortest_round_trip() const { return transmission_.timeout().shortest(); }
  [[nodiscard]] AssociationStats stats() const;

 private:
  /// What is known of the peer.
  struct Peer {
    VerificationTag tag;
    Tsn initial_tsn;
    std::uint32_t window = 0;
    std::uint16_t outbound_streams = 0;
    std::uint16_t inbound_streams = 0;
    Capabilities capabilities;
  };

  // Packets and chunks: association.cc.
  void handle_packet(ByteView bytes, TimePoint now);
  [[nodiscard]] bool accept_tag(const PacketView& packet, const ChunkView& first);
  void handle_chunks(const PacketView& packet, TimePoint now);
  /// False where the rest of the packet is to be left alone.
  [[nodiscard]] bool handle_chunk(const PacketView& packet, const ChunkView& chunk, TimePoint now);
  template <class Chunk>
  void handle_data(const ChunkView& chunk, DataKind kind, TimePoint now);
  template <class Chunk>
  void handle_forward(const ChunkView& chunk, DataKind kind, TimePoint now);
  void handle_sack(const ChunkView& chunk, TimePoint now);
  void handle_reconfig(const ChunkView& chunk, TimePoint now);
  void perform_peer_reset();
  [[nodiscard]] bool handle_unknown(const ChunkView& chunk);
  void handle_stray(const PacketView& packet, const ChunkView& first);

  // Set-up: association_set_up.cc.
  void handle_init(const PacketView& packet, const ChunkView& chunk, TimePoint now);
  void handle_init_ack(const ChunkView& chunk, TimePoint now);
  [[nodiscard]] bool handle_cookie_echo(const PacketView& packet, const ChunkView& chunk, TimePoint now);
  [[nodiscard]] bool accept_cookie(const StateCookie& cookie, TimePoint now);
  void handle_cookie_ack(TimePoint now);
  void handle_error(const ChunkView& chunk, TimePoint now);
  void handle_set_up_timeout(TimePoint now);
  [[nodiscard]] InitToSend our_init(ChunkType type, VerificationTag tag, Tsn tsn) const;
  void set_up(const Peer& peer);
  void become_established(TimePoint now);
  [[nodiscard]] ConnectedEvent connected_event() const;
  void restart(const StateCookie& cookie, TimePoint now);
  void renew_local_numbers();

  // The end and the path: association_end.cc.
  void handle_shutdown(const ChunkView& chunk, TimePoint now);
  void handle_shutdown_ack(const PacketView& packet);
  void handle_abort(const ChunkView& chunk);
  void violate(std::string_view detail);
  void abort_with(CauseCode cause, std::string_view detail, CloseReason reason);
  void end(CloseReason reason, CauseCode cause, std::string_view detail);
  void handle_heartbeat(const ChunkView& chunk);
  void handle_heartbeat_ack(const ChunkView& chunk, TimePoint now);
  void handle_shutdown_timeout(TimePoint now);
  void handle_heartbeat_timeout(TimePoint now);
  void count_error();
  void arm_heartbeat(TimePoint now);

  // Sending.
  [[nodiscard]] CommonHeader header() const { return {options_.local_port, options_.remote_port, peer_.tag}; }
  [[nodiscard]] Checksum outgoing_checksum() const;
  void transmit_control(PacketTrain& train, TimePoint now);
  void transmit_data(PacketTrain& train, TimePoint now);
  [[nodiscard]] bool may_send_data() const;
  [[nodiscard]] bool is_set_up() const;
  template <class Chunk>
  void answer(VerificationTag tag, const Chunk& chunk) {
    control_.push({options_.local_port, options_.remote_port, tag}, chunk, packet_size_);
  }
  void go_on(TimePoint now);

  AssociationOptions options_;
  std::size_t packet_size_;
  BufferPool& pool_;
  RandomSource& random_;
  SipHashKey cookie_key_;
  State state_ = State::closed;

  VerificationTag local_tag_;
  Tsn local_initial_tsn_;
  Peer peer_;
  std::vector<std::byte> peer_cookie_;
  std::vector<std::byte> unrecognized_parameters_;  // of the INIT ACK, to be reported with the cookie

  Transmission transmission_;
  std::unique_ptr<Reception> reception_;
  std::unique_ptr<StreamReset> reset_;

  ControlQueue control_;
  bool init_due_ = false;
  bool cookie_echo_due_ = false;
  bool cookie_ack_due_ = false;
  bool heartbeat_due_ = false;
  bool shutdown_due_ = false;
  bool shutdown_ack_due_ = false;
  bool answered_stray_ = false;  // in this burst

  TimePoint set_up_deadline_ = kNever;  // T1
  Duration set_up_timeout_{};
  int set_up_attempts_ = 0;
  TimePoint shutdown_deadline_ = kNever;  // T2
  TimePoint heartbeat_deadline_ = kNever;
  std::uint64_t heartbeat_nonce_ = 0;
  TimePoint heartbeat_sent_ = kNever;  // kNever: none is unanswered
  int errors_ = 0;

  Queue<Event> events_;
  AssociationStats stats_;
};

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/native/dtls/alert.h"
#include "src/native/dtls/handshake.h"
#include "src/native/dtls/record_opener.h"

namespace wdc::dtls {

struct SessionOptions {
  Role role = Role::client;
  /// What datagrams of the handshake may have. Path MTU discovery only begins after it, so what every path carries.
  std::size_t datagram_size = 1'200;
  /// RFC 6347 section 4.2.4.1 starts with a second where nothing is known of the path; here ICE has just measured it.
  /// Doubled each time.
  Duration retransmission = std::chrono::milliseconds(400);
  Duration longest_retransmission = std::chrono::seconds(4);
  /// From start() to the end of the handshake.
  Duration handshake_timeout = std::chrono::seconds(30);
  /// Protected records that came before the handshake's end, or before the fingerprints: kept up to these limits.
  std::size_t early_bytes = 64 * 1'024;
  std::size_t early_records = 64;
  RecordLimits limits{};
};

/// The handshake is done and the peer's certificate has the fingerprints announced. From here on seal() may be used.
struct ConnectedEvent {
  std::string cipher_suite;
};
/// The end, once. No error: one of the ends closed in an orderly way.
struct ClosedEvent {
  std::optional<Error> error;
};
using Event = std::variant<ConnectedEvent, ClosedEvent>;

/// Noise from the network is counted.
struct SessionStats {
  std::uint64_t records_sealed = 0;
  std::uint64_t records_opened = 0;
  std::uint64_t records_malformed = 0;  // headers that are none, records too short or long for their type
  std::uint64_t records_replayed = 0;
  std::uint64_t records_forged = 0;
  std::uint64_t records_of_other_epochs = 0;  // future ones, and plain text after the handshake
  std::uint64_t records_ignored = 0;          // well-formed, of no use in this state
  std::uint64_t early_records_dropped = 0;
  std::uint64_t flights_repeated = 0;
};

/// One DTLS 1.2 association (RFC 6347) for one peer: datagrams, calls and the time go in; texts, datagrams, events and
/// the next deadline come out. OpenSSL makes and reads the handshake's messages; all records that leave are numbered
/// and protected here, so that one writer owns each sequence. After the handshake OpenSSL's state is gone.
///
/// INVARIANT: after every call that is not const, drain poll_transmit() and poll_event().
class Session {
 public:
  enum class State : std::uint8_t {
    idle,         // before start()
    handshaking,  // OpenSSL at work
    verifying,    // done, but nobody has said yet which fingerprints the peer has
    connected,
    closed,
  };

  Session(Context& context, const SessionOptions& options) : context_(context), options_(options) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// What the peer's certificate must have, all of it; before or after start(). Until it is known nothing is delivered,
  /// and once given it stays. Errors: invalid_argument (none given), invalid_state (given before).
  [[nodiscard]] Result<void> set_remote_fingerprints(std::vector<Fingerprint> fingerprints);
  /// A client sends its first flight, a server begins to listen. Once.
  void start(TimePoint now);

  /// A burst, which is opened where it lies. Returns the application's texts in order: inside the datagrams, or in
  /// memory of the session; all valid until the next call.
  [[nodiscard]] std::span<const MutableByteView> handle_datagrams(std::span<const MutableByteView> datagrams,
                                                                  TimePoint now);
  /// As handle_datagrams with none: the texts that waited for the fingerprints.
  [[nodiscard]] std::span<const MutableByteView> take_early_texts(TimePoint now) { return handle_datagrams({}, now); }

  /// Application data: see RecordSealer. False where the session is not connected, or its key is spent and it has just
  /// ended with an event.
  [[nodiscard]] bool seal(std::span<MutableByteView> texts);

  /// A datagram of the handshake, or an alert. Valid until the next call.
  [[nodiscard]] std::optional<ByteView> poll_transmit();
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] TimePoint next_deadline() const;
  void handle_timeout(TimePoint now);

  /// Tells the peer (close_notify) where it can be told. Idempotent.
  void close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const SessionStats& stats() const { return stats_; }
  /// The peer's, DER; empty before it came.
  [[nodiscard]] ByteView remote_certificate() const { return remote_certificate_; }

 private:
  /// A record as it is repeated: under a new number, sealed anew where the epoch is 1.
  struct FlightRecord {
    RecordHeader header{};
    std::vector<std::byte> text;
    bool starts_datagram = false;
  };

  void handle_datagram(MutableByteView datagram, TimePoint now);
  void handle_record(const Record& record, TimePoint now);
  void keep_early(const Record& record);
  void open_waiting();
  void open_early();
  void handle_opened(const ArrivedRecord& arrived);
  void handle_alert(ByteView text);
  void handle_late_handshake(ByteView text);

  void collect_output(TimePoint now);
  [[nodiscard]] bool read_flight(std::span<DatagramBio::Datagram> datagrams);
  [[nodiscard]] bool derive_keys();
  void send_flight();
  void append_record(std::vector<std::byte>& datagram, const FlightRecord& record);
  void finish_handshake();
  void after_verification();
  void send_alert(std::uint8_t level, AlertDescription description);
  void end(std::optional<Error> error);
  void fail_with(Error error, AlertDescription description);

  Context& context_;
  SessionOptions options_;
  State state_ = State::idle;
  SessionStats stats_;

  std::vector<Fingerprint> remote_fingerprints_;
  std::vector<std::byte> remote_certificate_;
  std::unique_ptr<Handshake> handshake_;
  std::string cipher_suite_;

  std::optional<RecordSealer> sealer_;
  std::optional<RecordOpener> opener_;
  std::unique_ptr<RecordOpener> own_opener_;  // for what OpenSSL sealed; during the handshake
  std::unique_ptr<Aead> read_aead_;           // until the handshake is done
  Salt read_salt_{};
  std::uint64_t next_plain_sequence_ = 0;  // epoch 0

  std::vector<FlightRecord> flight_;  // the last one: repeated until it is answered
  Duration retransmission_{};
  TimePoint retransmit_at_ = kNever;
  TimePoint give_up_at_ = kNever;

  std::vector<std::vector<std::byte>> early_;  // protected records
  std::size_t early_bytes_ = 0;
  std::vector<std::vector<std::byte>> delivered_early_;  // their memory, until the next call

  std::vector<ArrivedRecord> waiting_;  // of this burst, to be opened together
  std::vector<MutableByteView> texts_;
  std::deque<std::vector<std::byte>> outgoing_;
  std::vector<std::byte> sending_;
  std::deque<Event> events_;
};

}  // namespace wdc::dtls

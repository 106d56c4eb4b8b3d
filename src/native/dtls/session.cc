// SPDX-License-Identifier: MIT
#include "src/native/dtls/session.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <cassert>

#include "src/native/dtls/record_job.h"

namespace wdc::dtls {
namespace {

/// As many records come at once where little is sent.
constexpr std::size_t kIdleJobs = 4;

constexpr std::byte kFinished{20};  // handshake type, RFC 5246 section 7.4

std::string describe(std::uint8_t description) {
  return std::string(SSL_alert_desc_string_long(description)) + " (" + std::to_string(description) + ")";
}

}  // namespace

Result<void> Session::set_remote_fingerprints(std::vector<Fingerprint> fingerprints) {
  if (fingerprints.empty()) return fail(Errc::invalid_argument, "the peer announced no fingerprint");
  if (!remote_fingerprints_.empty()) return fail(Errc::invalid_state, "the peer's fingerprints are known already");
  remote_fingerprints_ = std::move(fingerprints);
  if (state_ == State::verifying) after_verification();
  return {};
}

void Session::start(TimePoint now) {
  if (state_ != State::idle) return;
  state_ = State::handshaking;
  retransmission_ = options_.retransmission;
  give_up_at_ = now + options_.handshake_timeout;
  handshake_ =
      std::make_unique<Handshake>(context_, options_.role, options_.datagram_size, [this](ByteView certificate) {
        // Before the fingerprints are known anyone is let in, as far as `verifying`.
        return remote_fingerprints_.empty() ? Result<void>() : check_fingerprints(certificate, remote_fingerprints_);
      });
  handshake_->start();
  collect_output(now);
}

// --- What comes in
// ------------------------------------------------------------------------------------------------------

std::span<const MutableByteView> Session::handle_datagrams(std::span<const MutableByteView> datagrams, TimePoint now) {
  texts_.clear();
  delivered_early_.clear();
  if (state_ == State::connected && !early_.empty()) open_early();
  for (const MutableByteView datagram : datagrams) handle_datagram(datagram, now);
  open_waiting();
  return texts_;
}

void Session::handle_datagram(MutableByteView datagram, TimePoint now) {
  RecordWalk walk(datagram);
  while (const auto record = walk.next()) handle_record(*record, now);
  if (walk.rubbish()) ++stats_.records_malformed;
}

void Session::handle_record(const Record& record, TimePoint now) {
  const ContentType type = record.header.type;
  const bool known = type >= ContentType::change_cipher_spec && type <= ContentType::application_data;
  if (!known || state_ == State::idle || state_ == State::closed) {
    ++stats_.records_ignored;
    return;
  }
  const bool is_protected = record.header.epoch == 1;
  if (record.header.epoch > 1 || (!is_protected && (!handshake_ || type == ContentType::application_data))) {
    ++stats_.records_of_other_epochs;
    return;
  }
  if (handshake_ && type != ContentType::application_data) {
    open_waiting();
    handshake_->handle_record(record.bytes);
    collect_output(now);
    if (state_ == State::connected && !early_.empty()) open_early();
    return;
  }
  if (state_ == State::connected || (state_ == State::verifying && type != ContentType::application_data)) {
    if (waiting_.size() == kIdleJobs) [[unlikely]] {  // no longer idle: room for the longest burst
      waiting_.reserve(kMostJobs);
      texts_.reserve(kMostJobs);
    }
    waiting_.push_back({record, {}, {}});
    if (waiting_.size() == kMostJobs) open_waiting();
    return;
  }
  keep_early(record);
}

void Session::keep_early(const Record& record) {
  if (early_.size() >= options_.early_records || early_bytes_ + record.bytes.size() > options_.early_bytes) {
    ++stats_.early_records_dropped;
    return;
  }
  early_bytes_ += record.bytes.size();
  early_.emplace_back(record.bytes.begin(), record.bytes.end());
}

void Session::open_early() {
  // Their memory must last as long as the texts.
  delivered_early_ = std::exchange(early_, {});
  early_bytes_ = 0;
  for (auto& bytes : delivered_early_) {
    RecordWalk walk(bytes);
    if (const auto record = walk.next()) waiting_.push_back({*record, {}, {}});
  }
  open_waiting();
}

void Session::open_waiting() {
  if (waiting_.empty()) return;
  opener_->open(waiting_);
  for (const ArrivedRecord& arrived : waiting_) {
    switch (arrived.status) {
      case OpenStatus::opened:
        ++stats_.records_opened;
        if (state_ != State::closed) handle_opened(arrived);
        break;
      case OpenStatus::malformed:
        ++stats_.records_malformed;
        break;
      case OpenStatus::replayed:
        ++stats_.records_replayed;
        break;
      case OpenStatus::forged:
        ++stats_.records_forged;
        break;
    }
  }
  waiting_.clear();
  if (opener_->exhausted() && state_ != State::closed) {
    fail_with(Error(Errc::transport_error, opener_->failed_tags(), options_.limits.failed_tags,
                    "too many forged DTLS records arrived for their key to be trusted"),
              AlertDescription::internal_error);
  }
}

void Session::handle_opened(const ArrivedRecord& arrived) {
  switch (arrived.record.header.type) {
    case ContentType::application_data:
      flight_.clear();  // the peer has our Finished, or it would not have sent
      if (!arrived.text.empty()) texts_.push_back(arrived.text);
      break;
    case ContentType::alert:
      handle_alert(arrived.text);
      break;
    case ContentType::handshake:
      handle_late_handshake(arrived.text);
      break;
    default:
      ++stats_.records_ignored;
      break;
  }
}

void Session::handle_alert(ByteView text) {
  if (text.size() != 2) {
    ++stats_.records_malformed;
    return;
  }
  const auto level = std::to_integer<std::uint8_t>(text[0]);
  const auto description = std::to_integer<std::uint8_t>(text[1]);
  if (AlertDescription{description} == AlertDescription::close_notify) {
    send_alert(kAlertWarning, AlertDescription::close_notify);  // RFC 5246 section 7.2.1: answered, then closed
    end(std::nullopt);
  } else if (level == kAlertFatal) {
    end(Error(Errc::transport_error, "the peer ended DTLS: " + describe(description)));
  } else {
    ++stats_.records_ignored;
  }
}

void Session::handle_late_handshake(ByteView text) {
  // The peer repeats its Finished: it lacks ours (RFC 6347 section 4.2.4). Anything else would be a renegotiation.
  const bool finished = !text.empty() && text[0] == kFinished;
  if (!finished || options_.role != Role::server || flight_.empty()) {
    ++stats_.records_ignored;
    return;
  }
  ++stats_.flights_repeated;
  send_flight();
}

// --- The handshake
// ------------------------------------------------------------------------------------------------------

void Session::collect_output(TimePoint now) {
  std::vector<DatagramBio::Datagram> output = std::exchange(handshake_->output(), {});
  const auto state = handshake_->state();
  if (!output.empty()) {
    if (!read_flight(output)) {
      handshake_.reset();
      end(Error(Errc::transport_error, "the keys of the DTLS handshake could not be used"));
      return;
    }
    send_flight();
    retransmission_ = options_.retransmission;
    retransmit_at_ = now + retransmission_;
  }
  if (remote_certificate_.empty()) remote_certificate_ = handshake_->certificate();
  if (state == Handshake::State::failed) {
    const auto error = handshake_->error();
    // OpenSSL has told the peer, unless the failure is of our own finding.
    const bool told = !output.empty() && flight_.back().header.type == ContentType::alert;
    handshake_.reset();
    if (error && !told && sealer_) send_alert(kAlertFatal, AlertDescription::handshake_failure);
    end(error);
  } else if (state == Handshake::State::done) {
    finish_handshake();
  }
}

/// Takes what OpenSSL sealed out of its records. The numbers and nonces it chose were never on the wire.
bool Session::read_flight(std::span<DatagramBio::Datagram> datagrams) {
  flight_.clear();
  for (auto& datagram : datagrams) {
    bool first = true;
    RecordWalk walk(datagram);
    while (const auto record = walk.next()) {
      MutableByteView text = record->fragment();
      ArrivedRecord own{*record, {}, {}};
      if (record->header.epoch == 1) {
        if (!sealer_ && !derive_keys()) return false;
        own_opener_->open({&own, 1});
        if (own.status != OpenStatus::opened) return false;
        text = own.text;
      }
      flight_.push_back({record->header, {text.begin(), text.end()}, std::exchange(first, false)});
    }
  }
  return true;
}

bool Session::derive_keys() {
  KeyBlock keys;
  if (!handshake_->derive_keys(keys)) return false;
  const bool client = options_.role == Role::client;
  const KeyBlock::Half& write = client ? keys.client : keys.server;
  const KeyBlock::Half& read = client ? keys.server : keys.client;
  AeadProvider& provider = context_.aead_provider();
  const auto make = [&](AeadDirection direction, const KeyBlock::Half& half) {
    return provider.create(keys.algorithm, direction, std::span(half.key).first(key_size(keys.algorithm)));
  };
  auto sealing = make(AeadDirection::seal, write);
  auto own = make(AeadDirection::open, write);
  read_aead_ = make(AeadDirection::open, read);
  read_salt_ = read.salt;
  if (!sealing || !own || !read_aead_) return false;
  sealer_.emplace(std::move(sealing), write.salt, options_.limits);
  own_opener_ = std::make_unique<RecordOpener>(std::move(own), write.salt);
  return true;
}

void Session::send_flight() {
  for (const FlightRecord& record : flight_) {
    if (record.starts_datagram) outgoing_.emplace_back();
    append_record(outgoing_.back(), record);
  }
}

void Session::append_record(std::vector<std::byte>& datagram, const FlightRecord& record) {
  const std::size_t start = datagram.size();
  if (record.header.epoch == 0) {
    RecordHeader header = record.header;
    header.sequence = next_plain_sequence_++;
    datagram.resize(start + kHeaderSize);
    header.write(datagram.data() + start);
    datagram.insert(datagram.end(), record.text.begin(), record.text.end());
    return;
  }
  datagram.resize(start + kHeadRoom + record.text.size() + kTailRoom);
  MutableByteView text = std::span(datagram).subspan(start + kHeadRoom, record.text.size());
  std::ranges::copy(record.text, text.begin());
  if (!sealer_->seal(record.header.type, {&text, 1})) {
    datagram.resize(start);  // the key is spent: the peer will give up by itself
    return;
  }
  ++stats_.records_sealed;
}

void Session::finish_handshake() {
  const bool usable = sealer_ || derive_keys();
  cipher_suite_ = handshake_->cipher_suite();
  // Nothing of it is needed any more; the last flight is here.
  handshake_.reset();
  own_opener_.reset();
  retransmit_at_ = give_up_at_ = kNever;
  if (options_.role == Role::client) flight_.clear();  // it was answered
  if (!usable) return end(Error(Errc::transport_error, "the keys of the DTLS handshake could not be used"));
  opener_.emplace(std::move(read_aead_), read_salt_, options_.limits);
  state_ = State::verifying;
  if (!remote_fingerprints_.empty()) after_verification();
}

/// The check itself was also made during the handshake, where the fingerprints were known by then.
void Session::after_verification() {
  auto verified = check_fingerprints(remote_certificate_, remote_fingerprints_);
  if (!verified) return fail_with(std::move(verified.error()), AlertDescription::bad_certificate);
  state_ = State::connected;
  events_.emplace_back(ConnectedEvent{std::move(cipher_suite_)});
}

// --- What goes out
// ------------------------------------------------------------------------------------------------------

bool Session::seal(std::span<MutableByteView> texts) {
  if (state_ != State::connected) return false;
  if (sealer_->seal(ContentType::application_data, texts)) {
    stats_.records_sealed += texts.size();
    return true;
  }
  end(Error(Errc::transport_error, "the key of this DTLS session has protected all it may"));
  return false;
}

std::optional<ByteView> Session::poll_transmit() {
  if (outgoing_.empty()) return std::nullopt;
  sending_ = std::move(outgoing_.front());
  outgoing_.pop_front();
  return sending_;
}

std::optional<Event> Session::poll_event() {
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

TimePoint Session::next_deadline() const { return std::min(retransmit_at_, give_up_at_); }

void Session::handle_timeout(TimePoint now) {
  if (now >= give_up_at_) {
    end(Error(Errc::timed_out, "the peer did not complete the DTLS handshake"));
  } else if (now >= retransmit_at_) {
    ++stats_.flights_repeated;
    send_flight();
    retransmission_ = std::min(retransmission_ * 2, options_.longest_retransmission);
    retransmit_at_ = now + retransmission_;
  }
}

void Session::close() {
  if (state_ == State::closed) return;
  if (sealer_ && !handshake_) {
    send_alert(kAlertWarning, AlertDescription::close_notify);
  } else if (handshake_) {
    send_alert(kAlertFatal, AlertDescription::user_canceled);
  }
  end(std::nullopt);
}

void Session::send_alert(std::uint8_t level, AlertDescription description) {
  FlightRecord record;
  record.header.type = ContentType::alert;
  record.header.epoch = sealer_ ? 1 : 0;
  record.header.length = 2;
  record.text = {std::byte{level}, static_cast<std::byte>(description)};
  outgoing_.emplace_back();
  append_record(outgoing_.back(), record);
  if (outgoing_.back().empty()) outgoing_.pop_back();
}

void Session::end(std::optional<Error> error) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  handshake_.reset();
  own_opener_.reset();
  read_aead_.reset();
  sealer_.reset();  // and with it the key
  flight_.clear();
  early_.clear();
  early_bytes_ = 0;
  retransmit_at_ = give_up_at_ = kNever;
  events_.emplace_back(ClosedEvent{std::move(error)});
}

void Session::fail_with(Error error, AlertDescription description) {
  send_alert(kAlertFatal, description);
  end(std::move(error));
}

}  // namespace wdc::dtls

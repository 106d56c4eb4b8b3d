// SPDX-License-Identifier: MIT
#include "tests/support/dtls/ends.h"

#include <openssl/err.h>
#include <sys/time.h>

#include <algorithm>
#include <array>

namespace {

// What OpenSSL's own timers see.
std::chrono::microseconds virtual_time{0};

}  // namespace

// In place of the C library's, for everything this program loads: tests have virtual time.
extern "C" int gettimeofday(timeval* time, void*) noexcept {
  time->tv_sec = static_cast<time_t>(virtual_time.count() / 1'000'000);
  time->tv_usec = static_cast<suseconds_t>(virtual_time.count() % 1'000'000);
  return 0;
}

namespace wdc::sim {

Bytes bytes_of_text(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// --- SessionEnd
// ---------------------------------------------------------------------------------------------------------

void SessionEnd::handle(MutableByteView datagram, TimePoint now) {
  take_texts(session.handle_datagrams({&datagram, 1}, now));
  take_events();
}

void SessionEnd::take_texts(std::span<const MutableByteView> texts) {
  for (const MutableByteView text : texts) {
    received.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
  }
}

void SessionEnd::take_events() {
  while (auto event = session.poll_event()) {
    if (const auto* up = std::get_if<dtls::ConnectedEvent>(&*event)) {
      ++connected_events;
      cipher_suite = up->cipher_suite;
    } else {
      ++closed_events;
      error = std::get<dtls::ClosedEvent>(*event).error;
    }
  }
}

std::optional<Bytes> SessionEnd::poll() {
  if (const auto datagram = session.poll_transmit()) return Bytes(datagram->begin(), datagram->end());
  if (pending_.empty()) return std::nullopt;
  Bytes next = std::move(pending_.front());
  pending_.pop_front();
  return next;
}

Bytes SessionEnd::record(std::string_view text) {
  Bytes memory(dtls::kHeadRoom + text.size() + dtls::kTailRoom);
  MutableByteView view = std::span(memory).subspan(dtls::kHeadRoom, text.size());
  std::ranges::copy(bytes_of_text(text), view.begin());
  if (!session.seal({&view, 1})) return {};
  return memory;
}

// --- OpenSslEnd
// ---------------------------------------------------------------------------------------------------------

OpenSslEnd::OpenSslEnd(const dtls::Certificate& certificate, const OpenSslOptions& options)
    : wire_(static_cast<std::size_t>(options.mtu)), context_(SSL_CTX_new(DTLS_method())) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, options.cipher_suites.c_str());
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | options.ssl_options);
  SSL_CTX_use_certificate(context, certificate.x509());
  SSL_CTX_use_PrivateKey(context, certificate.key());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("t"), 1);
  ssl_.reset(SSL_new(context));
  BIO* const bio = wire_.make().release();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mtu(ssl_.get(), options.mtu);
  if (options.alpn_bytes > 0) {
    std::vector<unsigned char> names;
    for (std::size_t size = 0; size < options.alpn_bytes; size += 101) {
      names.push_back(100);
      names.insert(names.end(), 100, static_cast<unsigned char>('a' + size % 26));
    }
    SSL_set_alpn_protos(ssl_.get(), names.data(), static_cast<unsigned>(names.size()));
  }
  if (options.role == dtls::Role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

void OpenSslEnd::start(TimePoint now) {
  now_ = now;
  advance();
}

void OpenSslEnd::handle(MutableByteView datagram, TimePoint now) {
  now_ = now;
  wire_.set_input(datagram);
  advance();
  wire_.set_input({});
}

void OpenSslEnd::advance() {
  virtual_time = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch());
  ERR_clear_error();
  int result = 1;
  if (SSL_is_init_finished(ssl_.get()) == 0) result = SSL_do_handshake(ssl_.get());
  std::array<char, 20'000> text;
  while (result > 0 && (result = SSL_read(ssl_.get(), text.data(), text.size())) > 0) {
    received.emplace_back(text.data(), static_cast<std::size_t>(result));
  }
  const int reason = SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_ZERO_RETURN) closed_ = true;
  if (reason == SSL_ERROR_SSL) {
    closed_ = true;
    const char* const words = ERR_reason_error_string(ERR_peek_error());
    error_ = words != nullptr ? words : "?";
  }
}

std::optional<Bytes> OpenSslEnd::poll() {
  for (auto& datagram : std::exchange(wire_.output(), {})) output_.push_back(std::move(datagram));
  if (output_.empty()) return std::nullopt;
  Bytes next = std::move(output_.front());
  output_.pop_front();
  return next;
}

TimePoint OpenSslEnd::next_deadline() const {
  timeval left{};
  virtual_time = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch());
  if (closed_ || DTLSv1_get_timeout(ssl_.get(), &left) != 1) return dtls::kNever;
  return now_ + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
}

void OpenSslEnd::handle_timeout(TimePoint now) {
  now_ = now;
  virtual_time = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch());
  DTLSv1_handle_timeout(ssl_.get());
}

bool OpenSslEnd::connected() const { return SSL_is_init_finished(ssl_.get()) == 1 && !closed_; }

void OpenSslEnd::send(std::string_view text) {
  if (SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) <= 0) error_ = "SSL_write failed";
}

// --- DtlsWire
// -----------------------------------------------------------------------------------------------------------

void DtlsWire::flush(DtlsEnd& from, Link& link, bool from_a) {
  while (auto datagram = from.poll()) {
    if (!tap || tap(from_a, *datagram)) link.send(*datagram, now);
  }
}

void DtlsWire::flush() {
  flush(a_, a_to_b_, true);
  flush(b_, b_to_a_, false);
}

bool DtlsWire::run(Duration limit, const std::function<bool()>& done) {
  const TimePoint end = now + limit;
  flush();
  while (!done()) {
    const TimePoint next =
        std::min({a_to_b_.next_arrival(), b_to_a_.next_arrival(), a_.next_deadline(), b_.next_deadline()});
    if (next > end) {
      now = end;
      return done();
    }
    now = std::max(now, next);
    while (auto datagram = a_to_b_.poll(now)) b_.handle(*datagram, now);
    while (auto datagram = b_to_a_.poll(now)) a_.handle(*datagram, now);
    if (a_.next_deadline() <= now) a_.handle_timeout(now);
    if (b_.next_deadline() <= now) b_.handle_timeout(now);
    flush();
  }
  return true;
}

}  // namespace wdc::sim

// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/native/dtls/session.h"
#include "tests/support/sim/link.h"

namespace wdc::sim {

using dtls::ByteView;
using dtls::MutableByteView;
using Bytes = std::vector<std::byte>;

/// The time of day in tests; certificates are made at it.
inline constexpr dtls::WallTime kToday = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

[[nodiscard]] Bytes bytes_of_text(std::string_view text);

/// One end of a DTLS association over datagrams.
class DtlsEnd {
 public:
  virtual ~DtlsEnd() = default;
  virtual void start(TimePoint now) = 0;
  virtual void handle(MutableByteView datagram, TimePoint now) = 0;
  [[nodiscard]] virtual std::optional<Bytes> poll() = 0;
  [[nodiscard]] virtual TimePoint next_deadline() const = 0;
  virtual void handle_timeout(TimePoint now) = 0;
  [[nodiscard]] virtual bool connected() const = 0;
  [[nodiscard]] virtual bool closed() const = 0;
  virtual void send(std::string_view text) = 0;
  virtual void close() = 0;

  std::vector<std::string> received;
};

/// Ours.
class SessionEnd final : public DtlsEnd {
 public:
  SessionEnd(dtls::Context& context, const dtls::SessionOptions& options) : session(context, options) {}

  void start(TimePoint now) override { session.start(now), take_events(); }
  void handle(MutableByteView datagram, TimePoint now) override;
  [[nodiscard]] std::optional<Bytes> poll() override;
  [[nodiscard]] TimePoint next_deadline() const override { return session.next_deadline(); }
  void handle_timeout(TimePoint now) override { session.handle_timeout(now), take_events(); }
  [[nodiscard]] bool connected() const override { return session.state() == dtls::Session::State::connected; }
  [[nodiscard]] bool closed() const override { return session.state() == dtls::Session::State::closed; }
  void send(std::string_view text) override { pending_.push_back(record(text)); }
  void close() override { session.close(), take_events(); }

  /// One sealed record.
  [[nodiscard]] Bytes record(std::string_view text);
  void take_texts(std::span<const MutableByteView> texts);
  void take_events();

  dtls::Session session;
  int connected_events = 0;
  int closed_events = 0;
  std::optional<Error> error;
  std::string cipher_suite;

 private:
  std::deque<Bytes> pending_;
};

struct OpenSslOptions {
  dtls::Role role = dtls::Role::client;
  std::string cipher_suites = "ALL";
  std::uint64_t ssl_options = 0;
  long mtu = 1'200;
  std::size_t alpn_bytes = 0;  // to make a long ClientHello
};

/// OpenSSL's own DTLS, records and all, with its clock at the virtual time.
class OpenSslEnd final : public DtlsEnd {
 public:
  OpenSslEnd(const dtls::Certificate& certificate, const OpenSslOptions& options);

  void start(TimePoint now) override;
  void handle(MutableByteView datagram, TimePoint now) override;
  [[nodiscard]] std::optional<Bytes> poll() override;
  [[nodiscard]] TimePoint next_deadline() const override;
  void handle_timeout(TimePoint now) override;
  [[nodiscard]] bool connected() const override;
  [[nodiscard]] bool closed() const override { return closed_; }
  void send(std::string_view text) override;
  void close() override { SSL_shutdown(ssl_.get()); }

  [[nodiscard]] std::string error() const { return error_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

 private:
  void advance();

  dtls::DatagramBio wire_;
  dtls::SslContext context_;
  dtls::Ssl ssl_;
  std::deque<Bytes> output_;
  std::string error_;
  bool closed_ = false;
  TimePoint now_{};
};

/// Two ends and the links between them.
class DtlsWire {
 public:
  DtlsWire(DtlsEnd& a, DtlsEnd& b, const LinkOptions& options, std::uint64_t seed)
      : a_(a), b_(b), a_to_b_(options, seed), b_to_a_(options, ~seed) {}

  void start() { b_.start(now), a_.start(now), flush(); }
  /// Lets the ends talk until `done` or for `limit`; whether `done`.
  bool run(
      Duration limit, const std::function<bool()>& done = [] { return false; });
  bool connect(Duration limit = std::chrono::seconds(30)) {
    start();
    return run(limit, [this] { return a_.connected() && b_.connected(); });
  }
  void flush();

  /// Sees every datagram; false drops it. May be empty.
  std::function<bool(bool from_a, Bytes& datagram)> tap;
  TimePoint now{std::chrono::seconds(1'000)};

 private:
  void flush(DtlsEnd& from, Link& link, bool from_a);

  DtlsEnd& a_;
  DtlsEnd& b_;
  Link a_to_b_;
  Link b_to_a_;
};

}  // namespace wdc::sim

// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "src/native/dtls/context.h"
#include "src/native/dtls/datagram_bio.h"
#include "src/native/dtls/record_sealer.h"

namespace wdc::dtls {

enum class Role : std::uint8_t { client, server };

/// The keys of epoch 1. Erased when destroyed.
struct KeyBlock {
  struct Half {
    std::array<std::byte, 32> key{};
    Salt salt{};
  };
  AeadAlgorithm algorithm{};
  Half client{};
  Half server{};

  KeyBlock() = default;
  KeyBlock(const KeyBlock&) = delete;
  KeyBlock& operator=(const KeyBlock&) = delete;
  ~KeyBlock();
};

/// OpenSSL's part: the handshake's messages. It has its own randomness; the time it never needs, since its records go
/// out through Session, which repeats them.
class Handshake {
 public:
  enum class State : std::uint8_t { running, done, failed };
  /// What the peer's certificate (DER) is accepted by.
  using Verify = std::function<Result<void>(ByteView certificate)>;

  Handshake(Context& context, Role role, std::size_t datagram_size, Verify verify);
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  /// A client's first flight; a server then waits.
  void start() { advance(); }
  /// One record of the handshake, whole.
  void handle_record(ByteView record);

  [[nodiscard]] State state() const { return state_; }
  /// Why, where failed; empty where the peer closed in an orderly way.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// Datagrams that OpenSSL made since this was last emptied. Those of epoch 1 are under nonces of its own.
  [[nodiscard]] std::vector<DatagramBio::Datagram>& output() { return wire_.output(); }
  /// From when the master secret is known. False where it is not, or the suite is none of ours.
  [[nodiscard]] bool derive_keys(KeyBlock& keys) const;
  /// The peer's, DER; empty before it came.
  [[nodiscard]] const std::vector<std::byte>& certificate() const { return certificate_; }
  /// "ECDHE-ECDSA-AES128-GCM-SHA256".
  [[nodiscard]] std::string_view cipher_suite() const;

  // For Context.
  static int verify_certificate(X509_STORE_CTX* store, void*);
  static void note_alert(const SSL* ssl, int where, int value);

 private:
  void advance();
  void end(int result);

  Context& context_;
  DatagramBio wire_;  // before what uses it
  Ssl ssl_;
  Verify verify_;
  State state_ = State::running;
  std::optional<Error> error_;
  std::optional<int> alert_;  // the peer's
  std::vector<std::byte> certificate_;
};

}  // namespace wdc::dtls

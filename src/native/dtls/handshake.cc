// SPDX-License-Identifier: MIT
#include "src/native/dtls/handshake.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>

#include "src/native/dtls/openssl_error.h"

namespace wdc::dtls {
namespace {

// DTLSv1_handle_timeout is never asked for: Session repeats flights itself, from a clock that can be injected. This
// keeps OpenSSL's own timer, which looks at the system's clock, from ever being due.
unsigned int never_due(SSL*, unsigned int) { return 0xffffffff; }  // microseconds: more than an hour

std::string describe_alert(int alert) {
  return std::string(SSL_alert_desc_string_long(alert & 0xff)) + " (" + std::to_string(alert & 0xff) + ")";
}

bool append_random(std::array<unsigned char, 2 * SSL3_RANDOM_SIZE>& seed, const SSL* ssl) {
  return SSL_get_server_random(ssl, seed.data(), SSL3_RANDOM_SIZE) == SSL3_RANDOM_SIZE &&
         SSL_get_client_random(ssl, seed.data() + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE) == SSL3_RANDOM_SIZE;
}

/// TLS 1.2's PRF (RFC 5246 section 5), by OpenSSL.
bool expand(EVP_KDF* function, const EVP_MD* digest, std::span<unsigned char> secret, std::span<unsigned char> randoms,
            std::span<unsigned char> to) {
  const KeyDerivationContext context(EVP_KDF_CTX_new(function));
  if (!context) return false;
  std::string label = "key expansion";
  // Not const by OpenSSL's interface; it does not write.
  auto* const digest_name = const_cast<char*>(EVP_MD_get0_name(digest));
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
                              OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
                              OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label.data(), label.size()),
                              OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, randoms.data(), randoms.size()),
                              OSSL_PARAM_construct_end()};
  return EVP_KDF_derive(context.get(), to.data(), to.size(), parameters.data()) == 1;
}

}  // namespace

KeyBlock::~KeyBlock() {
  OPENSSL_cleanse(&client, sizeof client);
  OPENSSL_cleanse(&server, sizeof server);
}

Handshake::Handshake(Context& context, Role role, std::size_t datagram_size, Verify verify)
    : context_(context), wire_(datagram_size), ssl_(SSL_new(context.ssl_context())), verify_(std::move(verify)) {
  BasicIo bio = ssl_ ? wire_.make() : nullptr;
  if (!bio) {
    state_ = State::failed;
    error_.emplace(Errc::out_of_memory);
    return;
  }
  SSL_set_bio(ssl_.get(), bio.get(), bio.get());
  static_cast<void>(bio.release());  // it is the session's now
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_mtu(ssl_.get(), static_cast<long>(datagram_size));
  DTLS_set_timer_cb(ssl_.get(), never_due);
  if (role == Role::client) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

void Handshake::handle_record(ByteView record) {
  if (state_ != State::running) return;
  wire_.set_input(record);
  advance();
  wire_.set_input({});
}

void Handshake::advance() {
  if (state_ != State::running) return;
  ERR_clear_error();  // another user's of this thread would be taken for ours
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    // Without it the master secret does not name its handshake (RFC 7627). Every browser has it.
    if (SSL_get_extms_support(ssl_.get()) == 1) {
      state_ = State::done;
    } else {
      state_ = State::failed;
      error_.emplace(Errc::negotiation_failed, "the peer's DTLS lacks the extended master secret");
    }
    return;
  }
  end(result);
}

void Handshake::end(int result) {
  const int reason = SSL_get_error(ssl_.get(), result);
  if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return;
  state_ = State::failed;
  const std::string text = openssl_error();
  if (error_) return;  // the certificate was refused
  if (reason == SSL_ERROR_ZERO_RETURN) return;
  if (alert_) {
    error_.emplace(Errc::negotiation_failed, "the peer refused the DTLS handshake: " + describe_alert(*alert_));
  } else {
    error_.emplace(Errc::negotiation_failed, "the DTLS handshake failed: " + text);
  }
}

bool Handshake::derive_keys(KeyBlock& keys) const {
  const SSL_SESSION* const session = SSL_get_session(ssl_.get());
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl_.get());
  if (cipher == nullptr) cipher = SSL_get_pending_cipher(ssl_.get());
  if (session == nullptr || cipher == nullptr || SSL_CIPHER_is_aead(cipher) != 1) return false;
  const int bits = SSL_CIPHER_get_bits(cipher, nullptr);
  keys.algorithm = bits == 256 ? AeadAlgorithm::aes_256_gcm : AeadAlgorithm::aes_128_gcm;
  const std::size_t size = key_size(keys.algorithm);

  std::array<unsigned char, SSL_MAX_MASTER_KEY_LENGTH> secret;
  std::array<unsigned char, 2 * SSL3_RANDOM_SIZE> randoms;
  std::array<unsigned char, 2 * (32 + 4)> block;
  const std::size_t secret_size = SSL_SESSION_get_master_key(session, secret.data(), secret.size());
  const bool derived = secret_size == secret.size() && append_random(randoms, ssl_.get()) &&
                       expand(context_.key_derivation(), SSL_CIPHER_get_handshake_digest(cipher), secret, randoms,
                              std::span(block).first(2 * (size + 4)));
  // client_write_key, server_write_key, client_write_IV, server_write_IV (RFC 5246 section 6.3)
  if (derived) {
    std::memcpy(keys.client.key.data(), block.data(), size);
    std::memcpy(keys.server.key.data(), block.data() + size, size);
    std::memcpy(keys.client.salt.data(), block.data() + 2 * size, 4);
    std::memcpy(keys.server.salt.data(), block.data() + 2 * size + 4, 4);
  }
  OPENSSL_cleanse(secret.data(), secret.size());
  OPENSSL_cleanse(block.data(), block.size());
  return derived;
}

std::string_view Handshake::cipher_suite() const {
  const char* const suite = SSL_get_cipher_name(ssl_.get());
  return suite != nullptr ? suite : "";
}

int Handshake::verify_certificate(X509_STORE_CTX* store, void*) {
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& self = *static_cast<Handshake*>(SSL_get_app_data(ssl));
  X509* const certificate = X509_STORE_CTX_get0_cert(store);
  const int size = certificate != nullptr ? i2d_X509(certificate, nullptr) : 0;
  if (size <= 0) return 0;
  self.certificate_.resize(static_cast<std::size_t>(size));
  auto* to = reinterpret_cast<unsigned char*>(self.certificate_.data());
  i2d_X509(certificate, &to);
  if (auto verified = self.verify_(self.certificate_); !verified) {
    self.error_ = std::move(verified.error());
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);  // tells the peer bad_certificate
    return 0;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

void Handshake::note_alert(const SSL* ssl, int where, int value) {
  constexpr int kReadAlert = SSL_CB_ALERT | SSL_CB_READ;
  if ((where & kReadAlert) != kReadAlert) return;
  auto* const self = static_cast<Handshake*>(SSL_get_app_data(ssl));
  if (self != nullptr && (value >> 8) == SSL3_AL_FATAL) self->alert_ = value;
}

}  // namespace wdc::dtls

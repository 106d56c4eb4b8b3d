// SPDX-License-Identifier: MIT
#include "src/native/dtls/context.h"

#include "src/native/dtls/handshake.h"
#include "src/native/dtls/openssl_error.h"

namespace wdc::dtls {
namespace {

// GCM alone, as the record layer has nothing else; AES-128 first, it is as safe here and faster.
constexpr const char* kCipherSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
constexpr const char* kGroups = "X25519:P-256:P-384";
// One flight's certificates are a few hundred bytes; chains of browsers have one.
constexpr long kMostCertificateBytes = 16'384;

bool configure(SSL_CTX* context, const Certificate& certificate) {
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, kMostCertificateBytes);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, Handshake::verify_certificate, nullptr);
  SSL_CTX_set_info_callback(context, Handshake::note_alert);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCipherSuites) == 1 && SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
         SSL_CTX_use_certificate(context, certificate.x509()) == 1 &&
         SSL_CTX_use_PrivateKey(context, certificate.key()) == 1;
}

}  // namespace

Result<std::unique_ptr<Context>> Context::make(const Certificate& certificate, WallTime now,
                                               std::unique_ptr<AeadProvider> provider) {
  if (auto valid = certificate.check_validity(now); !valid) return std::unexpected(std::move(valid.error()));
  ERR_clear_error();
  SslContext context(SSL_CTX_new(DTLS_method()));
  KeyDerivation key_derivation(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
  if (!context || !key_derivation || !configure(context.get(), certificate)) {
    return fail(Errc::transport_error, "DTLS could not be set up: " + openssl_error());
  }
  if (!provider) provider = make_best_aead_provider();
  return std::unique_ptr<Context>(new Context(std::move(context), std::move(key_derivation), std::move(provider)));
}

}  // namespace wdc::dtls

// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace wdc::dtls {

/// Frees what OpenSSL made.
template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BasicIo = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using BasicIoMethod = std::unique_ptr<BIO_METHOD, Freer<BIO_meth_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, Freer<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using KeyDerivation = std::unique_ptr<EVP_KDF, Freer<EVP_KDF_free>>;
using KeyDerivationContext = std::unique_ptr<EVP_KDF_CTX, Freer<EVP_KDF_CTX_free>>;
using X509Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Ssl = std::unique_ptr<SSL, Freer<SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

}  // namespace wdc::dtls

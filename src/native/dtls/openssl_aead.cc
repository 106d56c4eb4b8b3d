// SPDX-License-Identifier: MIT
#include <openssl/evp.h>

#include "src/native/dtls/aead.h"
#include "src/native/dtls/openssl_handles.h"
#include "src/native/dtls/record.h"

namespace wdc::dtls {
namespace {

const unsigned char* octets(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* octets(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

class OpenSslAead final : public Aead {
 public:
  explicit OpenSslAead(CipherContext context) : context_(std::move(context)) {}

  bool seal(std::span<AeadJob> jobs) override {
    EVP_CIPHER_CTX* const context = context_.get();
    for (AeadJob& job : jobs) {
      int size = 0;
      unsigned char* const text = octets(job.text);
      if (EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, octets(job.nonce.data())) != 1 ||
          EVP_EncryptUpdate(context, nullptr, &size, octets(job.additional_data.data()),
                            static_cast<int>(job.additional_data.size())) != 1 ||
          EVP_EncryptUpdate(context, text, &size, text, static_cast<int>(job.size)) != 1 ||
          EVP_EncryptFinal_ex(context, text + job.size, &size) != 1 ||
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagSize), text + job.size) != 1) {
        return false;
      }
    }
    return true;
  }

  void open(std::span<AeadJob> jobs) override {
    EVP_CIPHER_CTX* const context = context_.get();
    for (AeadJob& job : jobs) {
      int size = 0;
      unsigned char* const text = octets(job.text);
      job.verified =
          EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, octets(job.nonce.data())) == 1 &&
          EVP_DecryptUpdate(context, nullptr, &size, octets(job.additional_data.data()),
                            static_cast<int>(job.additional_data.size())) == 1 &&
          EVP_DecryptUpdate(context, text, &size, text, static_cast<int>(job.size)) == 1 &&
          EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagSize), text + job.size) == 1 &&
          EVP_DecryptFinal_ex(context, text + job.size, &size) == 1;
    }
  }

 private:
  CipherContext context_;  // freeing it erases the key
};

class OpenSslAeadProvider final : public AeadProvider {
 public:
  [[nodiscard]] std::string_view name() const override { return "openssl"; }
  [[nodiscard]] std::unique_ptr<Aead> create(AeadAlgorithm algorithm, AeadDirection direction, ByteView key) override {
    // Looked up once: finding an algorithm by name costs more than a hundred records.
    Cipher& cipher = algorithm == AeadAlgorithm::aes_128_gcm ? aes_128_ : aes_256_;
    if (!cipher) {
      cipher.reset(
          EVP_CIPHER_fetch(nullptr, algorithm == AeadAlgorithm::aes_128_gcm ? "AES-128-GCM" : "AES-256-GCM", nullptr));
    }
    CipherContext context(EVP_CIPHER_CTX_new());
    if (!cipher || !context) return nullptr;
    if (EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, octets(key.data()), nullptr,
                          direction == AeadDirection::seal ? 1 : 0) != 1) {
      return nullptr;
    }
    return std::make_unique<OpenSslAead>(std::move(context));
  }

 private:
  Cipher aes_128_, aes_256_;
};

}  // namespace

std::unique_ptr<AeadProvider> make_openssl_aead_provider() { return std::make_unique<OpenSslAeadProvider>(); }

std::unique_ptr<AeadProvider> make_best_aead_provider() {
  if (auto provider = make_ipsec_mb_aead_provider()) return provider;
  return make_openssl_aead_provider();
}

}  // namespace wdc::dtls

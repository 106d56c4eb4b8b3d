// SPDX-License-Identifier: MIT
#include "src/native/dtls/aead.h"

#if defined(WDC_IPSEC_MB)

#include <intel-ipsec-mb.h>

#include <new>

#include "src/native/dtls/record.h"

namespace wdc::dtls {
namespace {

static_assert(kTagSize == 16);

using Manager = std::unique_ptr<IMB_MGR, decltype(&free_mb_mgr)>;

class IpsecMbAead final : public Aead {
 public:
  IpsecMbAead(const IMB_MGR& manager, AeadAlgorithm algorithm, const std::byte* key)
      : seal_(algorithm == AeadAlgorithm::aes_128_gcm ? manager.gcm128_enc : manager.gcm256_enc),
        open_(algorithm == AeadAlgorithm::aes_128_gcm ? manager.gcm128_dec : manager.gcm256_dec) {
    (algorithm == AeadAlgorithm::aes_128_gcm ? manager.gcm128_pre : manager.gcm256_pre)(key, &key_);
  }
  IpsecMbAead(const IpsecMbAead&) = delete;
  IpsecMbAead& operator=(const IpsecMbAead&) = delete;
  ~IpsecMbAead() override {
    imb_clear_mem(&key_, sizeof key_);
    imb_clear_mem(&state_, sizeof state_);
  }

  bool seal(std::span<AeadJob> jobs) override {
    for (AeadJob& job : jobs) run(seal_, job, job.text + job.size);
    return true;
  }

  void open(std::span<AeadJob> jobs) override {
    for (AeadJob& job : jobs) {
      std::array<std::byte, kTagSize> tag;
      run(open_, job, tag.data());
      // In constant time.
      auto difference = std::byte{0};
      for (std::size_t i = 0; i < kTagSize; ++i) difference |= tag[i] ^ job.text[job.size + i];
      job.verified = difference == std::byte{0};
    }
  }

 private:
  void run(aes_gcm_enc_dec_t function, AeadJob& job, std::byte* tag) {
    auto* const text = reinterpret_cast<std::uint8_t*>(job.text);
    function(&key_, &state_, text, text, job.size, reinterpret_cast<const std::uint8_t*>(job.nonce.data()),
             reinterpret_cast<const std::uint8_t*>(job.additional_data.data()), job.additional_data.size(),
             reinterpret_cast<std::uint8_t*>(tag), kTagSize);
  }

  alignas(64) gcm_key_data key_;
  alignas(64) gcm_context_data state_{};
  aes_gcm_enc_dec_t seal_;
  aes_gcm_enc_dec_t open_;
};

class IpsecMbAeadProvider final : public AeadProvider {
 public:
  explicit IpsecMbAeadProvider(Manager manager) : manager_(std::move(manager)) {}
  [[nodiscard]] std::string_view name() const override { return "ipsec-mb"; }
  [[nodiscard]] std::unique_ptr<Aead> create(AeadAlgorithm algorithm, AeadDirection, ByteView key) override {
    return std::make_unique<IpsecMbAead>(*manager_, algorithm, key.data());
  }

 private:
  Manager manager_;
};

}  // namespace

std::unique_ptr<AeadProvider> make_ipsec_mb_aead_provider() {
  Manager manager(alloc_mb_mgr(0), free_mb_mgr);
  if (!manager) return nullptr;
  // Without these instructions the library falls back to code that is slower than OpenSSL's.
  constexpr std::uint64_t kNeeded = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_AVX2;
  if ((manager->features & kNeeded) != kNeeded) return nullptr;
  init_mb_mgr_auto(manager.get(), nullptr);
  if (imb_get_errno(manager.get()) != 0) return nullptr;
  return std::make_unique<IpsecMbAeadProvider>(std::move(manager));
}

}  // namespace wdc::dtls

#else

namespace wdc::dtls {

std::unique_ptr<AeadProvider> make_ipsec_mb_aead_provider() { return nullptr; }

}  // namespace wdc::dtls

#endif

// SPDX-License-Identifier: MIT
#include "src/native/dtls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "src/native/dtls/context.h"

namespace wdc::dtls {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 5 / 17) + 13h + 7min;

TEST(CertificateTest, MadeOnesAreOnP256AndValidForThirtyDays) {
  const auto certificate = Certificate::make(kNow);
  ASSERT_TRUE(certificate) << certificate.error().message();
  EXPECT_EQ(certificate->valid_until(), kNow + std::chrono::days(30));
  EXPECT_EQ(certificate->valid_from(), kNow - std::chrono::days(1));
  EXPECT_EQ(EVP_PKEY_get_bits(certificate->key()), 256);
  EXPECT_EQ(X509_verify(certificate->x509(), certificate->key()), 1);
  EXPECT_NE(*certificate->fingerprint(), *Certificate::make(kNow)->fingerprint());
}

TEST(CertificateTest, IsKeptAsPemAndReadAgain) {
  const auto certificate = Certificate::make(kNow);
  const auto again = Certificate::from_pem(certificate->to_pem().value());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again->fingerprint(), *certificate->fingerprint());
  EXPECT_EQ(again->valid_until(), certificate->valid_until());
  // The key may come first.
  const std::string pem = certificate->to_pem().value();
  const std::string certificate_part = certificate->certificate_pem();
  EXPECT_TRUE(Certificate::from_pem(pem.substr(certificate_part.size()) + certificate_part));
}

TEST(CertificateTest, SaysWhatIsWrongWithAPem) {
  const auto one = Certificate::make(kNow);
  const auto other = Certificate::make(kNow);
  const auto wrong = [](const std::string& pem) { return Certificate::from_pem(pem).error().message(); };
  EXPECT_THAT(wrong("nonsense"), HasSubstr("has no certificate"));
  EXPECT_THAT(wrong(one->certificate_pem()), HasSubstr("has no private key"));
  const std::string key = one->to_pem()->substr(one->certificate_pem().size());
  EXPECT_THAT(wrong(other->certificate_pem() + key), HasSubstr("is not the certificate's"));
  EXPECT_THAT(wrong(std::string(2'000'000, 'x')), HasSubstr("too long"));
}

TEST(CertificateTest, RefusesAKeyThatIsTooShort) {
  const Key key(EVP_RSA_gen(1024));
  const X509Certificate x509(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 1'000);
  X509_set_pubkey(x509.get(), key.get());
  ASSERT_GT(X509_sign(x509.get(), key.get(), EVP_sha256()), 0);
  const BasicIo bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), x509.get());
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  const auto read = Certificate::from_pem({data, static_cast<std::size_t>(size)});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().value(), 1024U);
  EXPECT_EQ(read.error().limit(), 2048U);
}

TEST(CertificateTest, SaysWhenItExpired) {
  const auto certificate = Certificate::make(kNow, {.lifetime = 2h});
  EXPECT_TRUE(certificate->check_validity(kNow + 2h - 1s));
  const auto late = certificate->check_validity(kNow + 2h);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::invalid_argument);
  EXPECT_THAT(late.error().message(), HasSubstr("expired on 2026-05-17 15:07 UTC"));
  EXPECT_THAT(certificate->check_validity(kNow - std::chrono::days(2)).error().message(),
              HasSubstr("only from 2026-05-16 13:07 UTC"));
  EXPECT_THAT(Context::make(*certificate, kNow + 3h).error().message(), HasSubstr("expired"));
}

TEST(CertificateTest, RefusesNamesAndLifetimesThatNoCertificateCanHave) {
  EXPECT_FALSE(Certificate::make(kNow, {.common_name = ""}));
  EXPECT_FALSE(Certificate::make(kNow, {.common_name = std::string(65, 'x')}));
  EXPECT_FALSE(Certificate::make(kNow, {.lifetime = 0s}));
}

TEST(FingerprintTest, IsReadAsItIsWritten) {
  const auto certificate = Certificate::make(kNow);
  for (const HashFunction hash : {HashFunction::sha_256, HashFunction::sha_384, HashFunction::sha_512}) {
    const auto fingerprint = certificate->fingerprint(hash);
    ASSERT_TRUE(fingerprint);
    std::string value = fingerprint->value();
    EXPECT_EQ(Fingerprint::parse(name(hash), value), fingerprint);
    for (char& c : value) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(Fingerprint::parse(hash == HashFunction::sha_256 ? "SHA-256" : name(hash), value), fingerprint);
  }
}

TEST(FingerprintTest, RefusesWhatIsMalformed) {
  const std::string good = Certificate::make(kNow)->fingerprint()->value();
  EXPECT_FALSE(Fingerprint::parse("sha-256", ""));
  EXPECT_FALSE(Fingerprint::parse("sha-256", good.substr(3)));
  EXPECT_FALSE(Fingerprint::parse("sha-256", good + ":00"));
  EXPECT_FALSE(Fingerprint::parse("sha-256", "GG" + good.substr(2)));
  std::string spaced = good;
  spaced[2] = ' ';
  EXPECT_FALSE(Fingerprint::parse("sha-256", spaced));
  EXPECT_EQ(Fingerprint::parse("sha-1", good).error().code(), Errc::unsupported);
}

TEST(FingerprintTest, WeakOnesAreLeftOutAndAloneAreRefused) {
  const auto certificate = Certificate::make(kNow);
  const std::string good = certificate->fingerprint()->value();
  const FingerprintText weak{"sha-1", "00:11"};
  EXPECT_EQ(parse_fingerprints(std::array{weak}).error().code(), Errc::unsupported);
  EXPECT_EQ(parse_fingerprints({}).error().code(), Errc::unsupported);
  const FingerprintText strong{"sha-256", good};
  const auto both = parse_fingerprints(std::array{weak, strong});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->size(), 1U);
  const FingerprintText broken{"sha-256", "zz"};
  EXPECT_EQ(parse_fingerprints(std::array{strong, broken}).error().code(), Errc::invalid_argument);
}

TEST(FingerprintTest, SeveralMustAllMatch) {
  const auto certificate = Certificate::make(kNow);
  const auto first = *certificate->fingerprint(HashFunction::sha_256);
  const auto second = *certificate->fingerprint(HashFunction::sha_512);
  const auto other = *Certificate::make(kNow)->fingerprint(HashFunction::sha_512);
  EXPECT_TRUE(check_fingerprints(certificate->bytes(), std::array{first, second}));
  EXPECT_FALSE(check_fingerprints(certificate->bytes(), std::array{first, other}));
  EXPECT_FALSE(check_fingerprints(certificate->bytes(), std::array{other, first}));
  EXPECT_FALSE(check_fingerprints(certificate->bytes(), {}));
}

}  // namespace
}  // namespace wdc::dtls

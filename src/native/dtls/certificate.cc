// SPDX-License-Identifier: MIT
#include "src/native/dtls/certificate.h"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <optional>

#include "src/native/dtls/openssl_error.h"

namespace wdc::dtls {
namespace {

std::string day_of(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto two = [](auto value) { return (value < 10 ? "0" : "") + std::to_string(value); };
  return std::to_string(static_cast<int>(date.year())) + "-" + two(static_cast<unsigned>(date.month())) + "-" +
         two(static_cast<unsigned>(date.day())) + " " + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + " UTC";
}

std::optional<WallTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date(year(parts.tm_year + 1900), month(static_cast<unsigned>(parts.tm_mon + 1)),
                            day(static_cast<unsigned>(parts.tm_mday)));
  return sys_days(date) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

bool set_time(ASN1_TIME* to, WallTime time) {
  return ASN1_TIME_set(to, static_cast<std::time_t>(time.time_since_epoch().count())) != nullptr;
}

bool set_serial_number(X509* certificate) {
  std::array<unsigned char, 8> octets;
  if (RAND_bytes(octets.data(), octets.size()) != 1) return false;
  octets[0] =
      static_cast<unsigned char>((octets[0] & 0x7f) | 0x40);  // positive, of one length (RFC 5280 section 4.1.2.2)
  std::uint64_t serial = 0;
  for (const unsigned char octet : octets) serial = serial << 8 | octet;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1;
}

bool set_name(X509* certificate, const std::string& common_name) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

/// A private key under a passphrase is refused: OpenSSL would ask the terminal for it.
int no_passphrase(char*, int, int, void*) { return -1; }

BasicIo reader(std::string_view text) { return BasicIo(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string text_in(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<Certificate> Certificate::make(WallTime now, const CertificateOptions& options) {
  if (options.common_name.empty() || options.common_name.size() > 64) {  // ub-common-name of RFC 5280
    return fail(Errc::invalid_argument, options.common_name.size(), 64, "a certificate's name has 1 to 64 bytes");
  }
  if (options.lifetime <= std::chrono::seconds::zero()) {
    return fail(Errc::invalid_argument, "a certificate's lifetime must be positive");
  }
  ERR_clear_error();
  Key key(EVP_EC_gen("P-256"));
  X509Certificate certificate(X509_new());
  if (!key || !certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !set_serial_number(certificate.get()) ||
      !set_time(X509_getm_notBefore(certificate.get()), now - std::chrono::days(1)) ||
      !set_time(X509_getm_notAfter(certificate.get()), now + options.lifetime) ||
      !set_name(certificate.get(), options.common_name) || X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) {
    return fail(Errc::transport_error, "a certificate could not be made: " + openssl_error());
  }
  return finish(std::move(certificate), std::move(key));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  if (pem.size() > 1'000'000) return fail(Errc::invalid_argument, pem.size(), 1'000'000, "the PEM text is too long");
  ERR_clear_error();
  X509Certificate certificate(PEM_read_bio_X509(reader(pem).get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return fail(Errc::invalid_argument, "the PEM text has no certificate: " + openssl_error());
  Key key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_passphrase, nullptr));
  if (!key) {
    return fail(Errc::invalid_argument, "the PEM text has no private key without passphrase: " + openssl_error());
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid_argument, "the private key is not the certificate's");
  }
  const bool elliptic = EVP_PKEY_is_a(key.get(), "EC") == 1;
  if (!elliptic && EVP_PKEY_is_a(key.get(), "RSA") != 1) {
    return fail(Errc::invalid_argument, "the private key is neither ECDSA nor RSA");
  }
  const auto bits = static_cast<std::uint64_t>(EVP_PKEY_get_bits(key.get()));
  const std::uint64_t least = elliptic ? 256 : 2048;
  if (bits < least) return fail(Errc::invalid_argument, bits, least, "the private key has too few bits");
  return finish(std::move(certificate), std::move(key));
}

Result<Certificate> Certificate::finish(X509Certificate certificate, Key key) {
  const auto from = time_of(X509_get0_notBefore(certificate.get()));
  const auto until = time_of(X509_get0_notAfter(certificate.get()));
  if (!from || !until) return fail(Errc::invalid_argument, "the certificate's dates cannot be read");
  Certificate made(std::move(certificate), std::move(key));
  made.valid_from_ = *from;
  made.valid_until_ = *until;
  const int size = i2d_X509(made.x509(), nullptr);
  if (size <= 0) return fail(Errc::invalid_argument, "the certificate cannot be encoded: " + openssl_error());
  made.bytes_.resize(static_cast<std::size_t>(size));
  auto* to = reinterpret_cast<unsigned char*>(made.bytes_.data());
  i2d_X509(made.x509(), &to);
  return made;
}

Result<std::string> Certificate::to_pem() const {
  const BasicIo bio(BIO_new(BIO_s_secmem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x509()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Errc::transport_error, "the certificate could not be written: " + openssl_error());
  }
  return text_in(bio.get());
}

std::string Certificate::certificate_pem() const {
  const BasicIo bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), x509()) != 1) return {};
  return text_in(bio.get());
}

Result<void> Certificate::check_validity(WallTime now) const {
  if (now < valid_from_) {
    return fail(Errc::invalid_argument, "the certificate is valid only from " + day_of(valid_from_) + " on");
  }
  if (now >= valid_until_) {
    return fail(Errc::invalid_argument, "the certificate expired on " + day_of(valid_until_));
  }
  return {};
}

Result<Fingerprint> Certificate::fingerprint(HashFunction hash) const { return Fingerprint::of(bytes_, hash); }

}  // namespace wdc::dtls

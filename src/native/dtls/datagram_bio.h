// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "src/native/dtls/bytes.h"
#include "src/native/dtls/openssl_handles.h"

namespace wdc::dtls {

/// OpenSSL's end of a wire made of memory that keeps datagrams apart.
class DatagramBio {
 public:
  using Datagram = std::vector<std::byte>;

  /// `datagram_size` is what OpenSSL may put into one.
  explicit DatagramBio(std::size_t datagram_size) : datagram_size_(datagram_size) {}
  DatagramBio(const DatagramBio&) = delete;
  DatagramBio& operator=(const DatagramBio&) = delete;

  /// For SSL_set_bio, which takes it; this outlives it. Null where memory is exhausted.
  [[nodiscard]] BasicIo make();
  /// The one datagram that OpenSSL reads next; its memory stays until then.
  void set_input(ByteView datagram) { input_ = datagram; }
  [[nodiscard]] bool has_input() const { return !input_.empty(); }
  [[nodiscard]] std::vector<Datagram>& output() { return output_; }

 private:
  static const BIO_METHOD* method();
  static int read(BIO* bio, char* to, int size);
  static int write(BIO* bio, const char* from, int size);
  static long control(BIO* bio, int command, long number, void* pointer);

  std::size_t datagram_size_;
  ByteView input_;
  std::vector<Datagram> output_;
};

}  // namespace wdc::dtls

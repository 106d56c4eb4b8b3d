// SPDX-License-Identifier: MIT
#include "src/native/dtls/datagram_bio.h"

#include <algorithm>

namespace wdc::dtls {
namespace {

DatagramBio& self(BIO* bio) { return *static_cast<DatagramBio*>(BIO_get_data(bio)); }

}  // namespace

const BIO_METHOD* DatagramBio::method() {
  // A table of functions, the same for all.
  static const BasicIoMethod functions = [] {
    BasicIoMethod made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams"));
    if (made) {
      BIO_meth_set_read(made.get(), read);
      BIO_meth_set_write(made.get(), write);
      BIO_meth_set_ctrl(made.get(), control);
    }
    return made;
  }();
  return functions.get();
}

BasicIo DatagramBio::make() {
  BasicIo bio(method() != nullptr ? BIO_new(method()) : nullptr);
  if (!bio) return nullptr;
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  return bio;
}

int DatagramBio::read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  DatagramBio& wire = self(bio);
  if (wire.input_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  // As with a socket, what does not fit is lost.
  const std::size_t count = std::min(wire.input_.size(), static_cast<std::size_t>(size));
  std::memcpy(to, wire.input_.data(), count);
  wire.input_ = {};
  return static_cast<int>(count);
}

int DatagramBio::write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const auto bytes = std::as_bytes(std::span(from, static_cast<std::size_t>(size)));
  self(bio).output_.emplace_back(bytes.begin(), bytes.end());
  return size;
}

long DatagramBio::control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return static_cast<long>(self(bio).datagram_size_);
    default:  // what is pending, timers, the overhead of layers below: nothing
      return 0;
  }
}

}  // namespace wdc::dtls

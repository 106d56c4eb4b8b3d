// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "apps/web/transfer/frame.h"

namespace wdc::transfer {

/// Seen from this end. Numbers are those of docs/wire and of the page's `app` module.
enum class Direction : std::uint8_t { outgoing = 0, incoming = 1 };

/// The channel is up and the other end speaks the protocol.
struct PeerReady {};
/// A file is offered to this end. Name and type are harmless already.
struct FileOffered {
  std::uint64_t size;
  std::string name;
  std::string type;
};
/// The other end wants the file.
struct FileAccepted {};
/// A transfer ended early.
struct FileStopped {
  Direction direction;
  Reason reason;
  bool by_peer;
};
/// A file arrived whole: both ends have the same hash.
struct FileDone {
  Direction direction;
  Digest sha256;
};
using Event = std::variant<PeerReady, FileOffered, FileAccepted, FileStopped, FileDone>;

}  // namespace wdc::transfer

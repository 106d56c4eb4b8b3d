// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "apps/web/transfer/control.h"

namespace wdc::transfer {

/// Seen from this end. Numbers are those of the page's `app` module.
enum class Direction : std::uint8_t { outgoing = 0, incoming = 1 };

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
using Event = std::variant<FileOffered, FileAccepted, FileStopped, FileDone>;

/// What a request for bytes, or to put some away, comes to at once.
enum class Answer : std::int8_t { failed = -1, later = 0, now = 1 };

/// Who has the files, and the person. None of it may call the Session back at once.
class User {
 public:
  virtual void on_event(const Event& event) = 0;
  /// Fills `target` from `offset` of the outgoing file on, all of it or nothing. After `later`:
  /// Session::handle_readable().
  [[nodiscard]] virtual Answer read(std::uint64_t offset, std::span<std::byte> target) = 0;
  /// Takes the next bytes of incoming file `id`. After `later`: Session::handle_put_away().
  [[nodiscard]] virtual Answer write(std::uint32_t id, std::span<const std::byte> bytes) = 0;

 protected:
  ~User() = default;
};

}  // namespace wdc::transfer

// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wdc/error.h"

namespace wdc {

class SendOperation;

namespace core::framed {
class Framing;
}

/// How messages of one framed channel share it while more than one waits: in the ratio 1 : 2 : 4 : 8 of bytes. The
/// names are those of W3C RTCPriorityType, the ratio is of RFC 8831 section 6.4.
enum class Priority : std::uint8_t { very_low, low, medium, high };

/// What a send can ask for on a framed channel (docs/framed.md). On any other channel a send with options that differ
/// from the defaults gives Errc::unsupported.
struct SendOptions {
  Priority priority = Priority::low;
  /// From the start of the send; at least 1 ms. What was not handed to the transport by then is taken back, also in the
  /// middle of a message, and the send gives timed_out.
  std::optional<std::chrono::milliseconds> deadline = {};
  /// Only the latest message of a key is of interest: one of the same key that still waits, and of which nothing was
  /// sent, gives its place to this one, and its send gives superseded.
  std::optional<std::uint64_t> key = {};
};

/// Where the bytes of a message come from that is not in memory as a whole. Implemented by the user, and used by one
/// send at a time (DataChannel::send_from); has to outlive it.
class [[gnu::visibility("default")]] ByteSource {  // what is linked as a whole is not all that derives from it
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource();

  /// Bytes from the first to the end, if known; asked once. A source that then gives more or fewer ends its send with
  /// invalid_argument.
  [[nodiscard]] virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  /// All the bytes of size() are here: read() always fills its room. Such a message of up to 256 KiB is read as a few
  /// bytes first and then the rest, and comes in one piece, with nothing copied there. Asked once.
  [[nodiscard]] virtual bool in_memory() const { return false; }
  /// Writes the next bytes to `room` and gives their number; 0 is the end. `room` is the frame that will be sent: there
  /// is no other copy. Errors: would_block: none are here yet, ready() will be called; any other cancels the message
  /// and is what its send gives. Called from the loop's turn, never from inside a call into the library.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<std::byte> room) = 0;

 protected:
  /// After would_block: read() is worth a call again. On the loop's thread, from anywhere; without a send it does
  /// nothing.
  void ready() noexcept;

 private:
  friend class core::framed::Framing;
  friend class SendOperation;
  SendOperation* user_ = nullptr;
};

}  // namespace wdc

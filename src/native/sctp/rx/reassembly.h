// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "src/native/sctp/packet/forward_tsn_chunk.h"
#include "src/native/sctp/packet/i_forward_tsn_chunk.h"
#include "src/native/sctp/paged_array.h"
#include "src/native/sctp/queue.h"
#include "src/native/sctp/rx/partial_messages.h"
#include "src/native/sctp/rx/waiting_messages.h"

namespace wdc::sctp {

struct ReassemblyLimits {
  /// Bytes of messages, whole or not, that the user has not consumed: the window that is advertised.
  std::size_t window = 0;
  /// The largest message that is taken; at most the window.
  std::size_t message_size = 0;
};

/// Puts fragments together and whole messages in order (RFC 9260 sections 6.5, 6.6 and 6.9, RFC 8260 section 2.2).
class Reassembly {
 public:
  Reassembly(DataKind kind, const ReassemblyLimits& limits, BufferPool& pool, std::uint64_t seed);

  enum class Outcome { taken, no_room, inconsistent, too_large };
  /// `in_order` says whether the fragment has the TSN that is next: it is taken even where memory is short, because
  /// only it can complete what fills the memory.
  [[nodiscard]] Outcome add(const Fragment& fragment, bool in_order);

  void forward(UnwrappedTsn cumulative, const ForwardTsnChunk& chunk);
  void forward(const IForwardTsnChunk& chunk);
  /// The peer starts these streams anew (RFC 6525 section 5.2.2).
  void reset_stream(StreamId stream);
  void reset_all_streams();

  [[nodiscard]] std::optional<ReceivedMessage> poll_message();
  /// Takes the memory that a gap will want, so that none is needed then: for so many messages and runs behind it.
  void reserve(std::size_t messages, std::size_t runs);
  /// The user has done with so many bytes of polled messages.
  void consumed(std::size_t bytes);

  /// Free space in the window.
  [[nodiscard]] std::size_t window() const;
  [[nodiscard]] std::size_t held_bytes() const { return held_; }
  [[nodiscard]] std::size_t ready_messages() const { return ready_.size(); }
  [[nodiscard]] std::size_t partial_runs() const { return partial_.runs(); }

 private:
  struct Stream {
    std::int64_t next_number = 0;
    std::uint32_t expected_size = 0;  // that of its last message
    std::uint32_t waiting = 0;        // messages in waiting_
  };

  /// What keeping one message or run costs beside its bytes, so that tiny ones cannot take memory without limit.
  static constexpr std::size_t kOverhead = 128;

  [[nodiscard]] std::int64_t unwrap(std::int64_t near, std::uint32_t number) const;
  [[nodiscard]] bool has_room_for(std::size_t size, bool in_order) const;
  [[nodiscard]] Outcome deliver(const Fragment& message, Buffer payload);
  void skip_to(StreamId stream, std::uint32_t number);
  void release_waiting(StreamId id, Stream& stream);

  DataKind kind_;
  ReassemblyLimits limits_;
  BufferPool& pool_;
  PartialMessages partial_;
  WaitingMessages waiting_;
  Queue<ReceivedMessage> ready_;
  PagedArray<Stream> streams_;
  std::size_t held_ = 0;
};

}  // namespace wdc::sctp

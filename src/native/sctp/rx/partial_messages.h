// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <vector>

#include "src/native/sctp/received_message.h"
#include "src/native/sctp/rx/fragment.h"
#include "src/native/sctp/slab.h"

namespace wdc::sctp {

/// Messages of which some fragments are still missing.
///
/// Fragments that follow one another form a run, whose bytes stand together: a fragment that continues a run is copied
/// once, behind it. Runs are sorted by what identifies a fragment within its message: the TSN for DATA, whose fragments
/// have consecutive TSNs (RFC 9260 section 6.9), stream, message and fragment number for I-DATA (RFC 8260 section 2.1).
class PartialMessages {
 public:
  PartialMessages(DataKind kind, BufferPool& pool, std::size_t reserve_limit)
      : kind_(kind), pool_(pool), reserve_limit_(reserve_limit) {}

  enum class Outcome { stored, complete, inconsistent };
  struct Added {
    Outcome outcome{};
    Fragment message;  // complete: its stream, number, flags and PPID
    Buffer payload;
  };

  /// REQUIRES: the fragment is not a whole message. `expected_size` is a guess at its message's size.
  [[nodiscard]] Added add(const Fragment& fragment, std::size_t expected_size);

  /// DATA: drops every message that the peer gave up, those with a TSN up to `tsn`. Returns the bytes dropped.
  std::size_t drop_up_to(UnwrappedTsn tsn);
  /// I-DATA: drops the stream's messages of this kind up to `number`.
  std::size_t drop_messages(StreamId stream, bool unordered, std::uint32_t number);
  /// Drops what is left of a stream that was reset.
  std::size_t drop_stream(StreamId stream);
  void clear();
  /// Room for so many runs at once.
  void reserve(std::size_t runs);

  [[nodiscard]] std::size_t runs() const { return order_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The size of the message that `fragment` would continue, as far as it is here.
  [[nodiscard]] std::size_t size_before(const Fragment& fragment) const;

 private:
  struct Key {
    std::uint64_t group = 0;  // I-DATA: stream, kind and message
    std::int64_t number = 0;  // TSN or fragment number
    friend constexpr auto operator<=>(const Key&, const Key&) = default;
  };
  struct Segment {
    Buffer buffer;
    Slab<Segment>::Index next = Slab<Segment>::kNone;
  };
  struct Run {
    Key first;
    std::int64_t next_number = 0;  // behind its last fragment
    Fragment message;              // the first fragment's description, without bytes
    bool has_beginning = false;
    bool has_end = false;
    std::size_t size = 0;
    Slab<Segment>::Index first_segment = Slab<Segment>::kNone;
    Slab<Segment>::Index last_segment = Slab<Segment>::kNone;
  };
  using RunIndex = Slab<Run>::Index;

  [[nodiscard]] Key key_of(const Fragment& fragment) const;
  [[nodiscard]] std::size_t position_after(const Key& key) const;
  [[nodiscard]] static bool same_message(const Run& run, const Fragment& fragment);
  void append_bytes(Run& run, ByteView bytes, std::size_t capacity);
  void join(Run& left, std::size_t right_position);
  [[nodiscard]] Buffer take_payload(Run& run);
  void release_segments(Run& run);
  std::size_t drop_at(std::size_t position);
  template <class Condition>
  std::size_t drop_where(Condition condition);

  DataKind kind_;
  BufferPool& pool_;
  std::size_t reserve_limit_;
  Slab<Run> run_slab_;
  Slab<Segment> segment_slab_;
  std::vector<RunIndex> order_;
  std::size_t last_position_ = 0;  // where the last fragment went: the next one usually follows it
  std::size_t bytes_ = 0;
  std::size_t reserved_ = 0;
};

}  // namespace wdc::sctp

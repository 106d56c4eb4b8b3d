// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wdc {

/// What happens to a message that arrives while the receive queue is full.
enum class ReceiveOverflow : std::uint8_t {
  close_with_error,  ///< the channel closes, readers get what was queued and then Errc::receive_overflow
  drop_oldest,       ///< the oldest queued message makes room (fresh data wins)
  drop_newest,       ///< the arriving message is dropped
};

/// In which order a reader of whole messages gets those of a framed channel. (A reader of parts gets them as they
/// start.)
enum class MessageOrder : std::uint8_t {
  starts,       ///< that of the sends, whatever their sizes: a small message waits for a large one that began before it
  completions,  ///< each as soon as it is complete: a small message passes a large one
};

/// What happens to a send on a framed channel when send_queue_operations wait already.
enum class SendOverflow : std::uint8_t {
  refuse,       ///< the new one fails with send_queue_full
  drop_oldest,  ///< the oldest of which nothing was sent fails with superseded (fresh data wins)
};

/// A channel whose protocol is "wdc.framed.v1", or starts with "wdc.framed.v1+", speaks framed mode (docs/framed.md,
/// docs/wire/framed.md): messages of any size, small ones many to a frame, receive-side flow control, and a close that
/// waits until the other side has read. Other channels ignore this.
struct FramedOptions {
  /// Credit for messages that fit a frame, 146 to 2^32: frames that were not read yet hold at most this much. Instead
  /// of receive_queue_bytes, which framed mode does not need. A tenth of a second of what browsers reach.
  std::size_t window = std::size_t{4} << 20;
  /// Credit that each larger message starts with, 146 to 2^32: what one that nobody reads yet may hold. A message of
  /// 256 KiB fits the default.
  std::size_t message_window = std::size_t{272} << 10;
  /// Credit of a message that is read in parts, 146 to 2^32; at least message_window is used.
  std::size_t read_window = std::size_t{4} << 20;
  /// Larger messages under way or unread at a time, 1 to 256. Sends beyond wait for one of them.
  std::size_t messages_in_progress = 16;
  /// Bytes of the largest message that is given out whole, up to 2^40. The other side's sends of larger ones from
  /// memory fail with message_too_large. What is read in parts, or sent from a source, may have any size.
  std::uint64_t max_message_size = std::uint64_t{256} << 20;
  /// Credit that larger messages for a reader of whole ones may have together beyond message_window, up to 2^40. The
  /// oldest may have more: it can always be completed.
  std::uint64_t whole_total = std::uint64_t{4} << 20;
  MessageOrder order = MessageOrder::starts;
  SendOverflow send_overflow = SendOverflow::refuse;
  /// Bytes of the largest frame to send, 256 to 2^20, and no more than the transport takes. A message of 64 KiB fits a
  /// frame of the default; larger ones of up to 256 KiB go in one piece all the same, unless this is not the default.
  /// With batches_only, and if this is the default, frames are 1,100 bytes: one packet's worth.
  std::size_t frame_size = kDefaultFrameSize;
  /// Needed for a channel that is unordered, or gives up retransmitting: there only batches work. Without it such a
  /// channel is refused with unsupported.
  bool batches_only = false;

  static constexpr std::size_t kDefaultFrameSize = 65'536 + 32;
};

/// How one channel buffers. Purely local: nothing of this is negotiated.
struct FlowOptions {
  /// Bytes of unread messages that are kept, 1 to 2^40. A plain data channel cannot slow its sender down (W3C has no
  /// receive-side flow control), so this is the bound on memory. 16 MiB is 0.4 s of what Chromium receives at best.
  std::size_t receive_queue_bytes = std::size_t{16} << 20;
  /// Unread messages that are kept, 1 to 2^24: bounds the overhead of tiny messages.
  std::size_t receive_queue_messages = 65'536;
  ReceiveOverflow receive_overflow = ReceiveOverflow::close_with_error;
  /// True: nobody will read; every arriving message is dropped and counted. For send-only users.
  bool discard_received = false;

  /// A send waits while more than this many bytes are buffered below, 1 to 16 MiB (Chromium refuses more than 16 MiB).
  /// docs/backpressure.md has the measurement: larger is no faster above 1 KB a message, and stalls the page's timers.
  /// In Chromium one message goes all the same after half a second in which the buffer did not move (it loses an update
  /// of bufferedAmount at times); DataChannelStats::stalls counts those.
  std::size_t send_high_water_mark = std::size_t{1} << 20;
  /// Waiting sends go on when the buffer has fallen to this many bytes; 0 to send_high_water_mark, at most 15 MiB.
  std::size_t send_low_water_mark = std::size_t{256} << 10;
  /// Sends that may wait at once, 1 to 2^20; one more is Errc::send_queue_full.
  std::size_t send_queue_operations = 1'024;
  /// How long close() waits for delivery and for the other side before it aborts; at least 1 ms.
  std::chrono::milliseconds close_timeout{30'000};
  FramedOptions framed = {};
};

/// W3C RTCDataChannelInit, with the ranges that RFC 8831 and RFC 8832 allow, plus local buffering.
struct DataChannelOptions {
  bool ordered = true;
  /// At most one of the two may be set (W3C 6.1, createDataChannel step 10): partial reliability by count or by time.
  std::optional<std::uint16_t> max_retransmits = {};
  std::optional<std::chrono::milliseconds> max_packet_life_time = {};  ///< 0 to 65,535 ms
  std::string protocol = {};                                           ///< at most 65,535 bytes of UTF-8
  bool negotiated = false;                                             ///< true: both sides create it with the same id
  std::optional<std::uint16_t> id = {};                                ///< 0 to 65,534; required if negotiated
  FlowOptions flow = {};
};

/// One STUN or TURN service, RTCIceServer in W3C terms.
struct IceServer {
  std::vector<std::string> urls = {};  ///< "stun:host:port", "turn:host:port?transport=udp", ...
  std::string username = {};
  std::string credential = {};
};

enum class IceTransportPolicy : std::uint8_t { all, relay };

struct PeerConnectionOptions {
  std::vector<IceServer> ice_servers = {};
  IceTransportPolicy ice_transport_policy = IceTransportPolicy::all;
  /// How long a connection may stay "disconnected" before its channels fail with Errc::peer_lost; at least 1 ms. A
  /// browser notices silence after 4 to 12 s (Firefox: a consent check each 4 to 6 s, RFC 7675 section 5.1, and as long
  /// for its answer) or about 7 s (Chromium), so a dead peer is reported within that plus this.
  std::chrono::milliseconds disconnected_timeout{10'000};
  /// How channels that the other side creates buffer.
  FlowOptions incoming_flow = {};
  /// Incoming channels that wait to be accepted, 1 to 65,535; the ones beyond are closed and counted. Each keeps what
  /// incoming_flow allows: who does not accept channels sets this to 1 and incoming_flow.discard_received.
  std::size_t incoming_channels = 1'024;
};

}  // namespace wdc

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wdc::sdp {

enum class DescriptionKind : std::uint8_t { offer, answer };

/// Who begins the DTLS handshake: who is active (RFC 8842 section 5.2).
enum class Setup : std::uint8_t { actpass, active, passive };

/// RFC 8122 section 5.
struct Fingerprint {
  std::string algorithm;  // in lower case: "sha-256"
  std::vector<std::byte> digest;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

/// How the m= line of data channels looks.
enum class DataForm : std::uint8_t {
  rfc8841,  // UDP/DTLS/SCTP webrtc-datachannel, with a=sctp-port
  legacy,   // DTLS/SCTP 5000, with a=sctpmap, as written until about 2019
};

/// What the section of the data channels says, and the lines for the whole session that hold for it.
struct DataSection {
  std::string mid;
  DataForm form = DataForm::rfc8841;
  std::string protocol = "UDP/DTLS/SCTP";
  std::string ice_ufrag;
  std::string ice_pwd;
  bool ice_lite = false;
  bool trickle = false;
  /// Distinct, all of them; at least one.
  std::vector<Fingerprint> fingerprints;
  Setup setup = Setup::actpass;
  std::uint16_t sctp_port = 5'000;
  /// In bytes; 0: without limit. RFC 8841 section 6.1: 64 KiB where it is not said.
  std::uint64_t max_message_size = 65'536;
  /// "candidate:…", for the ICE agent to read.
  std::vector<std::string> candidates;
  bool end_of_candidates = false;
  std::string tls_id;  // RFC 8842; empty where it was not said
  friend bool operator==(const DataSection&, const DataSection&) = default;
};

/// One m= line, data channels' or not.
struct MediaSection {
  std::string media;     // "application", "audio"
  std::string protocol;  // "UDP/DTLS/SCTP"
  std::string formats;   // what follows
  std::string mid;       // empty where it was not said
  bool is_rejected = false;
  friend bool operator==(const MediaSection&, const MediaSection&) = default;
};

struct Description {
  std::uint64_t session_id = 0;  // at most 2^63 - 1 (RFC 8829 section 5.2.1)
  std::uint64_t session_version = 0;
  /// The first BUNDLE group's mids, in order.
  std::vector<std::string> bundle;
  /// All m= lines, in order.
  std::vector<MediaSection> sections;
  /// Which of them is the data channels'.
  std::size_t data_index = 0;
  DataSection data;
  friend bool operator==(const Description&, const Description&) = default;
};

/// Why a description was refused. `line` counts from 1; 0: something is missing from the whole.
struct ParseError {
  std::size_t line = 0;
  std::string reason;
  /// "line 7: a=sctp-port is not 1 to 65535"
  [[nodiscard]] std::string message() const;
};

/// What is refused for its size alone. Browsers' longest offers, with many tracks, stay under 100 KiB.
struct ParseLimits {
  std::size_t bytes = 256 * 1024;
  std::size_t line_bytes = 8 * 1024;
  std::size_t sections = 128;
  std::size_t candidates = 100;
  std::size_t fingerprints = 16;
};

/// Reads a description (RFC 8866, 8829, 8839, 8841). Lines end in CRLF or LF. What is not needed for data channels is
/// passed over, so long as it is a line "x=…". Errors: a malformed line that is needed, a limit exceeded, no usable
/// data section, one that lacks credentials, fingerprint or setup.
[[nodiscard]] std::expected<Description, ParseError> parse(std::string_view text, DescriptionKind kind,
                                                           const ParseLimits& limits = {});

[[nodiscard]] std::string write(const Description& description);

/// An offer of nothing but data channels. `data.setup` is actpass by custom.
[[nodiscard]] Description make_offer(DataSection data, std::uint64_t session_id, std::uint64_t session_version);
/// The answer that takes the offer's data channels and rejects everything else. Of `data` the mid, form, protocol and
/// setup are set to what the offer demands.
[[nodiscard]] Description make_answer(const Description& offer, DataSection data, std::uint64_t session_id,
                                      std::uint64_t session_version);

/// RFC 8842 section 5.3: active, unless the offer took that.
[[nodiscard]] Setup answering(Setup offered);
/// RFC 8839 section 4.4.1.1.1: whether the other's new description restarts ICE.
[[nodiscard]] bool is_ice_restart(const DataSection& before, const DataSection& now);
/// Why an answer does not fit the offer: sections of other number, order or kind. Empty where it does.
[[nodiscard]] std::optional<std::string> mismatch(const Description& offer, const Description& answer);

}  // namespace wdc::sdp

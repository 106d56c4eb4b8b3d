// SPDX-License-Identifier: MIT
#include <algorithm>

#include "src/native/sdp/description.h"

namespace wdc::sdp {
namespace {

class Lines {
 public:
  template <class... Parts>
  void add(const Parts&... parts) {
    (text_.append(parts), ...);
    text_ += "\r\n";
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string hex_of(const std::vector<std::byte>& digest) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const std::byte byte : digest) {
    if (!text.empty()) text += ':';
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

std::string_view name(Setup setup) {
  switch (setup) {
    case Setup::actpass:
      return "actpass";
    case Setup::active:
      return "active";
    case Setup::passive:
      break;
  }
  return "passive";
}

/// RFC 8829 sections 5.2.1 and 5.3.1. Addresses come as candidates, so none is named here.
void write_data(Lines& lines, const DataSection& data) {
  const std::string port = std::to_string(data.sctp_port);
  const bool is_legacy = data.form == DataForm::legacy;
  lines.add("m=application 9 ", data.protocol, " ", is_legacy ? port : "webrtc-datachannel");
  lines.add("c=IN IP4 0.0.0.0");
  for (const std::string& candidate : data.candidates) lines.add("a=", candidate);
  if (data.end_of_candidates) lines.add("a=end-of-candidates");
  if (!data.mid.empty()) lines.add("a=mid:", data.mid);
  lines.add("a=ice-ufrag:", data.ice_ufrag);
  lines.add("a=ice-pwd:", data.ice_pwd);
  lines.add(data.trickle ? "a=ice-options:trickle ice2" : "a=ice-options:ice2");
  for (const Fingerprint& fingerprint : data.fingerprints) {
    lines.add("a=fingerprint:", fingerprint.algorithm, " ", hex_of(fingerprint.digest));
  }
  lines.add("a=setup:", name(data.setup));
  if (!data.tls_id.empty()) lines.add("a=tls-id:", data.tls_id);
  if (is_legacy) {
    lines.add("a=sctpmap:", port, " webrtc-datachannel 65535");
  } else {
    lines.add("a=sctp-port:", port);
  }
  lines.add("a=max-message-size:", std::to_string(data.max_message_size));
}

void write_rejected(Lines& lines, const MediaSection& section) {
  lines.add("m=", section.media, " 0 ", section.protocol, " ", section.formats);
  lines.add("c=IN IP4 0.0.0.0");
  if (!section.mid.empty()) lines.add("a=mid:", section.mid);
  lines.add("a=inactive");
}

}  // namespace

std::string write(const Description& description) {
  Lines lines;
  lines.add("v=0");
  lines.add("o=- ", std::to_string(description.session_id), " ", std::to_string(description.session_version),
            " IN IP4 127.0.0.1");
  lines.add("s=-");
  lines.add("t=0 0");
  if (!description.bundle.empty()) {
    std::string group = "a=group:BUNDLE";
    for (const std::string& mid : description.bundle) group += ' ' + mid;
    lines.add(group);
  }
  if (description.data.ice_lite) lines.add("a=ice-lite");
  for (std::size_t i = 0; i < description.sections.size(); ++i) {
    if (i == description.data_index) {
      write_data(lines, description.data);
    } else {
      write_rejected(lines, description.sections[i]);
    }
  }
  return lines.take();
}

Description make_offer(DataSection data, std::uint64_t session_id, std::uint64_t session_version) {
  Description offer;
  offer.session_id = session_id;
  offer.session_version = session_version;
  if (data.mid.empty()) data.mid = "0";
  offer.bundle = {data.mid};
  offer.sections = {{.media = "application",
                     .protocol = data.protocol,
                     .formats = "webrtc-datachannel",
                     .mid = data.mid,
                     .is_rejected = false}};
  offer.data = std::move(data);
  return offer;
}

Description make_answer(const Description& offer, DataSection data, std::uint64_t session_id,
                        std::uint64_t session_version) {
  Description answer;
  answer.session_id = session_id;
  answer.session_version = session_version;
  answer.sections = offer.sections;
  answer.data_index = offer.data_index;
  for (std::size_t i = 0; i < answer.sections.size(); ++i) answer.sections[i].is_rejected = i != offer.data_index;
  data.mid = offer.data.mid;
  data.form = offer.data.form;
  data.protocol = offer.data.protocol;
  data.setup = answering(offer.data.setup);
  // RFC 9143 section 7.3: a group holds what was offered in it and is taken.
  if (std::ranges::find(offer.bundle, data.mid) != offer.bundle.end()) answer.bundle = {data.mid};
  answer.data = std::move(data);
  return answer;
}

Setup answering(Setup offered) { return offered == Setup::active ? Setup::passive : Setup::active; }

bool is_ice_restart(const DataSection& before, const DataSection& now) {
  return before.ice_ufrag != now.ice_ufrag || before.ice_pwd != now.ice_pwd;
}

std::optional<std::string> mismatch(const Description& offer, const Description& answer) {
  if (answer.sections.size() != offer.sections.size()) {
    return "the answer has " + std::to_string(answer.sections.size()) + " 'm=' lines, the offer " +
           std::to_string(offer.sections.size());
  }
  if (answer.data_index != offer.data_index)
    return "the answer's data channels stand at another 'm=' line than the offer's";
  for (std::size_t i = 0; i < offer.sections.size(); ++i) {
    const std::string which = "the answer's 'm=' line " + std::to_string(i + 1);
    if (answer.sections[i].media != offer.sections[i].media) return which + " is of another kind than the offer's";
    // RFC 8829 section 5.10: without a=mid the order alone tells.
    const bool both_have_mids = !answer.sections[i].mid.empty() && !offer.sections[i].mid.empty();
    if (both_have_mids && answer.sections[i].mid != offer.sections[i].mid) {
      return which + " has another a=mid than the offer's";
    }
  }
  if (answer.data.setup == offer.data.setup) return std::string("offer and answer take the same a=setup");
  return std::nullopt;
}

}  // namespace wdc::sdp

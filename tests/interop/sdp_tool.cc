// SPDX-License-Identifier: MIT
//
// sdp_tool offer [OPTION...]           writes an offer
// sdp_tool answer [OPTION...] <offer   writes the answer to an offer
// sdp_tool read OFFER <answer          says whether an answer fits the offer in a file
//   restart        other ICE credentials
//   fingerprints   several of them
//   legacy         the form of 2018 (an offer's; an answer's is the offer's)
//   candidates     some, and their end
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "src/native/sdp/description.h"

namespace {

using namespace wdc::sdp;

std::string all_of(std::istream& stream) { return {std::istreambuf_iterator<char>(stream), {}}; }

bool has(int count, char** words, std::string_view word) {
  for (int i = 2; i < count; ++i) {
    if (words[i] == word) return true;
  }
  return false;
}

DataSection our_data(int count, char** words) {
  const bool restarts = has(count, words, "restart");
  DataSection data;
  data.ice_ufrag = restarts ? "efgh5678" : "abcd1234";
  data.ice_pwd = restarts ? "yz+/yz+/yz+/yz+/yz+/yz+/" : "abcdefghijklmnopqrstuvwx";
  data.trickle = true;
  data.fingerprints = {{"sha-256", std::vector<std::byte>(32, std::byte{0x5a})}};
  if (has(count, words, "fingerprints")) {
    data.fingerprints.push_back({"sha-512", std::vector<std::byte>(64, std::byte{0xa5})});
    data.fingerprints.push_back({"sha-384", std::vector<std::byte>(48, std::byte{0xc3})});
  }
  data.max_message_size = 262'144;
  if (has(count, words, "legacy")) {
    data.form = DataForm::legacy;
    data.protocol = "DTLS/SCTP";
  }
  if (has(count, words, "candidates")) {
    data.candidates = {"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
                       "candidate:2 1 udp 2130706175 2001:db8::1 5000 typ host",
                       "candidate:3 1 udp 1694498815 198.51.100.1 5001 typ srflx raddr 192.0.2.1 rport 5000"};
    data.end_of_candidates = true;
  }
  return data;
}

int report(const ParseError& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view verb = count > 1 ? words[1] : "";
  const std::uint64_t version = has(count, words, "restart") ? 2 : 1;
  if (verb == "offer") {
    std::cout << write(make_offer(our_data(count, words), 1'234'567, version));
    return 0;
  }
  const auto other = parse(all_of(std::cin), verb == "read" ? DescriptionKind::answer : DescriptionKind::offer);
  if (!other) return report(other.error());
  if (verb == "answer") {
    std::cout << write(make_answer(*other, our_data(count, words), 7'654'321, version));
    return 0;
  }
  std::ifstream file(count > 2 ? words[2] : "");
  const auto offer = parse(all_of(file), DescriptionKind::offer);
  if (!offer) return report(offer.error());
  if (const auto why = mismatch(*offer, *other)) return report({0, *why});
  return 0;
}

// SPDX-License-Identifier: MIT
// What we send, through tshark with checksum checking on: no complaint, and one corrupted packet is found.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <sstream>

#include "tests/support/sim/pair.h"
#include "tests/support/sim/pcap.h"

namespace wdc::sim {
namespace {

using namespace std::chrono_literals;

/// tshark's lines about the packets that match, with the chunk types and the expert's words.
std::vector<std::string> dissect(const Pcap& pcap, const std::string& name, const std::string& filter) {
  const std::string path = testing::TempDir() + name + ".pcap";
  EXPECT_TRUE(pcap.write(path));
  const std::string command = "tshark -n -r '" + path + "' -o sctp.checksum:CRC-32c -Y '" + filter +
                              "' -T fields -e frame.number -e sctp.chunk_type -e _ws.expert.message 2>/dev/null";
  std::vector<std::string> lines;
  FILE* const pipe = popen(command.c_str(), "r");  // NOLINT(bugprone-command-processor): the words are ours
  if (pipe == nullptr) return {"tshark does not run"};
  std::string line;
  for (int character = std::fgetc(pipe); character != EOF; character = std::fgetc(pipe)) {
    if (character != '\n') {
      line += static_cast<char>(character);
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  if (pclose(pipe) != 0) lines.push_back("tshark failed");
  std::remove(path.c_str());
  return lines;
}

/// Everything an association sends: set-up, data, loss, gaps, partial reliability, resets, heartbeats, shutdown.
Pcap record(bool interleaving) {
  Pcap pcap;
  sctp::AssociationOptions options;
  options.capabilities.message_interleaving = interleaving;
  LinkOptions link;
  link.delay = 20ms;
  link.loss = 0.03;
  Pair pair(options, link, 2);
  pair.tap = [&](bool from_a, std::span<const std::byte> packet) {
    pcap.add(packet, from_a, pair.now);
    return true;
  };
  EXPECT_TRUE(pair.connect());
  for (std::uint16_t stream = 0; stream < 4; ++stream) {
    EXPECT_EQ(pair.a.send(stream, std::string(20'000, 'x'), pair.now), sctp::SendStatus::ok);
    EXPECT_EQ(pair.b.send(stream, "small", pair.now, {.unordered = true}), sctp::SendStatus::ok);
    for (int i = 0; i < 60; ++i) {
      EXPECT_EQ(pair.a.send(10, std::string(900, 'u'), pair.now, {.max_retransmits = 0}), sctp::SendStatus::ok);
    }
  }
  pair.run_for(5s);
  EXPECT_EQ(pair.a.association.reset_stream(sctp::StreamId(1), pair.now), sctp::SendStatus::ok);
  pair.run_for(60s);
  pair.a.association.shutdown(pair.now);
  pair.run_for(30s);
  EXPECT_EQ(pair.a.count<sctp::ClosedEvent>(), 1U);
  return pcap;
}

class DissectTest : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kinds, DissectTest, testing::Bool(),
                         [](const auto& param) { return param.param ? "IData" : "Data"; });

TEST_P(DissectTest, FindsNothingToComplainAbout) {
  const Pcap pcap = record(GetParam());
  const auto all = dissect(pcap, "all", "sctp");
  EXPECT_EQ(all.size(), pcap.packets());
  std::string types;
  for (const std::string& line : all) {
    const std::size_t from = line.find('\t') + 1;
    types += line.substr(from, line.find('\t', from) - from) + ',';
  }
  // All kinds of chunks were there to be looked at.
  const char* const data = GetParam() ? "64" : "0";
  const char* const forward = GetParam() ? "194" : "192";
  for (const char* type : {data, forward, "1", "2", "3", "4", "5", "7", "8", "10", "11", "14", "130", "132"}) {
    std::istringstream words(types);
    bool found = false;
    for (std::string word; std::getline(words, word, ',');) found |= word == type;
    EXPECT_TRUE(found) << "no chunk of type " << type;
  }
  // Severity 0x600000 is a warning, 0x800000 an error. A retransmission in the capture is a fact, not a fault of ours.
  const auto complaints = dissect(
      pcap, "complaints",
      "sctp.checksum.status == 0 || _ws.malformed || (_ws.expert.severity >= 0x600000 && !sctp.retransmission)");
  EXPECT_EQ(complaints, std::vector<std::string>{});
}

TEST_P(DissectTest, FindsACorruptedPacket) {
  Pcap pcap = record(GetParam());
  std::array<std::byte, 1'188> memory{};
  sctp::BufferPool pool;
  Random random(1);
  sctp::Association association({}, pool, random);
  association.connect(sctp::TimePoint(1s));
  sctp::PacketTrain train(memory, 1'188);
  association.poll_transmit(train, sctp::TimePoint(1s));
  ASSERT_EQ(train.count(), 1U);
  train.packet(0)[20] ^= std::byte{1};
  pcap.add(train.packet(0), true, sctp::TimePoint(2'000s));
  const auto found = dissect(pcap, "corrupted", "sctp.checksum.status == 0");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].substr(0, found[0].find('\t')), std::to_string(pcap.packets()));
}

}  // namespace
}  // namespace wdc::sim

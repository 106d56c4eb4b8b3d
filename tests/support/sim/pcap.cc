// SPDX-License-Identifier: MIT
#include "tests/support/sim/pcap.h"

#include <fstream>

namespace wdc::sim {
namespace {

void little(std::vector<std::uint8_t>& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void big(std::vector<std::uint8_t>& bytes, std::uint64_t value, int size) {
  for (int i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

constexpr std::size_t kIpHeaderSize = 20;

}  // namespace

Pcap::Pcap() {
  little(bytes_, 0xa1b2c3d4, 4);
  little(bytes_, 2, 2);  // version 2.4
  little(bytes_, 4, 2);
  little(bytes_, 0, 8);
  little(bytes_, 65'535, 4);
  little(bytes_, 228, 4);  // LINKTYPE_IPV4
}

void Pcap::add(std::span<const std::byte> packet, bool from_a, sctp::TimePoint now) {
  const auto microseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count());
  const std::size_t size = kIpHeaderSize + packet.size();
  little(bytes_, microseconds / 1'000'000, 4);
  little(bytes_, microseconds % 1'000'000, 4);
  little(bytes_, size, 4);
  little(bytes_, size, 4);
  big(bytes_, 0x4500, 2);
  big(bytes_, size, 2);
  big(bytes_, packets_ & 0xffff, 2);
  big(bytes_, 0x4000, 2);
  big(bytes_, 64, 1);
  big(bytes_, 132, 1);  // SCTP
  big(bytes_, 0, 2);    // no dissector is asked to check it
  big(bytes_, from_a ? 0x0a000001 : 0x0a000002, 4);
  big(bytes_, from_a ? 0x0a000002 : 0x0a000001, 4);
  for (const std::byte byte : packet) bytes_.push_back(std::to_integer<std::uint8_t>(byte));
  ++packets_;
}

bool Pcap::write(const std::string& path) const {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
  return file.good();
}

}  // namespace wdc::sim

// SPDX-License-Identifier: MIT
#include <array>
#include <cstdlib>

#include "benchmarks/sctp/bench_case.h"
#include "src/native/sctp/association.h"
#include "tests/support/sim/random.h"

namespace wdc::bench {
namespace {

sctp::AssociationOptions options_for(Crc crc, Peer peer) {
  sctp::AssociationOptions options;
  options.packet_size = kPacketSize;
  options.receive_window = kReceiveWindow;
  options.receive_message_size = std::size_t{2} << 20;
  options.sack_rate = peer == Peer::ours ? sctp::SackRate::every_burst : sctp::SackRate::every_second_packet;
  options.capabilities.message_interleaving = false;
  options.capabilities.zero_checksum = crc == Crc::none;
  return options;
}

class WdcCase final : public BenchCase {
 public:
  WdcCase(std::size_t message_size, const sctp::AssociationOptions& options)
      : BenchCase(message_size), a_(options, pool_, random_), b_(options, pool_, random_) {
    const sctp::TimePoint now = Clock::now();
    a_.connect(now);
    while (deliver(a_, b_, now) + deliver(b_, a_, now) > 0) {
    }
    if (a_.state() != sctp::Association::State::established) std::abort();
  }

  void turn() override {
    const sctp::TimePoint now = Clock::now();
    while (a_.buffered() < send_buffer_) {
      if (a_.send(sctp::StreamId(0), sctp::Ppid(53), sctp::Payload::forever(message_), {}, now) !=
          sctp::SendStatus::ok) {
        std::abort();
      }
    }
    counts_.packets += deliver(a_, b_, now);
    while (const auto received = b_.poll_message()) {
      ++counts_.messages;
      b_.consumed(received->payload.size());
    }
    deliver(b_, a_, now);
    if (a_.next_deadline() <= now) a_.handle_timeout(now);
    if (b_.next_deadline() <= now) b_.handle_timeout(now);
  }

 private:
  std::size_t deliver(sctp::Association& from, sctp::Association& to, sctp::TimePoint now) {
    sctp::PacketTrain train(memory_, kPacketSize);
    from.poll_transmit(train, now);
    for (std::size_t i = 0; i < train.count(); ++i) views_[i] = train.packet(i);
    if (!train.empty()) to.handle_packets(std::span(views_).first(train.count()), now);
    return train.count();
  }

  sctp::BufferPool pool_;
  sim::Random random_{1};
  std::vector<std::byte> memory_ = std::vector<std::byte>(sctp::PacketTrain::kMostPackets * kPacketSize);
  std::array<sctp::ByteView, sctp::PacketTrain::kMostPackets> views_;
  sctp::Association a_;
  sctp::Association b_;
};

}  // namespace

std::unique_ptr<BenchCase> make_wdc_case(std::size_t message_size, Crc crc, Peer peer) {
  return std::make_unique<WdcCase>(message_size, options_for(crc, peer));
}

}  // namespace wdc::bench

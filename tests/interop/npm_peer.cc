// SPDX-License-Identifier: MIT
// The native end that npm_peers.test.mjs sets against other people's: it sends back every message of every channel.
// Lines of tab-separated fields, with \n and \r written as such inside a field. In: "description TYPE SDP",
// "candidate CANDIDATE MID", "create LABEL ORDERED RETRANSMITS LIFETIME" (an empty field: none), "close CHANNEL". Out:
// "description TYPE SDP", "candidate CANDIDATE MID", "opened CHANNEL LABEL PROTOCOL ORDERED RETRANSMITS LIFETIME",
// "closed CHANNEL CODE". Ends with its input.
#include <iostream>
#include <memory>
#include <ranges>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/one_line.h"
#include "wdc/native.h"
#include "wdc/wdc.h"

namespace {

using Fields = std::vector<std::string>;

Fields fields_of(std::string_view line) {
  Fields fields;
  for (const auto field : std::views::split(line, '\t')) {
    fields.push_back(wdc::test::from_one_line(std::string_view(field)));
  }
  if (fields.empty()) fields.emplace_back();
  return fields;
}

void say(const Fields& fields) {
  std::string line;
  for (const auto& field : fields) line += (line.empty() ? "" : "\t") + wdc::test::to_one_line(field);
  std::cout << line << std::endl;
}

class Peer {
 public:
  Peer(wdc::EventLoop& loop, wdc::PeerConnection connection) : loop_(loop), connection_(std::move(connection)) {
    run(negotiate());
    run(accept());
  }

  void take(const Fields& fields) {
    if (fields[0] == "description") {
      run(take_description({fields[1] == "offer" ? wdc::SdpType::offer : wdc::SdpType::answer, fields[2]}));
    } else if (fields[0] == "candidate") {
      wdc::IceCandidate candidate;
      candidate.candidate = fields[1];
      candidate.sdp_mid = fields[2];
      run(take_candidate(std::move(candidate)));
    } else if (fields[0] == "create") {
      wdc::DataChannelOptions options;
      options.ordered = fields[2] == "true";
      if (!fields[3].empty()) options.max_retransmits = static_cast<std::uint16_t>(std::stoul(fields[3]));
      if (!fields[4].empty()) options.max_packet_life_time = std::chrono::milliseconds(std::stoul(fields[4]));
      add(connection_.create_data_channel(fields[1], std::move(options)).value());
    } else if (fields[0] == "close") {
      (void)channels_.at(std::stoul(fields[1]))->close();
    }
  }

 private:
  void run(wdc::Task<> task) { wdc::spawn(loop_, std::move(task)).detach(); }

  void add(wdc::DataChannel channel) {
    channels_.push_back(std::make_unique<wdc::DataChannel>(std::move(channel)));
    run(echo(*channels_.back(), std::to_string(channels_.size() - 1)));
  }

  wdc::Task<> negotiate() {
    for (;;) {
      auto next = connection_.next_negotiation_event();
      auto event = co_await next;
      if (!event) co_return;
      if (auto* candidate = std::get_if<wdc::IceCandidate>(&*event)) {
        say({"candidate", candidate->candidate, candidate->sdp_mid.value_or("")});
      } else if (connection_.signaling_state() == wdc::SignalingState::stable) {
        auto describing = describe();
        co_await std::move(describing);
      }
    }
  }

  wdc::Task<> describe() {
    auto making = connection_.set_local_description();
    auto made = co_await making;
    if (made)
      say({"description", std::string(wdc::name(made->type)), made->sdp});
    else
      std::cerr << made.error().message() << '\n';
  }

  wdc::Task<> take_description(wdc::SessionDescription description) {
    const bool is_offer = description.type == wdc::SdpType::offer;
    auto setting = connection_.set_remote_description(std::move(description));
    auto set = co_await setting;
    if (!set) {
      std::cerr << set.error().message() << '\n';
    } else if (is_offer) {
      auto describing = describe();
      co_await std::move(describing);
    }
  }

  wdc::Task<> take_candidate(wdc::IceCandidate candidate) {
    auto adding = connection_.add_ice_candidate(std::move(candidate));
    auto added = co_await adding;
    if (!added) std::cerr << added.error().message() << '\n';
  }

  wdc::Task<> accept() {
    for (;;) {
      auto next = connection_.accept_data_channel();
      auto channel = co_await next;
      if (!channel) co_return;
      add(std::move(*channel));
    }
  }

  wdc::Task<> echo(wdc::DataChannel& channel, std::string number) {
    auto opening = channel.wait_open();
    (void)co_await opening;
    const auto retransmits = channel.max_retransmits();
    const auto life_time = channel.max_packet_life_time();
    say({"opened", number, std::string(channel.label()), std::string(channel.protocol()),
         channel.ordered() ? "true" : "false", retransmits ? std::to_string(*retransmits) : "",
         life_time ? std::to_string(life_time->count()) : ""});
    auto messages = channel.message_stream();
    for (;;) {
      auto next = messages.next();
      auto message = co_await next;
      if (!message) break;
      auto sending = channel.send(std::move(*message));
      auto sent = co_await sending;
      if (!sent) std::cerr << sent.error().message() << '\n';
    }
    auto closing = channel.wait_closed();
    auto closed = co_await closing;
    say({"closed", number, closed ? "" : std::string(wdc::name(closed.error().code()))});
  }

  wdc::EventLoop& loop_;
  wdc::PeerConnection connection_;
  std::vector<std::unique_ptr<wdc::DataChannel>> channels_;
};

/// The loop would end while nothing but the input can happen.
wdc::Task<> wait_for_input() {
  for (;;) co_await wdc::sleep_for(std::chrono::hours(1));
}

}  // namespace

int main() {
  wdc::NativeOptions options;
  options.loopback = wdc::LoopbackCandidates::always;
  const auto loop = wdc::make_native_loop(std::move(options)).value();
  auto peer = std::make_unique<Peer>(*loop, wdc::PeerConnection::create(*loop).value());
  const auto waiting = wdc::spawn(*loop, wait_for_input());
  std::thread reader([&loop, &peer] {
    for (std::string line; std::getline(std::cin, line);)
      (void)loop->post([&peer, fields = fields_of(line)] { peer->take(fields); });
    (void)loop->post([&loop] { loop->stop(); });
  });
  loop->run();
  reader.join();
  return 0;
}

// SPDX-License-Identifier: MIT
#include "tests/fuzz/ice/targets.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "src/native/ice/agent.h"
#include "src/native/ice/candidate.h"
#include "src/native/ice/stun_message.h"
#include "src/native/sdp/description.h"
#include "tests/fuzz/input.h"
#include "tests/support/sim/ice_world.h"

namespace wdc::fuzz {
namespace {

using namespace ice;
using namespace std::chrono_literals;

std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

const Credentials kPeer{"peer", "the-password-of-the-peer"};

/// An agent with two addresses and a server, at the mercy of a script.
class Driver {
 public:
  Driver() : agent_({.role = Role::controlling, .max_pairs = 20}, random_) {
    agent_.add_local_address(local(0), CandidateType::host, 2, now_);
    agent_.add_server(sim::IceWorld::kServer, now_);
  }

  void run(Input input) {
    for (int steps = 0; !input.empty() && steps < 400; ++steps) {
      step(input);
      check();
    }
    // Whatever has happened: time passes, and an end comes of it.
    for (int rounds = 0; agent_.next_deadline() != native::kNever && rounds < 20'000; ++rounds) {
      if (now_ > start_ + 24h) break;
      now_ = std::max(now_, agent_.next_deadline());
      agent_.handle_timeout(now_);
      check();
    }
  }

 private:
  static SocketAddress local(unsigned number) {
    SocketAddress address = sim::address("198.51.100.1:5000");
    address.port = static_cast<std::uint16_t>(address.port + number % 3);
    return address;
  }
  static SocketAddress remote(unsigned number) {
    SocketAddress address = number % 7 == 6 ? sim::address("[2001:db8::1]:1") : sim::address("192.0.2.1:1");
    address.port = static_cast<std::uint16_t>(1 + number);
    return number == 255 ? sim::IceWorld::kServer : address;
  }

  void step(Input& input) {
    switch (input.byte() % 12) {
      case 0:
        now_ += std::chrono::milliseconds(input.byte());
        return agent_.handle_timeout(now_);
      case 1:
        now_ = std::max(now_, std::min(agent_.next_deadline(), now_ + 30s));
        return agent_.handle_timeout(now_);
      case 2:
        static_cast<void>(
            agent_.set_remote_credentials(kPeer, input.byte() % 8 == 0 ? PeerKind::lite : PeerKind::full, now_));
        return;
      case 3:
        return request(input);
      case 4:
      case 5:
        return answer(input);
      case 6: {
        const ByteView bytes = input.take(input.byte());
        static_cast<void>(agent_.handle_datagram(bytes, {local(input.byte()), remote(input.byte())}, now_));
        return;
      }
      case 7: {
        Candidate candidate;
        candidate.foundation = std::to_string(input.byte() % 5);
        candidate.priority = std::uint32_t{input.byte()} << 24;
        candidate.address = remote(input.byte());
        if (input.byte() % 4 == 0) candidate.host_name = "x.local";
        static_cast<void>(agent_.add_remote_candidate(candidate, now_));
        return;
      }
      case 8:
        return agent_.add_local_address(local(input.byte()), CandidateType::host, 1, now_);
      case 9:
        return agent_.remove_local_address(local(input.byte()), now_);
      case 10:
        if (input.byte() % 4 == 0) agent_.restart(now_);
        if (input.byte() % 64 == 1) agent_.close();
        return;
      default:
        return agent_.handle_resolved("x.local", std::vector{remote(input.byte()).ip}, now_);
    }
  }

  void request(Input& input) {
    const unsigned flags = input.byte();
    TransactionId transaction;
    transaction.bytes[0] = static_cast<std::byte>(input.byte());
    StunWriter writer(StunClass::request, StunMethod::binding, transaction);
    writer.add_username(agent_.local_credentials().username_fragment + ((flags & 1) != 0 ? ":peer" : ":other"));
    if ((flags & 2) == 0) writer.add_priority(std::uint32_t{input.byte()} << 20);
    if ((flags & 4) != 0) writer.add_controlling(std::uint64_t{input.byte()} << 56);
    if ((flags & 8) != 0) writer.add_controlled(std::uint64_t{input.byte()} << 56);
    if ((flags & 16) != 0) writer.add_use_candidate();
    writer.add_integrity((flags & 32) != 0 ? "wrong" : agent_.local_credentials().password);
    give(writer.finish(), {local(input.byte() / 128), remote(input.byte())});
  }

  void answer(Input& input) {
    if (sent_.empty()) return;
    const Transmit& sent = sent_[input.byte() % sent_.size()];
    const auto message = StunMessage::parse(sent.bytes);
    const unsigned flags = input.byte();
    StunWriter writer((flags & 1) != 0 ? StunClass::error : StunClass::success, StunMethod::binding,
                      message->transaction);
    if ((flags & 1) != 0) {
      constexpr StunErrorCode kCodes[] = {StunErrorCode::role_conflict, StunErrorCode::forbidden,
                                          StunErrorCode::bad_request, StunErrorCode::server_error};
      writer.add_error_code(kCodes[flags / 2 % 4], "");
    } else if ((flags & 2) == 0) {
      writer.add_xor_mapped_address(remote(input.byte() % 4));
    }
    writer.add_integrity((flags & 16) != 0 ? "wrong" : kPeer.password);
    Path path = sent.path;
    if ((flags & 32) != 0) path.remote = remote(input.byte());
    give(writer.finish(), path);
  }

  void give(const std::vector<std::byte>& bytes, const Path& path) {
    static_cast<void>(agent_.handle_datagram(bytes, path, now_));
  }

  void check() {
    std::size_t count = 0;
    while (auto transmit = agent_.poll_transmit()) {
      require(++count <= 64);
      require(StunMessage::parse(transmit->bytes).has_value());
      if (sent_.size() >= 16) sent_.erase(sent_.begin());
      sent_.push_back(std::move(*transmit));
    }
    while (agent_.poll_event()) {
    }
    require(agent_.pair_count() <= 20 && agent_.remote_candidate_count() <= 100);
    // What has to be done at once has been done.
    require(agent_.next_deadline() > now_ || agent_.state() == AgentState::failed);
    if (const auto path = agent_.selected_path()) {
      require(agent_.may_send(*path, now_) && agent_.may_receive(*path));
    }
    const bool is_silent = agent_.state() == AgentState::failed || agent_.state() == AgentState::closed;
    require(!is_silent || (!agent_.selected_path() && agent_.next_deadline() == native::kNever));
  }

  sim::IceRandom random_{1};
  Agent agent_;
  const TimePoint start_{1'000s};
  TimePoint now_ = start_;
  std::vector<Transmit> sent_;
};

}  // namespace

void parse_stun(ByteView datagram) {
  const auto message = StunMessage::parse(datagram);
  if (!message) return;
  require(looks_like_stun(datagram) && datagram.size() % 4 == 0);
  require(message->unknown_count <= message->unknown.size());
  require(!message->is_authentic("a password that nobody signed with"));
  volatile std::size_t sum = message->error_reason.size();
  for (const char character : message->username.value_or("")) sum = sum + static_cast<unsigned char>(character);
  // What we would send with the same content reads back the same.
  StunWriter writer(message->message_class, message->method, message->transaction);
  if (message->username) writer.add_username(*message->username);
  if (message->priority) writer.add_priority(*message->priority);
  if (message->controlling) writer.add_controlling(*message->controlling);
  if (message->controlled) writer.add_controlled(*message->controlled);
  if (message->use_candidate) writer.add_use_candidate();
  if (message->xor_mapped_address) writer.add_xor_mapped_address(*message->xor_mapped_address);
  if (message->error_code) writer.add_error_code(*message->error_code, message->error_reason);
  writer.add_integrity("password");
  const auto bytes = writer.finish();
  const auto again = StunMessage::parse(bytes);
  require(again && again->is_authentic("password") && again->message_class == message->message_class);
  require(again->transaction == message->transaction && again->username == message->username);
  require(again->priority == message->priority && again->use_candidate == message->use_candidate);
  require(again->controlling == message->controlling && again->controlled == message->controlled);
  require(again->xor_mapped_address == message->xor_mapped_address && again->error_code == message->error_code);
}

void parse_candidate(ByteView text) {
  const auto candidate = ice::parse_candidate(text_of(text));
  if (!candidate) return require(!candidate.error().empty());
  const auto again = ice::parse_candidate(format_candidate(*candidate));
  require(again && *again == *candidate);
}

void parse_description(ByteView text) {
  for (const auto kind : {sdp::DescriptionKind::offer, sdp::DescriptionKind::answer}) {
    const auto description = sdp::parse(text_of(text), kind);
    if (!description) {
      require(!description.error().message().empty());
      continue;
    }
    require(description->data_index < description->sections.size() && !description->data.fingerprints.empty());
    const auto again = sdp::parse(sdp::write(*description), kind);
    require(again && again->data == description->data && again->sections.size() == description->sections.size());
    if (kind == sdp::DescriptionKind::answer) continue;
    const auto answer = sdp::make_answer(*description, description->data, 1, 1);
    const auto read = sdp::parse(sdp::write(answer), sdp::DescriptionKind::answer);
    require(read && !sdp::mismatch(*description, *read));
  }
}

void drive_agent(ByteView script) {
  Driver driver;
  driver.run(Input(script));
}

}  // namespace wdc::fuzz

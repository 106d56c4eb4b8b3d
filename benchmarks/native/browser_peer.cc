// SPDX-License-Identifier: MIT
// browser_peer send|receive SIZE: the native end of ./bench native-browser. It offers one channel, and sends messages
// on it as fast as it can, or counts those that come. Lines, with \n and \r written as such in SDP. Out: "description
// SDP", "candidate CANDIDATE", "gathered", "open", "mark MESSAGES MILLISECONDS CPU-SECONDS". In: "answer SDP", "mark"
// (answered after the next message). Ends with its input.
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/native/home.h"
#include "tests/support/one_line.h"
#include "wdc/native.h"

namespace wdc::bench {
namespace {

constexpr std::byte kFill{0x5a};

void say(const std::string& line) { std::cout << line << std::endl; }

struct Peer {
  PeerConnection connection;
  DataChannel channel;
  std::size_t size = 0;
  std::uint64_t messages = 0;
  bool is_mark_wanted = false;
};

Task<> offer(Peer& self) {
  const auto made = check("offer", co_await self.connection.set_local_description());
  say("description " + test::to_one_line(made.sdp));
}

Task<> answer(Peer& self, SessionDescription description) {
  check("answer", co_await self.connection.set_remote_description(description));
}

Task<> trickle(Peer& self) {
  while (auto event = co_await self.connection.next_negotiation_event()) {
    const auto* const candidate = std::get_if<IceCandidate>(&*event);
    if (candidate == nullptr) continue;
    say(candidate->candidate.empty() ? "gathered" : "candidate " + candidate->candidate);
  }
}

Task<> send(Peer& self) {
  check("opening", co_await self.channel.wait_open());
  say("open");
  const std::vector<std::byte> bytes(self.size, kFill);
  for (;;) {
    if (!co_await self.channel.send_bytes(bytes)) co_return;
  }
}

Task<> receive(Peer& self) {
  check("opening", co_await self.channel.wait_open());
  say("open");
  auto messages = self.channel.message_stream();
  while (const auto message = co_await messages.next()) {
    const auto bytes = message->bytes();
    if (bytes.size() != self.size || bytes.front() != kFill || bytes.back() != kFill) die("receive", "a wrong message");
    ++self.messages;
    if (!std::exchange(self.is_mark_wanted, false)) continue;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    say("mark " + std::to_string(self.messages) + ' ' +
        std::to_string(std::chrono::duration<double, std::milli>(now).count()) + ' ' + std::to_string(cpu_seconds()));
  }
}

}  // namespace

int run(bool is_sender, std::size_t size) {
  NativeOptions options;
  options.loopback = LoopbackCandidates::automatic;
  const auto loop = check("loop", make_native_loop(std::move(options)));
  {
    Peer peer{.connection = check("connection", PeerConnection::create(*loop)), .channel = {}, .size = size};
    peer.channel = check("channel", peer.connection.create_data_channel("bench"));
    std::vector<Spawned<void>> tasks;
    tasks.push_back(spawn(*loop, trickle(peer)));
    tasks.push_back(spawn(*loop, is_sender ? send(peer) : receive(peer)));
    tasks.push_back(spawn(*loop, offer(peer)));
    std::thread reader([&] {
      for (std::string line; std::getline(std::cin, line);) {
        check("post", loop->post([&, line] {
          if (line.starts_with("answer ")) {
            SessionDescription description{.type = SdpType::answer, .sdp = test::from_one_line(line.substr(7))};
            tasks.push_back(spawn(*loop, answer(peer, std::move(description))));
          }
          // A sender's are its CPU time alone.
          if (line == "mark" && is_sender) say("mark 0 0 " + std::to_string(cpu_seconds()));
          if (line == "mark" && !is_sender) peer.is_mark_wanted = true;
        }));
      }
      check("post", loop->post([&] { loop->stop(); }));
    });
    loop->run();
    reader.join();
    tasks.clear();
    peer.channel.abort();
  }
  return 0;
}

}  // namespace wdc::bench

int main(int argc, char** argv) {
  const std::string_view word = argc == 3 ? argv[1] : "";
  const std::size_t size = argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0;
  if (size > 0 && (word == "send" || word == "receive")) return wdc::bench::run(word == "send", size);
  std::cerr << "usage: browser_peer send|receive SIZE\n";
  return 2;
}

// SPDX-License-Identifier: MIT
#include "benchmarks/native/peer_pair.h"

#include <algorithm>

namespace wdc::bench {

namespace {

using End = PeerPair::End;

Task<> apply(End& self, SessionDescription remote);
Task<> add(End& self, IceCandidate candidate) { check("candidate", co_await self.peer.add_ice_candidate(candidate)); }

void tell(End& self, SessionDescription description) {
  check("post",
        self.other->home->loop().post([to = self.other, what = std::move(description)] { to->run(apply, what); }));
}
void tell(End& self, IceCandidate candidate) {
  check("post", self.other->home->loop().post([to = self.other, what = std::move(candidate)] { to->run(add, what); }));
}

Task<> apply(End& self, SessionDescription remote) {
  check("remote description", co_await self.peer.set_remote_description(remote));
  if (remote.type == SdpType::answer) co_return;
  tell(self, check("answer", co_await self.peer.set_local_description()));
}

Task<> trickle(End& self) {
  while (auto event = co_await self.peer.next_negotiation_event()) {
    auto* const candidate = std::get_if<IceCandidate>(&*event);
    if (candidate != nullptr) tell(self, std::move(*candidate));
  }
}

Task<> offer(End& self) {
  tell(self, check("offer", co_await self.peer.set_local_description()));
  check("opening", co_await self.channel.wait_open());
  self.opened.set_value(Clock::now());
}

Task<> accept(End& self) {
  self.channel = check("accepting", co_await self.peer.accept_data_channel());
  check("opening", co_await self.channel.wait_open());
  self.opened.set_value(Clock::now());
}

void close(End& self) {
  self.home->call([&self] {
    self.channel.abort();
    self.channel = {};
    self.peer.close();
    self.peer = {};
  });
}

}  // namespace

PeerPair::PeerPair(Home& offerer, Home& answerer, bool framed) {
  using namespace std::chrono_literals;
  offerer_.home = &offerer;
  offerer_.other = &answerer_;
  answerer_.home = &answerer;
  answerer_.other = &offerer_;
  auto near = offerer_.opened.get_future();
  auto far = answerer_.opened.get_future();
  const auto start = Clock::now();
  answerer.call([this] {
    answerer_.peer = check("connection", PeerConnection::create(answerer_.home->loop()));
    answerer_.run(trickle);
    answerer_.run(accept);
  });
  offerer.call([this, framed] {
    DataChannelOptions options;
    if (framed) options.protocol = "wdc.framed.v1";
    offerer_.peer = check("connection", PeerConnection::create(offerer_.home->loop()));
    offerer_.run(trickle);
    offerer_.channel = check("channel", offerer_.peer.create_data_channel("bench", std::move(options)));
    offerer_.run(offer);
  });
  for (auto* side : {&near, &far}) {
    if (side->wait_for(10s) != std::future_status::ready) die("set-up", "the channel has not opened within 10 s");
  }
  const auto end = std::max(near.get(), far.get());
  setup_ms_ = std::chrono::duration<double, std::milli>(end - start).count();
}

PeerPair::~PeerPair() {
  // The sender's first, and all before anything closes: they take every end for a failure.
  for (auto* end : {&offerer_, &answerer_}) end->home->call([end] { end->tasks.clear(); });
  close(offerer_);
  close(answerer_);
}

}  // namespace wdc::bench

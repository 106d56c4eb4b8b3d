// SPDX-License-Identifier: MIT
// What one small message costs in the batch path: through a session each way, and through a channel over the tests'
// fake home, sender and receiver together. Prints nanoseconds; the best of several rounds.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <vector>

#include "src/core/framed/session.h"
#include "tests/support/loop_fixture.h"

namespace wdc::test {
namespace {

using core::framed::Sender;
using core::framed::Session;
using Clock = std::chrono::steady_clock;

constexpr int kMessages = 1'000'000;

struct End final : core::framed::SenderEvents, core::framed::ReceiverEvents {
  void on_outgoing_end(core::framed::Outgoing&, Result<void>) override {}
  void on_incoming_progress(core::framed::Incoming&) override {}
  void on_messages_dropped(std::uint64_t, std::uint64_t) override {}
  Session session{*this, *this, FramedOptions{}, Session::Mode::full};
};

void require(bool holds) {
  if (!holds) std::abort();
}

double per_message(Clock::duration time) { return std::chrono::duration<double, std::nano>(time).count() / kMessages; }

/// Frames are copied once on their way, which is in neither figure.
void measure_session(std::size_t size) {
  End near;
  End far;
  BufferPool& pool = *new BufferPool;
  far.session.receiver().set_wanted(core::framed::Incoming::Wanted::whole);
  const auto exchange_control = [&](End& from, End& to) {
    for (auto frame = from.session.poll_control(); !frame.empty(); frame = from.session.poll_control()) {
      require(to.session.handle_frame(pool.make(frame, MessageType::binary)) == core::framed::Fault::none);
      from.session.handle_control_sent();
    }
  };
  near.session.handle_open(262'144);
  far.session.handle_open(262'144);
  exchange_control(near, far);
  exchange_control(far, near);
  const std::vector<std::byte> data(size);
  double best_out = 1e9;
  double best_in = 1e9;
  for (int round = 0; round < 5; ++round) {
    Clock::duration out{};
    Clock::duration in{};
    std::uint64_t sum = 0;
    for (int sent = 0, received = 0; received < kMessages;) {
      auto start = Clock::now();
      while (sent < kMessages &&
             near.session.sender().append(data, MessageType::binary, Priority::low) == Sender::Append::done)
        ++sent;
      const auto frame = near.session.poll_data(Sender::Flush::everything);
      out += Clock::now() - start;
      Message message = pool.make(frame, MessageType::binary);
      near.session.handle_data_sent();
      start = Clock::now();
      require(far.session.handle_frame(std::move(message)) == core::framed::Fault::none);
      while (auto one = far.session.receiver().read_whole()) {
        sum += one->bytes().size();
        ++received;
      }
      in += Clock::now() - start;
      exchange_control(far, near);
    }
    require(sum == size * kMessages);
    best_out = std::min(best_out, per_message(out));
    best_in = std::min(best_in, per_message(in));
  }
  std::printf("session, %4zu B: out %5.1f ns, in %5.1f ns\n", size, best_out, best_in);
  pool.drop_reference();
}

class Channels : public LoopTest {
 public:
  void TestBody() override {}

  Task<> send(DataChannel& channel, std::size_t size) {
    const std::vector<std::byte> data(size);
    for (int i = 0; i < kMessages; ++i) require((co_await channel.send_bytes(data)).has_value());
  }
  Task<> receive(DataChannel& channel) {
    auto stream = channel.message_stream();
    for (int i = 0; i < kMessages; ++i) require((co_await stream.next()).has_value());
  }

  double run(const char* protocol, std::size_t size) {
    core::ChannelInfo info;
    info.protocol = protocol;
    FlowOptions flow;
    flow.receive_queue_messages = 1 << 20;
    auto pair = make_pair(flow, flow, ReadyState::open, info);
    settle();
    double best = 1e9;
    for (int round = 0; round < 5; ++round) {
      auto receiving = spawn(*loop, receive(pair.far));
      auto sending = spawn(*loop, send(pair.near, size));
      const auto start = Clock::now();
      while (!receiving.done()) loop->poll();
      best = std::min(best, per_message(Clock::now() - start));
      sending.take();
      receiving.take();
    }
    return best;
  }
};

}  // namespace
}  // namespace wdc::test

int main() {
  for (const std::size_t size : std::initializer_list<std::size_t>{8, 64, 1'024}) wdc::test::measure_session(size);
  for (const std::size_t size : std::initializer_list<std::size_t>{8, 64, 1'024}) {
    const double framed = wdc::test::Channels().run("wdc.framed.v1", size);
    const double plain = wdc::test::Channels().run("", size);
    std::printf("channel, %4zu B: framed %5.1f ns, plain %5.1f ns a message, both ends and the fake wire\n", size,
                framed, plain);
  }
}

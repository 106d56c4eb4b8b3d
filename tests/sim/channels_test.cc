// SPDX-License-Identifier: MIT
// Data channels on whole associations: DCEP and stream resets together, as a peer connection drives them.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "src/native/dcep/channel_table.h"
#include "tests/support/sim/pair.h"

namespace wdc::sim {
namespace {

using namespace std::chrono_literals;
using dcep::ChannelId;
using dcep::ChannelTable;
using dcep::DtlsRole;
using sctp::SendStatus;
using sctp::StreamId;

/// Channels over one end of a pair: the little that stands between the two rooms.
class Channels {
 public:
  Channels(End& end, DtlsRole role) : table(role, 65'535), end_(end) {}

  /// Hands on what has come since, and what the table says to it.
  void turn(TimePoint now) {
    for (const sctp::Event& event : end_.events) {
      if (const auto* reset = std::get_if<sctp::PeerResetEvent>(&event)) {
        for (const StreamId stream : reset->streams) peer_resets_.push_back(stream);
      } else if (const auto* done = std::get_if<sctp::ResetEvent>(&event)) {
        EXPECT_TRUE(done->performed);
        for (const StreamId stream : done->streams) table.handle_reset_done(ChannelId(stream.value()));
      }
    }
    end_.events.clear();
    for (const Text& text : end_.messages) {
      const auto bytes = std::as_bytes(std::span(text.bytes));
      if (table.handle_message(ChannelId(text.stream), text.ppid, bytes) == ChannelTable::Arrival::deliver) {
        messages.push_back(text);
      }
    }
    end_.messages.clear();
    // What came before a reset was polled before it.
    for (const StreamId stream : std::exchange(peer_resets_, {})) table.handle_peer_reset(ChannelId(stream.value()));
    while (auto output = table.poll()) {
      if (auto* message = std::get_if<dcep::ControlMessage>(&*output)) waiting_.push_back(std::move(*message));
      if (const auto* reset = std::get_if<dcep::ResetRequest>(&*output)) {
        ASSERT_EQ(end_.association.reset_stream(StreamId(reset->id.value()), now), SendStatus::ok);
      }
      if (std::holds_alternative<dcep::IncomingChannel>(*output)) ++incoming;
      if (std::holds_alternative<dcep::ChannelAcknowledged>(*output)) ++acknowledged;
      if (std::holds_alternative<dcep::ChannelClosed>(*output)) ++closed;
    }
    // A stream whose last reset is not answered yet takes nothing: its message waits.
    std::erase_if(waiting_, [&](const dcep::ControlMessage& message) {
      const std::string text(reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size());
      const SendStatus status = end_.send(message.id.value(), text, now, {}, dcep::kPpidControl);
      EXPECT_TRUE(status == SendStatus::ok || status == SendStatus::stream_is_resetting);
      return status == SendStatus::ok;
    });
  }

  ChannelTable table;
  std::deque<Text> messages;
  std::size_t incoming = 0, acknowledged = 0, closed = 0;

 private:
  End& end_;
  std::vector<StreamId> peer_resets_;
  std::vector<dcep::ControlMessage> waiting_;
};

class ChannelsTest : public testing::Test {
 protected:
  /// Opens, uses and closes channels in batches, by either end in turn, until so many have come and gone.
  void open_and_close(std::size_t channels, std::size_t batch, const LinkOptions& link) {
    Pair pair({}, link, 7);
    ASSERT_TRUE(pair.connect());
    Channels client(pair.a, DtlsRole::client);
    Channels server(pair.b, DtlsRole::server);
    const auto run_until = [&](const std::function<bool()>& condition) {
      return pair.run_until(
          [&] {
            client.turn(pair.now);
            server.turn(pair.now);
            pair.settle();
            return condition();
          },
          300s);
    };
    std::size_t opened = 0;
    for (std::size_t round = 0; opened < channels; ++round) {
      Channels& opener = round % 3 == 2 ? server : client;
      Channels& other = round % 3 == 2 ? client : server;
      End& opening_end = round % 3 == 2 ? pair.b : pair.a;
      std::vector<ChannelId> ids;
      for (std::size_t i = 0; i < batch; ++i) ids.push_back(opener.table.open({}).value());
      opened += ids.size();
      opener.turn(pair.now);
      for (const ChannelId id : ids) {
        ASSERT_EQ(opening_end.send(id.value(), "hello", pair.now, {}, dcep::kPpidText), SendStatus::ok);
      }
      ASSERT_TRUE(run_until([&] {
        return client.acknowledged + server.acknowledged == opened && other.messages.size() == ids.size();
      })) << opened;
      other.messages.clear();
      // Either end closes, or both at once.
      for (std::size_t i = 0; i < ids.size(); ++i) {
        if (i % 3 != 0) opener.table.close(ids[i]);
        if (i % 3 != 1) other.table.close(ids[i]);
      }
      ASSERT_TRUE(run_until([&] { return client.closed == opened && server.closed == opened; }))
          << client.closed << ' ' << server.closed << " of " << opened;
    }
    EXPECT_EQ(client.incoming + server.incoming, opened);
    EXPECT_EQ(client.table.size() + server.table.size(), 0U);
    EXPECT_EQ(client.table.dropped() + server.table.dropped(), 0U);
    EXPECT_EQ(pair.a.association.state(), sctp::Association::State::established);
    EXPECT_EQ(pair.a.association.stats().unread_bytes + pair.b.association.stats().unread_bytes, 0U);
  }
};

TEST_F(ChannelsTest, AHundredThousandAreOpenedAndClosedOnOneAssociation) {
  LinkOptions link;
  link.delay = 10ms;
  open_and_close(100'000, 2'000, link);
}

TEST_F(ChannelsTest, TheyComeAndGoOverABadLink) {
  LinkOptions link;
  link.delay = 10ms;
  link.loss = 0.05;
  link.reorder = 0.05;
  link.duplicate = 0.02;
  open_and_close(3'000, 50, link);
}

}  // namespace
}  // namespace wdc::sim

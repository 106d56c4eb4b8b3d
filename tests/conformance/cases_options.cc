// SPDX-License-Identifier: MIT
// Labels, protocols, reliability: what both ends see of a channel, and what is refused.
#include "far_end.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;

/// What the far end says of its channel must be what the driver says of its own.
wdc::Task<void> compare_attributes(Test& t, Session& far, const wdc::DataChannel& channel, int number) {
  auto seen = co_await far.ask(Command("attributes").with("c", number));
  CHECK_EQ(seen.text("label"), channel.label());
  CHECK_EQ(seen.text("protocol"), channel.protocol());
  CHECK_EQ(seen.text("ordered") == "true", channel.ordered());
  CHECK_EQ(seen.text("negotiated") == "true", channel.negotiated());
  CHECK_EQ(seen.number("retransmits"), channel.max_retransmits() ? static_cast<int>(*channel.max_retransmits()) : -1);
  CHECK_EQ(seen.number("lifetime"), channel.max_packet_life_time() ? channel.max_packet_life_time()->count() : -1);
  CHECK_EQ(seen.number("id"), channel.id() ? static_cast<int>(*channel.id()) : -1);
  CHECK_EQ(seen.text("state"), "open");
  CHECK(channel.ready_state() == wdc::ReadyState::open);
}

/// A channel with these options comes up, both ends see them, and a message passes each way.
wdc::Task<void> passes_with(Test& t, std::string label, wdc::DataChannelOptions options) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  if (options.negotiated) {
    Command create("create");
    create.with("c", 1)
        .with("label", label)
        .with("protocol", options.protocol)
        .with("negotiated", 1)
        .with("id", *options.id);
    create.with("ordered", options.ordered ? 1 : 0).with("echo", 1);
    if (options.max_retransmits) create.with("retransmits", *options.max_retransmits);
    if (options.max_packet_life_time) create.with("lifetime", options.max_packet_life_time->count());
    auto created = co_await far.ask(create);
    REQUIRE(created.ok());
  }
  auto channel = far.peer().create_data_channel(label, options);
  REQUIRE_OK(channel);
  if (!options.negotiated) {
    auto adopted = co_await far.ask(Command("adopt").with("c", 1).with("echo", 1));
    REQUIRE(adopted.ok());
  }
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  CHECK_EQ(channel->label(), label);
  CHECK_EQ(channel->protocol(), options.protocol);
  CHECK_EQ(channel->ordered(), options.ordered);
  CHECK_EQ(channel->negotiated(), options.negotiated);
  CHECK(channel->max_retransmits() == options.max_retransmits);
  CHECK(channel->max_packet_life_time() == options.max_packet_life_time);
  CHECK(channel->max_message_size() > 0);
  if (options.id && options.negotiated) CHECK(channel->id() == options.id);
  co_await compare_attributes(t, far, *channel, 1);

  auto sent = co_await channel->send_text("there and back");
  REQUIRE_OK(sent);
  auto stream = channel->message_stream();
  auto back = co_await stream.next();
  REQUIRE(back);
  CHECK_EQ(back->as_text(), "there and back");
  auto closed = co_await channel->close();
  CHECK_OK(closed);
}

/// A channel that the far end creates with these fields arrives with them.
wdc::Task<void> arrives_with(Test& t, Command fields) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto created = co_await far.ask(Command("create").with("c", 1).with("echo", 1).with(fields));
  REQUIRE(created.ok());
  auto channel = co_await far.peer().accept_data_channel();
  REQUIRE(channel);
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  CHECK(!channel->negotiated());
  auto ready = co_await far.ask(Command("report").with("c", 1).with("opened", 1));
  REQUIRE(ready.ok());
  co_await compare_attributes(t, far, *channel, 1);
  auto sent = co_await channel->send_text("back and there");
  REQUIRE_OK(sent);
  auto stream = channel->message_stream();
  auto back = co_await stream.next();
  REQUIRE(back);
  CHECK_EQ(back->as_text(), "back and there");
  auto closed = co_await channel->close();
  CHECK_OK(closed);
}

/// With the default options.
wdc::Task<void> passes(Test& t, std::string label) {
  wdc::DataChannelOptions options;
  return passes_with(t, std::move(label), std::move(options));
}

CASE("an ordered, reliable channel by default") { co_await passes(t, "plain"); }
CASE("an unordered channel") {
  wdc::DataChannelOptions options;
  options.ordered = false;
  co_await passes_with(t, "unordered", options);
}
CASE("max_retransmits 0 and ordered") {
  wdc::DataChannelOptions options;
  options.max_retransmits = 0;
  co_await passes_with(t, "at most once", options);
}
CASE("max_retransmits 65535 and unordered") {
  wdc::DataChannelOptions options;
  options.ordered = false;
  options.max_retransmits = 65'535;
  co_await passes_with(t, "often", options);
}
CASE("max_packet_life_time 500 ms") {
  wdc::DataChannelOptions options;
  options.max_packet_life_time = 500ms;
  co_await passes_with(t, "half a second", options);
}
CASE("max_packet_life_time 65535 ms and unordered") {
  wdc::DataChannelOptions options;
  options.ordered = false;
  options.max_packet_life_time = 65'535ms;
  co_await passes_with(t, "a minute", options);
}
CASE("a protocol") {
  wdc::DataChannelOptions options;
  options.protocol = "chat.\u4e2d\u6587/1";
  co_await passes_with(t, "with a protocol", options);
}
CASE("a negotiated channel with an id") {
  wdc::DataChannelOptions options;
  options.negotiated = true;
  options.id = 777;
  options.protocol = "agreed";
  co_await passes_with(t, "negotiated", options);
}
CASE("a negotiated channel, unordered and partially reliable") {
  wdc::DataChannelOptions options;
  options.negotiated = true;
  options.id = 42;
  options.ordered = false;
  options.max_retransmits = 7;
  co_await passes_with(t, "negotiated", options);
}
CASE("an empty label") { co_await passes(t, ""); }
CASE("a label beyond ASCII") { co_await passes(t, "\u043a\u0430\u043d\u0430\u043b \u20ac \U0001F600"); }
CASE("a label of 65535 bytes") { co_await passes(t, std::string(65'535, 'l')); }

CASE("a plain channel from the far end") { co_await arrives_with(t, Command().with("label", "from afar")); }
CASE("an unordered channel with max_retransmits from the far end") {
  co_await arrives_with(t, Command().with("label", "few").with("ordered", 0).with("retransmits", 3));
}
CASE("a channel with max_packet_life_time and protocol from the far end") {
  co_await arrives_with(t, Command().with("label", "\U0001F600").with("lifetime", 250).with("protocol", "p\u00e9"));
}
CASE("a channel with an empty label from the far end") { co_await arrives_with(t, Command().with("label", "")); }

wdc::Result<wdc::DataChannel> create_refused(wdc::PeerConnection& peer, std::string_view label,
                                             wdc::DataChannelOptions options) {
  return peer.create_data_channel(label, std::move(options));
}

CASE("bad channel options are refused, each with its error") {
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  {
    wdc::DataChannelOptions options;
    options.max_retransmits = 1;
    options.max_packet_life_time = 1ms;
    CHECK_ERROR(create_refused(*peer, "both", options), Errc::invalid_argument);
  }
  {
    wdc::DataChannelOptions options;
    options.max_packet_life_time = 65'536ms;
    CHECK_ERROR(create_refused(*peer, "long life", options), Errc::invalid_argument);
    options.max_packet_life_time = -1ms;
    CHECK_ERROR(create_refused(*peer, "no life", options), Errc::invalid_argument);
  }
  {
    wdc::DataChannelOptions options;
    options.negotiated = true;
    CHECK_ERROR(create_refused(*peer, "no id", options), Errc::invalid_argument);
    options.id = 65'535;
    auto refused = create_refused(*peer, "id 65535", options);
    CHECK_ERROR(refused, Errc::invalid_argument);
    if (!refused) CHECK(refused.error().message().find("65535") != std::string::npos);
  }
  {
    wdc::DataChannelOptions options;
    auto refused = create_refused(*peer, std::string(65'536, 'l'), options);
    CHECK_ERROR(refused, Errc::invalid_argument);
    if (!refused) CHECK(refused.error().message().find("65536") != std::string::npos);
    options.protocol = std::string(65'536, 'p');
    CHECK_ERROR(create_refused(*peer, "long protocol", options), Errc::invalid_argument);
  }
  {
    wdc::DataChannelOptions options;
    options.negotiated = true;
    options.id = 5;
    auto first = create_refused(*peer, "first", options);
    CHECK_OK(first);
    CHECK_ERROR(create_refused(*peer, "second", options), Errc::invalid_state);
  }
  {
    wdc::DataChannelOptions options;
    options.flow.send_low_water_mark = options.flow.send_high_water_mark + 1;
    CHECK_ERROR(create_refused(*peer, "low above high", options), Errc::invalid_argument);
  }
  {
    wdc::DataChannelOptions options;
    options.flow.receive_queue_bytes = 0;
    CHECK_ERROR(create_refused(*peer, "no receive queue", options), Errc::invalid_argument);
  }
  // After all that it still makes channels.
  CHECK_OK(create_refused(*peer, "fine", {}));
  co_return;
}

CASE("bad connection options are refused") {
  {
    wdc::PeerConnectionOptions options;
    wdc::IceServer server;
    server.urls.push_back("rubbish");
    options.ice_servers.push_back(server);
    CHECK_ERROR(wdc::PeerConnection::create(t.loop, options), Errc::invalid_argument);
  }
  {
    wdc::PeerConnectionOptions options;
    options.incoming_channels = 0;
    CHECK_ERROR(wdc::PeerConnection::create(t.loop, options), Errc::invalid_argument);
  }
  co_return;
}

CASE("a channel of nothing gives errors") {
  wdc::DataChannel nothing;
  CHECK(!nothing);
  CHECK_ERROR(nothing.try_send_text("x"), Errc::closed);
  CHECK_ERROR(nothing.try_receive(), Errc::closed);
  auto sent = co_await nothing.send_text("x");
  CHECK_ERROR(sent, Errc::closed);
  wdc::PeerConnection no_peer;
  auto refused = no_peer.create_data_channel("x");
  CHECK_ERROR(refused, Errc::connection_closed);
  auto offer = co_await no_peer.create_offer();
  CHECK_ERROR(offer, Errc::connection_closed);
}

CASE("sending before the channel is open is an error, and waiting for it works") {
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("early");
  REQUIRE_OK(channel);
  CHECK(channel->ready_state() == wdc::ReadyState::connecting);
  CHECK_ERROR(channel->try_send_text("too early"), Errc::not_open);
  auto sent = co_await channel->send_text("too early");
  CHECK_ERROR(sent, Errc::not_open);
  CHECK_ERROR(channel->try_receive(), Errc::would_block);
  auto opened = co_await wdc::with_timeout(channel->wait_open(), 20ms);
  CHECK_ERROR(opened, Errc::timed_out);
  peer->close();
  auto never = co_await channel->wait_open();
  CHECK(!never);
}

}  // namespace
}  // namespace conformance

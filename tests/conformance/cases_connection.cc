// SPDX-License-Identifier: MIT
// Connections: by hand and by connect(), glare, restarts, rubbish, many channels, many connections.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "suite.h"

namespace conformance {
namespace {

using wdc::Errc;
using wdc::SdpType;
using wdc::SignalingState;

constexpr std::uint32_t kSeed = 9;

wdc::Task<bool> echoes(Test& t, wdc::DataChannel& channel, std::string_view text) {
  t.step("echo of " + std::string(text));
  auto sent = co_await channel.send_text(text);
  if (!t.check_ok(sent, "send")) co_return false;
  auto stream = channel.message_stream();
  auto back = co_await stream.next();
  co_return t.check(back.has_value(), "an echo arrives") && t.check_equal(back->as_text(), text, "echo");
}

wdc::Task<void> by_hand(Test& t, Offerer offerer) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  CHECK(peer->connection_state() == wdc::ConnectionState::new_);
  CHECK(peer->signaling_state() == SignalingState::stable);
  std::optional<wdc::DataChannel> channel;
  if (offerer == Offerer::driver) {
    auto created = peer->create_data_channel("mine");
    REQUIRE_OK(created);
    channel = std::move(*created);
  } else {
    auto created = co_await far.ask(Command("create").with("p", 1).with("c", 1).with("label", "yours").with("echo", 1));
    REQUIRE(created.ok());
  }
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, offerer);
  REQUIRE(connected);
  if (channel) {
    auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1).with("echo", 1));
    REQUIRE(adopted.ok());
  } else {
    channel = co_await peer->accept_data_channel();
    REQUIRE(channel);
    CHECK_EQ(channel->label(), "yours");
  }
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  const bool up = co_await until(t.loop, [&] { return peer->connection_state() == wdc::ConnectionState::connected; });
  CHECK(up);
  CHECK(peer->ice_connection_state() == wdc::IceConnectionState::connected ||
        peer->ice_connection_state() == wdc::IceConnectionState::completed);
  CHECK(peer->ice_gathering_state() == wdc::IceGatheringState::complete);
  CHECK(peer->signaling_state() == SignalingState::stable);
  const bool echoed = co_await echoes(t, *channel, "by hand");
  CHECK(echoed);
  auto closed = co_await channel->close();
  CHECK_OK(closed);
}
CASE("offer, answer and candidates by hand, the driver offers") { co_await by_hand(t, Offerer::driver); }
CASE("offer, answer and candidates by hand, the far end offers") { co_await by_hand(t, Offerer::far_end); }

/// Carries candidates from one connection of this module to another, until it is cancelled.
wdc::Task<void> carry_candidates(wdc::PeerConnection& from, wdc::PeerConnection& to, int& negotiations_needed) {
  while (auto event = co_await from.next_negotiation_event()) {
    if (auto* candidate = std::get_if<wdc::IceCandidate>(&*event)) {
      auto added = co_await to.add_ice_candidate(std::move(*candidate));
      static_cast<void>(added);
    } else {
      ++negotiations_needed;
    }
  }
}

CASE("glare between two connections of one module, settled by rollback") {
  auto polite = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(polite);
  auto impolite = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(impolite);
  auto channel = polite->create_data_channel("from the polite");
  REQUIRE_OK(channel);
  auto other = impolite->create_data_channel("from the impolite");
  REQUIRE_OK(other);
  auto offer = co_await polite->set_local_description();
  REQUIRE_OK(offer);
  auto counter_offer = co_await impolite->set_local_description();
  REQUIRE_OK(counter_offer);
  CHECK(polite->signaling_state() == SignalingState::have_local_offer);
  CHECK(impolite->signaling_state() == SignalingState::have_local_offer);

  const wdc::SessionDescription rollback{SdpType::rollback, ""};
  auto rolled_back = co_await polite->set_local_description(rollback);
  REQUIRE_OK(rolled_back);
  CHECK(polite->signaling_state() == SignalingState::stable);
  auto taken = co_await polite->set_remote_description(*counter_offer);
  REQUIRE_OK(taken);
  CHECK(polite->signaling_state() == SignalingState::have_remote_offer);
  auto answer = co_await polite->set_local_description();
  REQUIRE_OK(answer);
  CHECK(answer->type == SdpType::answer);
  auto answered = co_await impolite->set_remote_description(*answer);
  REQUIRE_OK(answered);
  int needed = 0;
  auto there = wdc::spawn(t.loop, carry_candidates(*polite, *impolite, needed));
  auto back = wdc::spawn(t.loop, carry_candidates(*impolite, *polite, needed));

  t.step("channels open");
  auto at_impolite = co_await impolite->accept_data_channel();
  REQUIRE(at_impolite);
  CHECK_EQ(at_impolite->label(), "from the polite");
  auto at_polite = co_await polite->accept_data_channel();
  REQUIRE(at_polite);
  CHECK_EQ(at_polite->label(), "from the impolite");
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  auto sent = co_await channel->send_text("after all");
  REQUIRE_OK(sent);
  auto stream = at_impolite->message_stream();
  auto message = co_await stream.next();
  REQUIRE(message);
  CHECK_EQ(message->as_text(), "after all");
  CHECK(needed >= 2);
}

CASE("rubbish descriptions and candidates are negotiation_failed, and the connection is still of use") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("in spite of it");
  REQUIRE_OK(channel);
  const wdc::SessionDescription no_sdp{SdpType::offer, "rubbish"};
  auto offer = co_await peer->set_remote_description(no_sdp);
  CHECK_ERROR(offer, Errc::negotiation_failed);
  if (!offer) CHECK(!offer.error().detail().empty());
  const wdc::SessionDescription zero_inside{SdpType::offer, std::string("v=0\0\r\n", 6)};
  auto nul = co_await peer->set_remote_description(zero_inside);
  CHECK_ERROR(nul, Errc::negotiation_failed);
  const wdc::SessionDescription unasked{SdpType::answer, "v=0\r\n"};
  auto answer = co_await peer->set_remote_description(unasked);
  CHECK_ERROR(answer, Errc::negotiation_failed);
  auto no_offer = co_await peer->create_answer();
  CHECK_ERROR(no_offer, Errc::negotiation_failed);
  wdc::IceCandidate candidate;
  candidate.candidate = "rubbish";
  candidate.sdp_mid = "0";
  auto added = co_await peer->add_ice_candidate(candidate);
  CHECK_ERROR(added, Errc::negotiation_failed);
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto rubbish = co_await peer->add_ice_candidate(candidate);
  CHECK_ERROR(rubbish, Errc::negotiation_failed);
  auto adopted = co_await far.ask(Command("adopt").with("p", 1).with("c", 1).with("echo", 1));
  REQUIRE(adopted.ok());
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  const bool echoed = co_await echoes(t, *channel, "still here");
  CHECK(echoed);
}

wdc::Task<void> echo_traffic(Test& t, wdc::DataChannel& channel, const bool& stop, std::uint32_t& count) {
  auto stream = channel.message_stream();
  std::vector<std::byte> bytes(1'000);
  while (!stop) {
    fill_pattern(bytes, kSeed, count);
    auto sent = co_await channel.send_bytes(bytes);
    if (!t.check_ok(sent, "send during the restart")) co_return;
    auto back = co_await stream.next();
    if (!t.check(back.has_value(), "echo during the restart")) co_return;
    if (!t.check(has_pattern(back->bytes(), kSeed, count), "the echo is what was sent")) co_return;
    ++count;
  }
}

CASE("an ICE restart with traffic running loses nothing") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("echo", 1));
  REQUIRE(channel);
  bool stop = false;
  std::uint32_t count = 0;
  auto traffic = wdc::spawn(t.loop, echo_traffic(t, channel, stop, count));
  const bool running = co_await until(t.loop, [&] { return count >= 20; });
  REQUIRE(running);
  auto before = co_await far.ask(Command("state").with("p", 0));
  far.peer().restart_ice();
  t.step("restart");
  auto after = co_await far.ask(Command("restarted").with("p", 0).with("from", before.text("ufrag")));
  CHECK(after.ok());
  CHECK(after.text("ufrag") != before.text("ufrag"));
  const auto at_restart = count;
  const bool went_on = co_await until(t.loop, [&] { return count >= at_restart + 50 || traffic.done(); });
  CHECK(went_on);
  stop = true;
  co_await std::move(traffic);
  CHECK(count >= at_restart + 50);
}

CASE("an ICE restart by the far end with traffic running loses nothing") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto channel = co_await create_channel(t, far, 1, Command().with("echo", 1));
  REQUIRE(channel);
  bool stop = false;
  std::uint32_t count = 0;
  auto traffic = wdc::spawn(t.loop, echo_traffic(t, channel, stop, count));
  const bool running = co_await until(t.loop, [&] { return count >= 20; });
  REQUIRE(running);
  auto before = co_await far.ask(Command("state").with("p", 0));
  auto asked = co_await far.ask(Command("restart").with("p", 0));
  REQUIRE(asked.ok());
  auto after = co_await far.ask(Command("restarted").with("p", 0).with("from", before.text("ufrag")));
  CHECK(after.ok());
  const auto at_restart = count;
  const bool went_on = co_await until(t.loop, [&] { return count >= at_restart + 50 || traffic.done(); });
  CHECK(went_on);
  stop = true;
  co_await std::move(traffic);
}

wdc::Task<void> open_and_close_channels(Test& t, int total, int batch) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  std::uint16_t highest_id = 0;
  for (int done = 0; done < total; done += batch) {
    t.step("channels from " + std::to_string(done));
    std::vector<wdc::DataChannel> channels;
    for (int i = 0; i < batch; ++i) {
      auto channel = far.peer().create_data_channel("short-lived");
      REQUIRE_OK(channel);
      channels.push_back(std::move(*channel));
    }
    auto adopted = co_await far.ask(Command("adopt").with("c", 1).with("channels", batch).with("echo", 1));
    REQUIRE(adopted.ok());
    for (auto& channel : channels) {
      auto opened = co_await channel.wait_open();
      REQUIRE_OK(opened);
      if (channel.id()) highest_id = std::max(highest_id, *channel.id());
      auto sent = co_await channel.send_text("x");
      REQUIRE_OK(sent);
    }
    std::vector<wdc::CloseOperation> closing;
    for (auto& channel : channels) {
      auto stream = channel.message_stream();
      auto back = co_await stream.next();
      REQUIRE(back);
      closing.push_back(channel.close());
    }
    for (auto& close : closing) {
      auto closed = co_await std::move(close);
      REQUIRE_OK(closed);
    }
    auto forgotten = co_await far.ask(Command("forget").with("c", 1).with("channels", batch));
    REQUIRE(forgotten.ok());
  }
  // Ids are used again: a batch needs every second one, and a few are still on their way back.
  CHECK(highest_id < 10 * batch);
  auto last = co_await create_channel(t, far, 1, Command().with("echo", 1));
  REQUIRE(last);
  const bool echoed = co_await echoes(t, last, "after them all");
  CHECK(echoed);
}
SLOW_CASE("1000 channels opened and closed on one connection", 60s) { co_await open_and_close_channels(t, 1'000, 50); }
STRESS_CASE("20000 channels opened and closed on one connection", 1'200s) {
  co_await open_and_close_channels(t, 20'000, 100);
}

SLOW_CASE("50 connections at once", 60s) {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  constexpr int kConnections = 50;
  std::vector<wdc::PeerConnection> peers;
  std::vector<wdc::DataChannel> channels;
  for (int i = 1; i <= kConnections; ++i) {
    auto made = co_await far.ask(Command("peer").with("p", i));
    REQUIRE(made.ok());
    auto peer = wdc::PeerConnection::create(t.loop);
    REQUIRE_OK(peer);
    wdc::DataChannelOptions options;
    options.negotiated = true;
    options.id = 1;
    auto channel = peer->create_data_channel("one of many", options);
    REQUIRE_OK(channel);
    Command create("create");
    create.with("p", i).with("c", i).with("label", "one of many").with("negotiated", 1).with("id", 1).with("echo", 1);
    auto created = co_await far.ask(create);
    REQUIRE(created.ok());
    const bool connected = co_await connect_by_hand(t, far, *peer, i, i % 2 == 0 ? Offerer::driver : Offerer::far_end);
    REQUIRE(connected);
    peers.push_back(std::move(*peer));
    channels.push_back(std::move(*channel));
  }
  for (int i = 0; i < kConnections; ++i) {
    t.step("opening of connection " + std::to_string(i + 1));
    auto opened = co_await channels[static_cast<std::size_t>(i)].wait_open();
    REQUIRE_OK(opened);
  }
  for (int i = 0; i < kConnections; ++i) {
    const bool echoed =
        co_await echoes(t, channels[static_cast<std::size_t>(i)], "connection " + std::to_string(i + 1));
    REQUIRE(echoed);
  }
}

CASE("the far end joins by itself: connect() in the impolite role") {
  auto session = co_await meet(t);
  REQUIRE(session);
  // Whoever comes first is impolite, and the far end leaves a room in which it is the first. Should the driver have
  // come in just then, its place is the second one all the same: then once more, in another room.
  SessionPointer second;
  std::string polite;
  for (int attempt = 0; attempt < 10 && polite != "true"; ++attempt) {
    const auto room = fresh_room(t, "inverse");
    auto meeting = wdc::spawn(t.loop, meet_in(t, room));
    auto told = co_await session->ask(Command("join").with("room", room));
    REQUIRE(told.ok());
    t.step("the driver's place is the first");
    second = co_await std::move(meeting);
    REQUIRE(second);
    auto role = co_await second->ask(Command("role"));
    polite = role.text("polite");
  }
  CHECK_EQ(polite, "true");
  auto channel = co_await create_channel(t, *second, 1, Command().with("echo", 1));
  REQUIRE(channel);
  const bool echoed = co_await echoes(t, channel, "the other way round");
  CHECK(echoed);
}

/// One side of two connect() in one module.
wdc::Task<void> connect_and_say(Test& t, std::string room, std::string say, std::optional<std::string>& heard) {
  wdc::ConnectOptions options;
  options.timeout = 15s;
  options.label = "both";
  options.channel.protocol = "conformance";
  auto connection = co_await wdc::connect(t.loop, t.settings.url, room, options);
  REQUIRE_OK(connection);
  CHECK_EQ(connection->channel.label(), "both");
  CHECK_EQ(connection->channel.protocol(), "conformance");
  CHECK(connection->channel.ready_state() == wdc::ReadyState::open);
  CHECK_OK(connection->signaling_state());
  auto sent = co_await connection->channel.send_text(say);
  REQUIRE_OK(sent);
  auto stream = connection->channel.message_stream();
  auto message = co_await stream.next();
  REQUIRE(message);
  heard = std::string(message->as_text());
  auto closed = co_await connection->channel.close();
  CHECK_OK(closed);
}

CASE("connect() meets connect() in one module, both start at once") {
  const auto room = fresh_room(t, "pair");
  std::optional<std::string> heard_by_first;
  std::optional<std::string> heard_by_second;
  auto first = wdc::spawn(t.loop, connect_and_say(t, room, "from the first", heard_by_first));
  auto second = wdc::spawn(t.loop, connect_and_say(t, room, "from the second", heard_by_second));
  t.step("first");
  co_await std::move(first);
  t.step("second");
  co_await std::move(second);
  CHECK(heard_by_first == "from the second");
  CHECK(heard_by_second == "from the first");
}

CASE("a third member is told room_full, and the two are not disturbed") {
  const auto room = fresh_room(t, "full");
  wdc::ConnectOptions options;
  options.timeout = 15s;
  std::optional<wdc::Result<wdc::Connection>> results[2];
  auto join = [](Test& test, std::string where, wdc::ConnectOptions with,
                 std::optional<wdc::Result<wdc::Connection>>& into) -> wdc::Task<void> {
    into.emplace(co_await wdc::connect(test.loop, test.settings.url, where, with));
  };
  auto first = wdc::spawn(t.loop, join(t, room, options, results[0]));
  auto second = wdc::spawn(t.loop, join(t, room, options, results[1]));
  co_await std::move(first);
  co_await std::move(second);
  REQUIRE_OK(*results[0]);
  REQUIRE_OK(*results[1]);
  t.step("third");
  auto third = co_await wdc::connect(t.loop, t.settings.url, room, options);
  CHECK_ERROR(third, Errc::room_full);
  auto sent = co_await (*results[0])->channel.send_text("undisturbed");
  REQUIRE_OK(sent);
  auto stream = (*results[1])->channel.message_stream();
  auto message = co_await stream.next();
  REQUIRE(message);
  CHECK_EQ(message->as_text(), "undisturbed");
}

CASE("connect() gives up after its timeout when nobody comes") {
  wdc::ConnectOptions options;
  options.timeout = 300ms;
  const auto start = t.loop.now();
  auto connection = co_await wdc::connect(t.loop, t.settings.url, fresh_room(t, "nobody"), options);
  CHECK_ERROR(connection, Errc::timed_out);
  CHECK(elapsed(t.loop, start) >= 300ms);
  CHECK(elapsed(t.loop, start) < 3s);
}

CASE("connect() to nowhere and with bad arguments says so") {
  wdc::ConnectOptions options;
  options.timeout = 5s;
  // Port 9 (discard): nobody listens there, and browsers refuse it outright.
  auto nowhere = co_await wdc::connect(t.loop, "ws://127.0.0.1:9/ws", "room", options);
  CHECK_ERROR(nowhere, Errc::signaling_unreachable);
  auto no_url = co_await wdc::connect(t.loop, "rubbish", "room", options);
  CHECK_ERROR(no_url, Errc::invalid_argument);
  auto no_room = co_await wdc::connect(t.loop, t.settings.url, "not a room!", options);
  CHECK_ERROR(no_room, Errc::invalid_argument);
  auto long_room = co_await wdc::connect(t.loop, t.settings.url, std::string(65, 'r'), options);
  CHECK_ERROR(long_room, Errc::invalid_argument);
}

CASE("connect() cancelled before anybody came leaves the room") {
  const auto room = fresh_room(t, "left");
  {
    auto wait = [](Test& test, std::string where) -> wdc::Task<void> {
      auto connection = co_await wdc::connect(test.loop, test.settings.url, where);
      static_cast<void>(connection);
    };
    auto waiting = wdc::spawn(t.loop, wait(t, room));
    co_await wdc::sleep_for(50ms);
    waiting.cancel();
  }
  std::optional<std::string> heard_by_first;
  std::optional<std::string> heard_by_second;
  auto first = wdc::spawn(t.loop, connect_and_say(t, room, "one", heard_by_first));
  auto second = wdc::spawn(t.loop, connect_and_say(t, room, "two", heard_by_second));
  co_await std::move(first);
  co_await std::move(second);
  CHECK(heard_by_first == "two");
  CHECK(heard_by_second == "one");
}

enum class First : std::uint8_t { driver, package };

wdc::Task<void> with_the_package(Test& t, First first) {
  auto session = co_await meet(t);
  REQUIRE(session);
  const auto room = fresh_room(t, "package");
  std::optional<wdc::Result<wdc::Connection>> connection;
  auto join = [](Test& test, std::string where, std::optional<wdc::Result<wdc::Connection>>& into) -> wdc::Task<void> {
    wdc::ConnectOptions options;
    options.timeout = 15s;
    into.emplace(co_await wdc::connect(test.loop, test.settings.url, where, options));
  };
  wdc::Spawned<void> running;
  if (first == First::driver) running = wdc::spawn(t.loop, join(t, room, connection));
  auto told = co_await session->ask(Command("package").with("room", room));
  REQUIRE(told.ok());
  if (first == First::package) running = wdc::spawn(t.loop, join(t, room, connection));
  t.step("connect to the package");
  co_await std::move(running);
  REQUIRE_OK(*connection);
  auto& channel = (*connection)->channel;
  // The package's side sends everything back.
  const bool echoed = co_await echoes(t, channel, "C++ to TypeScript and back");
  CHECK(echoed);
  auto closed = co_await channel.close();
  CHECK_OK(closed);
}
CASE("connect() meets connect() of the npm package, the driver first in the room") {
  co_await with_the_package(t, First::driver);
}
CASE("connect() meets connect() of the npm package, the package first in the room") {
  co_await with_the_package(t, First::package);
}

CASE("connection states are told in order") {
  auto session = co_await meet(t);
  REQUIRE(session);
  auto& far = *session;
  auto made = co_await far.ask(Command("peer").with("p", 1));
  REQUIRE(made.ok());
  auto peer = wdc::PeerConnection::create(t.loop);
  REQUIRE_OK(peer);
  auto channel = peer->create_data_channel("watched");
  REQUIRE_OK(channel);
  std::vector<wdc::ConnectionState> states;
  auto watch = [](wdc::PeerConnection& connection, std::vector<wdc::ConnectionState>& seen) -> wdc::Task<void> {
    for (;;) {
      seen.push_back(co_await connection.next_connection_state());
      if (seen.back() == wdc::ConnectionState::closed) co_return;
    }
  };
  auto watching = wdc::spawn(t.loop, watch(*peer, states));
  const bool connected = co_await connect_by_hand(t, far, *peer, 1, Offerer::driver);
  REQUIRE(connected);
  auto opened = co_await channel->wait_open();
  REQUIRE_OK(opened);
  const bool up = co_await until(t.loop, [&] { return peer->connection_state() == wdc::ConnectionState::connected; });
  CHECK(up);
  co_await wdc::sleep_for(0ms);
  peer->close();
  t.step("the watcher's end");
  co_await std::move(watching);
  CHECK(std::is_sorted(states.begin(), states.end(),
                       [](auto a, auto b) { return static_cast<int>(a) < static_cast<int>(b); }));
  CHECK(states.size() >= 2);
  CHECK(states.back() == wdc::ConnectionState::closed);
}

}  // namespace
}  // namespace conformance

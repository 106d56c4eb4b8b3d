// SPDX-License-Identifier: MIT
#include "far_end.h"

#include <charconv>

namespace conformance {

namespace {

constexpr std::uint16_t kControlId = 1000;
constexpr const char* kFramedProtocol = "wdc.framed.v1";

std::uint32_t meeting_count = 0;
std::uint32_t fresh_room_count = 0;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

void append_encoded(std::string& out, std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string_view type_name(wdc::SdpType type) { return wdc::name(type); }

wdc::SdpType type_of(std::string_view name) { return name == "answer" ? wdc::SdpType::answer : wdc::SdpType::offer; }

/// The description with another a=max-message-size.
std::string with_max_message_size(std::string sdp, std::uint64_t size) {
  constexpr std::string_view kAttribute = "a=max-message-size:";
  const auto start = sdp.find(kAttribute);
  if (start == std::string::npos) return sdp + std::string(kAttribute) + std::to_string(size) + "\r\n";
  const auto end = sdp.find("\r\n", start);
  return sdp.replace(start + kAttribute.size(), end - start - kAttribute.size(), std::to_string(size));
}

}  // namespace

Command& Command::with(std::string_view key, std::string_view value) {
  text_ += '&';
  text_ += key;
  text_ += '=';
  append_encoded(text_, value);
  return *this;
}

Command& Command::with(const Command& fields) {
  text_ += fields.text_;
  return *this;
}

Reply::Reply(std::string_view line) {
  while (!line.empty()) {
    const auto field = line.substr(0, line.find('&'));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    fields_.emplace_back(decoded(field.substr(0, equals)), decoded(field.substr(equals + 1)));
  }
}

bool Reply::has(std::string_view key) const {
  for (const auto& field : fields_)
    if (field.first == key) return true;
  return false;
}

std::string_view Reply::text(std::string_view key) const {
  std::string_view last;
  for (const auto& field : fields_)
    if (field.first == key) last = field.second;
  return last;
}

std::int64_t Reply::number(std::string_view key) const {
  const auto value = text(key);
  std::int64_t number = -1;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  return parsed.ec == std::errc() ? number : -1;
}

Session::Session(Test& test, wdc::Connection&& new_connection, wdc::DataChannel&& new_control)
    : connection(std::move(new_connection)),
      control(std::move(new_control)),
      test_(test),
      replies_(control.message_stream()) {}

wdc::Task<Reply> Session::try_ask(Command command) {
  const auto number = next_number_++;
  auto line = command.with("n", number).text();
  test_.step("far end: " + line.substr(0, 100));
  auto sent = co_await control.send_text(line);
  if (!test_.check_ok(sent, "command to the far end")) co_return Reply();
  for (;;) {
    auto message = co_await replies_.next();
    if (!message) {
      const auto reason = replies_.end_reason();
      test_.fail("the control channel ended: " + (reason ? std::string("cleanly") : reason.error().message()));
      co_return Reply();
    }
    Reply reply(message->as_text());
    // An answer to a command that nobody waits for any more.
    if (reply.number("n") < static_cast<std::int64_t>(number)) continue;
    co_return reply;
  }
}

wdc::Task<bool> Session::tell(Command command) {
  auto line = command.with("n", next_number_++).text();
  auto sent = co_await control.send_text(line);
  co_return test_.check_ok(sent, "command to the far end");
}

wdc::Task<Reply> Session::ask(Command command) {
  const std::string verb = command.text().substr(0, 100);
  auto reply = co_await try_ask(std::move(command));
  if (reply.has("error")) test_.fail("the far end refused " + verb + ": " + std::string(reply.text("error")));
  co_return reply;
}

std::uint32_t meetings() noexcept { return meeting_count; }

std::string fresh_room(const Test& t, std::string_view purpose) {
  return t.settings.room + '-' + std::string(purpose) + '-' + std::to_string(fresh_room_count++);
}

wdc::Task<SessionPointer> meet(Test& t, wdc::PeerConnectionOptions options) {
  return meet_in(t, t.settings.room + '-' + std::to_string(meeting_count++), std::move(options));
}

wdc::Task<SessionPointer> meet(Test& t) {
  wdc::PeerConnectionOptions options;
  return meet(t, std::move(options));
}

wdc::Task<SessionPointer> meet_in(Test& t, std::string room) {
  wdc::PeerConnectionOptions options;
  return meet_in(t, std::move(room), std::move(options));
}

wdc::Task<SessionPointer> meet_in(Test& t, std::string room, wdc::PeerConnectionOptions peer_options) {
  t.step("meet the far end in " + room);
  wdc::ConnectOptions options;
  options.peer = std::move(peer_options);
  options.timeout = 15s;
  auto connection = co_await wdc::connect(t.loop, t.settings.url, room, std::move(options));
  if (!t.check_ok(connection, "connect to the far end")) co_return nullptr;
  wdc::DataChannelOptions control_options;
  control_options.negotiated = true;
  control_options.id = kControlId;
  auto control = connection->peer().create_data_channel("control", std::move(control_options));
  if (!t.check_ok(control, "create the control channel")) co_return nullptr;
  auto opened = co_await control->wait_open();
  if (!t.check_ok(opened, "open the control channel")) co_return nullptr;
  auto session = std::make_unique<Session>(t, std::move(*connection), std::move(*control));
  auto hello = co_await session->ask(Command("hello"));
  if (!hello.ok()) co_return nullptr;
  co_return session;
}

wdc::Task<wdc::DataChannel> create_channel(Test& t, Session& far, int number, Command watch) {
  wdc::DataChannelOptions options;
  return create_channel(t, far, number, std::move(watch), std::move(options));
}

wdc::Task<wdc::DataChannel> create_channel(Test& t, Session& far, int number, Command watch,
                                           wdc::DataChannelOptions options) {
  if (t.settings.framed && options.protocol.empty()) {
    options.protocol = kFramedProtocol;
    options.flow.framed.batches_only = !options.ordered || options.max_retransmits || options.max_packet_life_time;
  }
  auto channel = far.peer().create_data_channel("channel-" + std::to_string(number), std::move(options));
  if (!t.check_ok(channel, "create_data_channel")) co_return wdc::DataChannel();
  auto adopted = co_await far.ask(Command("adopt").with("c", number).with(watch));
  if (!adopted.ok()) co_return wdc::DataChannel();
  auto opened = co_await channel->wait_open();
  if (!t.check_ok(opened, "wait_open")) co_return wdc::DataChannel();
  co_return std::move(*channel);
}

wdc::Task<wdc::DataChannel> accept_channel(Test& t, Session& far, int number, Command watch) {
  Command create("create");
  create.with("c", number).with("label", "far-" + std::to_string(number));
  if (t.settings.framed) create.with("protocol", kFramedProtocol);
  auto created = co_await far.ask(create.with(watch));
  if (!created.ok()) co_return wdc::DataChannel();
  auto channel = co_await far.peer().accept_data_channel();
  if (!t.check(channel.has_value(), "accept_data_channel gives a channel")) co_return wdc::DataChannel();
  auto opened = co_await channel->wait_open();
  if (!t.check_ok(opened, "wait_open")) co_return wdc::DataChannel();
  co_return std::move(*channel);
}

wdc::Task<Reply> report_of(Session& far, int number, std::uint64_t count) {
  return far.ask(Command("report").with("c", number).with("count", count));
}

wdc::Task<Reply> report_at_close(Session& far, int number) {
  return far.ask(Command("report").with("c", number).with("closed", 1));
}

wdc::Task<bool> connect_by_hand(Test& t, Session& far, wdc::PeerConnection& peer, int number, Offerer offerer,
                                std::optional<std::uint64_t> max_message_size) {
  if (offerer == Offerer::driver) {
    auto offer = co_await peer.create_offer();
    if (!t.check_ok(offer, "create_offer")) co_return false;
    auto local = co_await peer.set_local_description(*offer);
    if (!t.check_ok(local, "set_local_description(offer)")) co_return false;
    auto taken = co_await far.ask(
        Command("remote").with("p", number).with("type", type_name(offer->type)).with("sdp", offer->sdp));
    if (!taken.ok()) co_return false;
  }
  auto answer = co_await far.ask(Command("local").with("p", number));
  if (!answer.ok()) co_return false;
  wdc::SessionDescription description{type_of(answer.text("type")), std::string(answer.text("sdp"))};
  if (max_message_size) description.sdp = with_max_message_size(std::move(description.sdp), *max_message_size);
  auto remote = co_await peer.set_remote_description(std::move(description));
  if (!t.check_ok(remote, "set_remote_description")) co_return false;
  if (offerer == Offerer::far_end) {
    auto local = co_await peer.set_local_description();
    if (!t.check_ok(local, "set_local_description()")) co_return false;
    auto taken = co_await far.ask(
        Command("remote").with("p", number).with("type", type_name(local->type)).with("sdp", local->sdp));
    if (!taken.ok()) co_return false;
  }
  // The driver's candidates, to the one that says there are no more.
  for (;;) {
    t.step("next_negotiation_event");
    auto event = co_await peer.next_negotiation_event();
    if (!t.check(event.has_value(), "next_negotiation_event gives an event")) co_return false;
    const auto* candidate = std::get_if<wdc::IceCandidate>(&*event);
    if (candidate == nullptr) continue;
    if (candidate->candidate.empty()) break;
    Command add("add");
    add.with("p", number).with("candidate", candidate->candidate);
    if (candidate->sdp_mid) add.with("mid", *candidate->sdp_mid);
    if (candidate->sdp_m_line_index) add.with("index", *candidate->sdp_m_line_index);
    auto added = co_await far.ask(std::move(add));
    if (!added.ok()) co_return false;
  }
  for (;;) {
    auto reply = co_await far.ask(Command("candidate").with("p", number));
    if (!reply.ok()) co_return false;
    if (reply.text("candidate").empty()) break;
    wdc::IceCandidate candidate;
    candidate.candidate = reply.text("candidate");
    if (reply.has("mid")) candidate.sdp_mid = std::string(reply.text("mid"));
    if (reply.has("index")) candidate.sdp_m_line_index = static_cast<std::uint16_t>(reply.number("index"));
    auto added = co_await peer.add_ice_candidate(std::move(candidate));
    if (!t.check_ok(added, "add_ice_candidate")) co_return false;
  }
  co_return true;
}

}  // namespace conformance

// SPDX-License-Identifier: MIT
// The far end of the suite as a native program; README.md has the commands. usage: far_end_native URL PREFIX NUMBER.
// Writes "seat<TAB>number" whenever it sits in that room. It meets the driver over the library's signaling, but with a
// negotiation of its own.
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "far_end.h"
#include "pattern.h"
#include "src/core/loop.h"
#include "suite.h"

namespace {

using conformance::Command;
using conformance::until;
using Fields = conformance::Reply;  // the last field of a name counts
using namespace std::chrono_literals;
namespace frames = wdc::core::signaling;

constexpr auto kForever = std::chrono::hours(1);

std::int64_t number_of(const Fields& fields, std::string_view name, std::int64_t otherwise = 0) {
  return fields.has(name) ? fields.number(name) : otherwise;
}
bool flag_of(const Fields& fields, std::string_view name, bool otherwise = false) {
  return fields.has(name) ? fields.text(name) != "0" : otherwise;
}
std::vector<std::size_t> numbers_of(const Fields& fields, std::string_view name) {
  std::vector<std::size_t> numbers;
  for (auto rest = fields.text(name); !rest.empty();) {
    const auto one = rest.substr(0, rest.find(','));
    numbers.push_back(std::stoul(std::string(one)));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
  }
  return numbers;
}

/// As a browser: nothing is lost for want of room.
wdc::FlowOptions roomy_flow() {
  wdc::FlowOptions flow;
  flow.receive_queue_bytes = std::size_t{1} << 30;
  flow.receive_queue_messages = std::size_t{1} << 24;
  flow.send_high_water_mark = std::size_t{16} << 20;
  return flow;
}

/// A channel, what it does with what arrives, and what has arrived.
class Watched {
 public:
  Watched(wdc::EventLoop& loop, wdc::DataChannel&& taken) : channel(std::move(taken)), loop_(loop) {
    reading_ = wdc::spawn(loop, read());
  }

  void watch(const Fields& fields) {
    if (fields.has("verify")) seed_ = static_cast<std::uint32_t>(std::stoul(std::string(fields.text("verify"))));
    if (fields.has("sizes")) sizes_ = numbers_of(fields, "sizes");
    if (fields.has("type")) type_ = fields.text("type");
    any_order_ = flag_of(fields, "any_order", any_order_);
    echo_ = flag_of(fields, "echo", echo_);
    keep_ = flag_of(fields, "keep", keep_);
    slow_ = std::chrono::milliseconds(number_of(fields, "slow", slow_.count()));
    is_watched_ = true;
  }

  /// Goes on in the background.
  void send_many(const Fields& fields, wdc::PeerConnection* peer) {
    sending_.push_back(wdc::spawn(loop_, send_all(fields, peer)));
  }

  [[nodiscard]] bool is_closed() const { return is_closed_; }
  [[nodiscard]] bool is_connecting() const { return channel.ready_state() == wdc::ReadyState::connecting; }

  [[nodiscard]] Command report() const {
    Command answer;
    answer.with("count", count).with("bytes", bytes_).with("texts", texts_).with("mismatch", mismatch_);
    answer.with("state", is_closed_ ? "closed" : wdc::name(channel.ready_state()));
    return answer;
  }

  wdc::DataChannel channel;
  std::uint64_t count = 0;
  struct Kept {
    std::string bytes;
    bool is_text;
  };
  std::deque<Kept> kept;

 private:
  wdc::Task<> read() {
    auto messages = channel.message_stream();
    (void)co_await until(
        loop_, [this] { return is_watched_; }, kForever);
    for (;;) {
      auto next = messages.next();
      auto message = co_await next;
      if (!message) break;
      take(*message);
      if (!echo_) continue;
      auto sending = channel.send(std::move(*message));
      (void)co_await sending;
    }
    auto closing = channel.wait_closed();
    (void)co_await closing;
    is_closed_ = true;
  }

  void take(const wdc::Message& message) {
    const auto bytes = message.bytes();
    if (seed_ && mismatch_.empty()) mismatch_ = compare(bytes, message.is_text());
    ++count;
    bytes_ += bytes.size();
    if (message.is_text()) ++texts_;
    if (keep_)
      kept.push_back({std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), message.is_text()});
    if (slow_ > 0ms) std::this_thread::sleep_for(slow_);  // the command is to block
  }

  std::string compare(std::span<const std::byte> bytes, bool is_text) {
    auto index = static_cast<std::uint32_t>(count);
    if (any_order_ && !is_text && bytes.size() >= 4) {
      index = conformance::pattern_index(bytes, *seed_);
      if (!seen_.insert(index).second) return "message " + std::to_string(index) + " came twice";
    }
    const auto name = "message " + std::to_string(index);
    const bool text_expected = type_ == "text" || (type_ == "mixed" && index % 3 == 2);
    if (is_text != text_expected) return name + " is of the other kind";
    if (!sizes_.empty() && bytes.size() != sizes_[index % sizes_.size()])
      return name + " has " + std::to_string(bytes.size()) + " bytes";
    if (is_text) {
      const auto expected = conformance::pattern_text(bytes.size(), *seed_, index);
      return std::ranges::equal(bytes, std::as_bytes(std::span(expected))) ? "" : name + " is another text";
    }
    return conformance::has_pattern(bytes, *seed_, index) ? "" : name + " differs";
  }

  wdc::Task<> send_all(Fields fields, wdc::PeerConnection* peer) {
    (void)co_await until(
        loop_, [this] { return !is_connecting(); }, kForever);
    const auto sizes = numbers_of(fields, "sizes");
    const auto seed = static_cast<std::uint32_t>(number_of(fields, "seed"));
    const auto type = fields.text("type");
    for (std::uint32_t index = 0; index < number_of(fields, "count"); ++index) {
      const std::size_t size = sizes.empty() ? 0 : sizes[index % sizes.size()];
      wdc::Result<void> sent;
      if (type == "text" || (type == "mixed" && index % 3 == 2)) {
        const auto text = conformance::pattern_text(size, seed, index);
        auto sending = channel.send_text(text);
        sent = co_await sending;
      } else {
        std::vector<std::byte> bytes(size);
        conformance::fill_pattern(bytes, seed, index);
        auto sending = channel.send_bytes(bytes);
        sent = co_await sending;
      }
      if (!sent) break;
    }
    if (fields.text("then") == "close") (void)channel.close();
    if (fields.text("then") != "pcclose" || peer == nullptr) co_return;
    co_await wdc::sleep_for(50ms);  // the command's answer may go over this very connection
    peer->close();
  }

  wdc::EventLoop& loop_;
  bool is_watched_ = false;
  bool is_closed_ = false;
  std::optional<std::uint32_t> seed_;
  std::vector<std::size_t> sizes_;
  std::string type_ = "binary";
  bool any_order_ = false;
  bool echo_ = false;
  bool keep_ = false;
  std::chrono::milliseconds slow_{};
  std::uint64_t bytes_ = 0;
  std::uint64_t texts_ = 0;
  std::string mismatch_;
  std::set<std::uint32_t> seen_;
  wdc::Spawned<void> reading_;
  std::vector<wdc::Spawned<void>> sending_;
};

std::string fragment_of(std::string_view sdp) {
  constexpr std::string_view kLine = "a=ice-ufrag:";
  const auto start = sdp.find(kLine);
  if (start == std::string_view::npos) return {};
  const auto rest = sdp.substr(start + kLine.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

/// A connection, with the channels and candidates that wait to be asked for.
struct FarPeer {
  wdc::PeerConnection connection;
  std::deque<std::unique_ptr<Watched>> incoming;
  std::deque<wdc::IceCandidate> candidates;  // an empty one: no more
  std::string remote_fragment;
  wdc::Spawned<void> accepting;
  wdc::Spawned<void> negotiating;
};

/// One meeting with a driver: a place in a room, the connection found through it, and the control channel on that.
class Session final : private wdc::core::SignalingEvents {
 public:
  Session(wdc::EventLoop& loop, std::string url, std::string room, bool second)
      : loop_(loop), url_(std::move(url)), room_(std::move(room)), second_(second) {
    enter();
    running_ = wdc::spawn(loop_, read_frames());
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (backend_) backend_->send(frames::Bye{});
  }

  bool seated = false;
  bool met = false;
  bool over = false;
  std::vector<std::string> rooms_to_join;
  std::vector<std::string> rooms_to_echo_in;
  bool vanishes = false;

 private:
  void on_frame(frames::Frame frame) override { inbox_.push_back(std::move(frame)); }
  void on_signaling_closed(wdc::Error error) override {
    if (!met) std::cerr << "signaling: " << error.message() << '\n';
    if (!met) over = true;
  }

  void enter() {
    auto opened = loop_.internal().backend().open_signaling(url_, room_);
    if (!opened) {
      std::cerr << opened.error().message() << '\n';
      over = true;
      return;
    }
    backend_ = std::move(*opened);
    backend_->set_events(*this);
  }

  FarPeer& peer(int number) { return *peers_.at(number); }

  wdc::Task<> read_frames() {
    for (;;) {
      (void)co_await until(
          loop_, [this] { return !inbox_.empty(); }, kForever);
      auto frame = std::move(inbox_.front());
      inbox_.pop_front();
      if (const auto* welcome = std::get_if<frames::Welcome>(&frame)) {
        if (second_ && !welcome->peer) {
          backend_->send(frames::Bye{});
          backend_.reset();
          inbox_.clear();  // a driver that came just then is met in the next stay
          co_await wdc::sleep_for(100ms);
          enter();
          continue;
        }
        polite_ = welcome->polite;
        seated = true;
        if (welcome->peer) meet(*welcome->peer);
      } else if (const auto* joined = std::get_if<frames::Joined>(&frame)) {
        meet(joined->peer);
      } else if (const auto* left = std::get_if<frames::Left>(&frame)) {
        if (left->peer == other_) over = true;
      } else if (const auto* bye = std::get_if<frames::Bye>(&frame)) {
        if (bye->from == other_) over = true;
      } else if (auto* description = std::get_if<frames::Description>(&frame)) {
        auto taking = take_description(std::move(description->description));
        co_await std::move(taking);
      } else if (auto* candidate = std::get_if<frames::Candidate>(&frame)) {
        auto adding = peer(0).connection.add_ice_candidate(std::move(candidate->candidate));
        (void)co_await adding;
      }
    }
  }

  FarPeer& make_peer(int number) {
    auto made = std::make_unique<FarPeer>();
    wdc::PeerConnectionOptions options;
    options.incoming_flow = roomy_flow();
    options.incoming_channels = 65'535;
    made->connection = wdc::PeerConnection::create(loop_, std::move(options)).value();
    auto& far = *made;
    peers_[number] = std::move(made);
    far.accepting = wdc::spawn(loop_, accept(far));
    far.negotiating = wdc::spawn(loop_, negotiate(far, number == 0));
    return far;
  }

  wdc::Task<> accept(FarPeer& far) {
    for (;;) {
      auto next = far.connection.accept_data_channel();
      auto channel = co_await next;
      if (!channel) co_return;
      far.incoming.push_back(std::make_unique<Watched>(loop_, std::move(*channel)));
    }
  }

  wdc::Task<> negotiate(FarPeer& far, bool by_signaling) {
    for (;;) {
      auto next = far.connection.next_negotiation_event();
      auto event = co_await next;
      if (!event) co_return;
      if (auto* candidate = std::get_if<wdc::IceCandidate>(&*event)) {
        if (by_signaling)
          backend_->send(frames::Candidate{{}, std::move(*candidate)});
        else
          far.candidates.push_back(std::move(*candidate));
      } else if (by_signaling && far.connection.signaling_state() == wdc::SignalingState::stable) {
        making_offer_ = true;
        auto setting = far.connection.set_local_description();
        auto offer = co_await setting;
        making_offer_ = false;
        if (offer) backend_->send(frames::Description{{}, std::move(*offer)});
      }
    }
  }

  void meet(const std::string& other) {
    if (met) return;
    met = true;
    other_ = other;
    auto& far = make_peer(0);
    wdc::DataChannelOptions agreed;
    agreed.flow = roomy_flow();
    agreed.negotiated = true;
    agreed.id = 0;
    data_ = far.connection.create_data_channel("data", agreed).value();
    agreed.id = 1000;
    control_ = far.connection.create_data_channel("control", agreed).value();
    commanding_ = wdc::spawn(loop_, read_commands());
    watching_ = wdc::spawn(loop_, watch_connection(far));
  }

  wdc::Task<> watch_connection(FarPeer& far) {
    for (;;) {
      auto next = far.connection.next_connection_state();
      const auto state = co_await next;
      if (state != wdc::ConnectionState::failed && state != wdc::ConnectionState::closed) continue;
      over = true;
      co_return;
    }
  }

  wdc::Task<> take_description(wdc::SessionDescription description) {
    auto& far = peer(0);
    const bool is_offer = description.type == wdc::SdpType::offer;
    const bool collides =
        is_offer && (making_offer_ || far.connection.signaling_state() != wdc::SignalingState::stable);
    if (collides && !polite_) co_return;
    (void)co_await until(loop_, [this] { return !making_offer_; });
    far.remote_fragment = fragment_of(description.sdp);
    auto setting = far.connection.set_remote_description(std::move(description));
    auto set = co_await setting;
    if (!set) std::cerr << set.error().message() << '\n';
    if (!set || !is_offer) co_return;
    auto answering = far.connection.set_local_description();
    auto answer = co_await answering;
    if (answer) backend_->send(frames::Description{{}, std::move(*answer)});
  }

  wdc::Task<> read_commands() {
    auto messages = control_.message_stream();
    for (;;) {
      auto next = messages.next();
      auto message = co_await next;
      if (!message) break;
      std::erase_if(answering_, [](const auto& task) { return task.done(); });
      answering_.push_back(wdc::spawn(loop_, answer(Fields(message->as_text()))));
    }
    over = true;
  }

  wdc::Task<> answer(Fields fields) {
    auto running = run(fields);
    auto made = co_await std::move(running);
    Command line;
    line.with("n", fields.text("n"));
    if (made)
      line.with("ok", 1).with(*made);
    else
      line.with("error", made.error());
    auto sending = control_.send_text(line.text());
    (void)co_await sending;
  }

  using Answer = std::expected<Command, std::string>;

  static std::string text_of(const wdc::Error& error) { return error.message(); }

  wdc::Task<Answer> run(const Fields& fields) {
    const auto verb = fields.text("do");
    const int p = static_cast<int>(number_of(fields, "p"));
    const int c = static_cast<int>(number_of(fields, "c"));
    Command none;
    if (verb == "hello") co_return Command().with("agent", "wdc");
    if (verb == "role") co_return Command().with("polite", polite_ ? "true" : "false");
    if (verb == "peer") {
      make_peer(p);
      co_return none;
    }
    if (verb == "join") {
      rooms_to_join.emplace_back(fields.text("room"));
      co_return none;
    }
    if (verb == "package") {
      rooms_to_echo_in.emplace_back(fields.text("room"));
      co_return none;
    }
    if (verb == "vanish") {
      vanishes = true;
      co_await wdc::sleep_for(kForever);
    }
    if (verb == "local" || verb == "remote" || verb == "add" || verb == "candidate" || verb == "state" ||
        verb == "restart" || verb == "restarted" || verb == "create" || verb == "adopt") {
      if (!peers_.contains(p)) co_return std::unexpected("no connection " + std::to_string(p));
      auto asking = run_on_peer(verb, fields, peer(p));
      co_return co_await std::move(asking);
    }
    if (verb == "forget") {
      for (int at = 0; at < number_of(fields, "channels", 1); ++at) {
        if (!channels_.contains(c + at)) continue;
        (void)co_await until(
            loop_, [this, c, at] { return channels_.at(c + at)->is_closed(); }, kForever);
        channels_.erase(c + at);
      }
      co_return none;
    }
    if (!channels_.contains(c)) co_return std::unexpected("no channel " + std::to_string(c));
    auto asking = run_on_channel(verb, fields, *channels_.at(c));
    co_return co_await std::move(asking);
  }

  wdc::Task<Answer> run_on_peer(std::string_view verb, const Fields& fields, FarPeer& far) {
    const int c = static_cast<int>(number_of(fields, "c"));
    Command made;
    if (verb == "local") {
      auto setting = far.connection.set_local_description();
      auto local = co_await setting;
      if (!local) co_return std::unexpected(text_of(local.error()));
      made.with("type", wdc::name(local->type)).with("sdp", local->sdp);
    } else if (verb == "remote") {
      wdc::SessionDescription description{fields.text("type") == "answer" ? wdc::SdpType::answer : wdc::SdpType::offer,
                                          std::string(fields.text("sdp"))};
      far.remote_fragment = fragment_of(description.sdp);
      auto setting = far.connection.set_remote_description(std::move(description));
      auto set = co_await setting;
      if (!set) co_return std::unexpected(text_of(set.error()));
    } else if (verb == "add") {
      wdc::IceCandidate candidate{.candidate = std::string(fields.text("candidate"))};
      if (fields.has("mid")) candidate.sdp_mid = std::string(fields.text("mid"));
      if (fields.has("index")) candidate.sdp_m_line_index = static_cast<std::uint16_t>(fields.number("index"));
      auto adding = far.connection.add_ice_candidate(std::move(candidate));
      auto added = co_await adding;
      if (!added) co_return std::unexpected(text_of(added.error()));
    } else if (verb == "candidate") {
      (void)co_await until(
          loop_, [&] { return !far.candidates.empty(); }, kForever);
      const auto candidate = std::move(far.candidates.front());
      far.candidates.pop_front();
      made.with("candidate", candidate.candidate);
      if (candidate.sdp_mid) made.with("mid", *candidate.sdp_mid);
      if (candidate.sdp_m_line_index) made.with("index", *candidate.sdp_m_line_index);
    } else if (verb == "state") {
      made = state_of(far);
    } else if (verb == "restart") {
      far.connection.restart_ice();
    } else if (verb == "restarted") {
      (void)co_await until(
          loop_,
          [&] {
            const auto ice = far.connection.ice_connection_state();
            return far.remote_fragment != fields.text("from") &&
                   far.connection.signaling_state() == wdc::SignalingState::stable &&
                   (ice == wdc::IceConnectionState::connected || ice == wdc::IceConnectionState::completed);
          },
          kForever);
      made = state_of(far);
    } else if (verb == "create") {
      wdc::DataChannelOptions options;
      options.flow = roomy_flow();
      options.protocol = fields.text("protocol");
      options.ordered = flag_of(fields, "ordered", true);
      if (fields.has("retransmits")) options.max_retransmits = static_cast<std::uint16_t>(fields.number("retransmits"));
      if (fields.has("lifetime")) options.max_packet_life_time = std::chrono::milliseconds(fields.number("lifetime"));
      options.flow.framed.batches_only = !options.ordered || options.max_retransmits || options.max_packet_life_time;
      if (flag_of(fields, "negotiated")) {
        options.negotiated = true;
        options.id = static_cast<std::uint16_t>(fields.number("id"));
      }
      auto created = far.connection.create_data_channel(fields.text("label"), std::move(options));
      if (!created) co_return std::unexpected(text_of(created.error()));
      channels_[c] = std::make_unique<Watched>(loop_, std::move(*created));
      channels_[c]->watch(fields);
    } else {
      const auto many = static_cast<std::size_t>(number_of(fields, "channels", 1));
      (void)co_await until(
          loop_, [&] { return far.incoming.size() >= many; }, kForever);
      for (int at = 0; std::cmp_less(at, many); ++at) {
        far.incoming.front()->watch(fields);
        channels_[c + at] = std::move(far.incoming.front());
        far.incoming.pop_front();
      }
    }
    co_return made;
  }

  static Command state_of(const FarPeer& far) {
    Command made;
    made.with("connection", wdc::name(far.connection.connection_state()));
    made.with("ice", wdc::name(far.connection.ice_connection_state()));
    made.with("signaling", wdc::name(far.connection.signaling_state())).with("ufrag", far.remote_fragment);
    return made;
  }

  wdc::Task<Answer> run_on_channel(std::string_view verb, const Fields& fields, Watched& watched) {
    Command made;
    auto& channel = watched.channel;
    if (verb == "watch") {
      watched.watch(fields);
    } else if (verb == "attributes") {
      (void)co_await until(
          loop_, [&] { return !watched.is_connecting(); }, kForever);
      made.with("label", channel.label()).with("protocol", channel.protocol());
      made.with("ordered", channel.ordered() ? "true" : "false");
      made.with("negotiated", channel.negotiated() ? "true" : "false");
      if (channel.max_retransmits()) made.with("retransmits", *channel.max_retransmits());
      if (channel.max_packet_life_time()) made.with("lifetime", channel.max_packet_life_time()->count());
      if (channel.id()) made.with("id", *channel.id());
      made.with("state", wdc::name(channel.ready_state()));
    } else if (verb == "send") {
      const int p = static_cast<int>(number_of(fields, "p"));
      watched.send_many(fields, peers_.contains(p) ? &peer(p).connection : nullptr);
    } else if (verb == "say") {
      auto sending = channel.send_text(fields.text("text"));
      auto sent = co_await sending;
      if (!sent) co_return std::unexpected(text_of(sent.error()));
    } else if (verb == "take") {
      (void)co_await until(
          loop_, [&] { return !watched.kept.empty(); }, kForever);
      const auto kept = std::move(watched.kept.front());
      watched.kept.pop_front();
      made.with("type", kept.is_text ? "text" : "binary").with("size", kept.bytes.size());
      if (kept.is_text) made.with("text", kept.bytes);
    } else if (verb == "report") {
      const auto count = static_cast<std::uint64_t>(number_of(fields, "count"));
      (void)co_await until(
          loop_,
          [&] {
            if (flag_of(fields, "closed")) return watched.is_closed();
            if (flag_of(fields, "opened")) return !watched.is_connecting();
            return watched.is_closed() || watched.count >= count;
          },
          kForever);
      made = watched.report();
    } else if (verb == "close") {
      (void)channel.close();
    } else {
      co_return std::unexpected("no verb " + std::string(verb));
    }
    co_return made;
  }

  wdc::EventLoop& loop_;
  std::string url_;
  std::string room_;
  bool second_;
  bool polite_ = false;
  std::string other_;
  bool making_offer_ = false;
  std::deque<frames::Frame> inbox_;
  std::unique_ptr<wdc::core::SignalingBackend> backend_;
  std::map<int, std::unique_ptr<FarPeer>> peers_;
  std::map<int, std::unique_ptr<Watched>> channels_;
  wdc::DataChannel data_;
  wdc::DataChannel control_;
  wdc::Spawned<void> running_;
  wdc::Spawned<void> commanding_;
  wdc::Spawned<void> watching_;
  std::vector<wdc::Spawned<void>> answering_;
};

wdc::Task<> echo_in(wdc::EventLoop& loop, std::string url, std::string room) {
  auto connecting = wdc::connect(loop, url, room);
  auto connection = co_await connecting;
  if (!connection) {
    std::cerr << connection.error().message() << '\n';
    co_return;
  }
  auto messages = connection->channel.message_stream();
  for (;;) {
    auto next = messages.next();
    auto message = co_await next;
    if (!message) co_return;
    auto sending = connection->channel.send(std::move(*message));
    (void)co_await sending;
  }
}

/// Sits in room `prefix`-`number`, and when the driver has come there, for the next meeting, in the one after.
wdc::Task<> serve(wdc::EventLoop& loop, std::string url, std::string prefix, int number) {
  const auto room = [&] { return prefix + '-' + std::to_string(number); };
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<wdc::Spawned<void>> echoes;
  sessions.push_back(std::make_unique<Session>(loop, url, room(), false));
  Session* sitting = sessions.back().get();
  bool told = false;
  for (;;) {
    if (!told && sitting->seated) {
      told = true;
      std::cout << "seat\t" << number << std::endl;
    }
    if (sitting->met) {
      ++number;
      told = false;
      sessions.push_back(std::make_unique<Session>(loop, url, room(), false));
      sitting = sessions.back().get();
    }
    std::vector<std::unique_ptr<Session>> more;
    for (auto& session : sessions) {
      for (const auto& name : std::exchange(session->rooms_to_join, {}))
        more.push_back(std::make_unique<Session>(loop, url, name, true));
      for (const auto& name : std::exchange(session->rooms_to_echo_in, {}))
        echoes.push_back(wdc::spawn(loop, echo_in(loop, url, name)));
      if (session->vanishes) {
        sessions.clear();  // closes all, as a page does
        loop.stop();
        co_return;
      }
    }
    std::erase_if(sessions, [](const auto& session) { return session->over; });
    std::ranges::move(more, std::back_inserter(sessions));
    co_await wdc::sleep_for(2ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: far_end_native URL PREFIX NUMBER\n";
    return 2;
  }
  wdc::EventLoop loop;
  auto serving = wdc::spawn(loop, serve(loop, argv[1], argv[2], std::stoi(argv[3])));
  loop.run();
  return 0;
}

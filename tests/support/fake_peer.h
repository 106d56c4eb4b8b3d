// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/core/backend.h"
#include "tests/support/fake_backend.h"

namespace wdc::test {

/// A connection whose descriptions are "offer 1", "answer 2": the number of the connection that made them. Follows the
/// signaling states of W3C 4.8; two that have each other's descriptions connect in the next turn.
class FakePeer final : public core::PeerBackend {
 public:
  FakePeer(FakeBackend& backend, PeerConnectionOptions options);
  ~FakePeer() override;

  void set_events(core::PeerEvents& events) override { events_ = &events; }
  [[nodiscard]] Result<std::unique_ptr<core::ChannelBackend>> create_data_channel(
      std::string_view label, const DataChannelOptions& options) override;
  void create_offer(core::OperationId operation) override { give(operation, describe(SdpType::offer)); }
  void create_answer(core::OperationId operation) override { give(operation, describe(SdpType::answer)); }
  void set_local_description(core::OperationId operation) override;
  void set_local_description(core::OperationId operation, const SessionDescription& description) override;
  void set_remote_description(core::OperationId operation, const SessionDescription& description) override;
  void add_ice_candidate(core::OperationId operation, const IceCandidate& candidate) override;
  void restart_ice() override;
  void close() override;

  [[nodiscard]] core::PeerEvents& events() { return *events_; }
  /// Another channel of the far side arrives.
  std::shared_ptr<FakeWire> offer_channel(std::string label);

  PeerConnectionOptions options;
  bool hold_answers = false;  ///< operations do not end before release_answers()
  std::optional<Error> next_operation_error;
  bool connects = true;  ///< false: stays connecting
  std::size_t rollbacks = 0;
  std::size_t offers_made = 0;
  std::vector<std::string> candidates;  ///< that were added
  std::vector<std::shared_ptr<FakeWire>> wires;
  void release_answers();

 private:
  struct Made {
    std::shared_ptr<FakeWire> wire;
    std::size_t side;
    bool negotiated;
  };
  void later(std::function<void(FakePeer&)> event);
  void give(core::OperationId operation, SessionDescription description);
  void applied(core::OperationId operation, Result<void> result);
  void run_or_hold(std::function<void()> event);
  [[nodiscard]] SessionDescription describe(SdpType type);
  void enter(SignalingState state);
  void apply_local(SdpType type);
  void want_negotiation();
  void connect_if_complete();
  void connect_to(FakePeer& other);
  [[nodiscard]] FakePeer* find(std::size_t number);

  FakeBackend& backend_;
  core::PeerEvents* events_ = nullptr;
  std::shared_ptr<FakePeer*> alive_;
  std::size_t number_;
  std::size_t far_ = 0;
  SignalingState state_ = SignalingState::stable;
  bool negotiated_ = false;
  bool connected_ = false;
  bool closed_ = false;
  bool negotiation_wanted_ = false;
  std::vector<std::function<void()>> held_;
};

/// One member's end of a room in memory. The first member is impolite.
class FakeSignaling final : public core::SignalingBackend {
 public:
  FakeSignaling(FakeBackend& backend, std::string room);
  ~FakeSignaling() override;
  void set_events(core::SignalingEvents& events) override;
  void send(const core::signaling::Frame& frame) override;

  /// Its connection breaks: the other member hears that it left, and it hears why.
  void drop(Error error);

  [[nodiscard]] core::SignalingEvents& events() { return *events_; }
  [[nodiscard]] const std::string& member() const { return id_; }
  std::size_t descriptions_sent = 0;
  std::size_t byes_sent = 0;

 private:
  void leave();
  [[nodiscard]] FakeSignaling* other();
  static void tell(FakeSignaling& receiver, core::signaling::Frame frame);
  FakeBackend& backend_;
  core::SignalingEvents* events_ = nullptr;
  std::shared_ptr<FakeSignaling*> alive_;
  std::string room_;
  std::string id_;
  bool polite_ = false;
};

}  // namespace wdc::test

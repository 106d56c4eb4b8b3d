// SPDX-License-Identifier: MIT
#include "wdc/peer_connection.h"

// The strings of the W3C specification's enumerations.
namespace wdc {

std::string_view name(SdpType value) noexcept {
  switch (value) {
    case SdpType::offer:
      return "offer";
    case SdpType::pranswer:
      return "pranswer";
    case SdpType::answer:
      return "answer";
    case SdpType::rollback:
      return "rollback";
  }
  return "unknown";
}

std::string_view name(ReadyState value) noexcept {
  switch (value) {
    case ReadyState::connecting:
      return "connecting";
    case ReadyState::open:
      return "open";
    case ReadyState::closing:
      return "closing";
    case ReadyState::closed:
      return "closed";
  }
  return "unknown";
}

std::string_view name(ConnectionState value) noexcept {
  switch (value) {
    case ConnectionState::new_:
      return "new";
    case ConnectionState::connecting:
      return "connecting";
    case ConnectionState::connected:
      return "connected";
    case ConnectionState::disconnected:
      return "disconnected";
    case ConnectionState::failed:
      return "failed";
    case ConnectionState::closed:
      return "closed";
  }
  return "unknown";
}

std::string_view name(IceConnectionState value) noexcept {
  switch (value) {
    case IceConnectionState::new_:
      return "new";
    case IceConnectionState::checking:
      return "checking";
    case IceConnectionState::connected:
      return "connected";
    case IceConnectionState::completed:
      return "completed";
    case IceConnectionState::disconnected:
      return "disconnected";
    case IceConnectionState::failed:
      return "failed";
    case IceConnectionState::closed:
      return "closed";
  }
  return "unknown";
}

std::string_view name(IceGatheringState value) noexcept {
  switch (value) {
    case IceGatheringState::new_:
      return "new";
    case IceGatheringState::gathering:
      return "gathering";
    case IceGatheringState::complete:
      return "complete";
  }
  return "unknown";
}

std::string_view name(SignalingState value) noexcept {
  switch (value) {
    case SignalingState::stable:
      return "stable";
    case SignalingState::have_local_offer:
      return "have-local-offer";
    case SignalingState::have_remote_offer:
      return "have-remote-offer";
    case SignalingState::have_local_pranswer:
      return "have-local-pranswer";
    case SignalingState::have_remote_pranswer:
      return "have-remote-pranswer";
    case SignalingState::closed:
      return "closed";
  }
  return "unknown";
}

}  // namespace wdc

// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/native/ice/agent.h"

namespace wdc::native {

/// A connection, as far as the port that it shares knows it.
class PortMember {
 public:
  /// Null before there is a description, and when it was closed.
  [[nodiscard]] virtual const ice::Agent* agent() const = 0;

 protected:
  ~PortMember() = default;
};

/// Which of the connections that share a UDP port a datagram is for, without sockets.
///
/// A check names its connection by the username (RFC 8445 section 7.2.2), an answer by the transaction, everything else
/// by the address it comes from. An address becomes a connection's by a check or an answer that its agent has
/// authenticated, and stays so while the agent listens to it: who only writes another's address takes nothing. The
/// connection that comes second with one address cannot use it on this port.
class PortTable {
 public:
  explicit PortTable(SocketAddress local) : local_(local) {}

  /// The member is new, or may have new credentials.
  void update(PortMember& member);
  void remove(PortMember& member);
  [[nodiscard]] bool empty() const { return members_.empty(); }
  template <class Visit>
  void for_each_member(Visit visit) {
    for (const auto& [member, entry] : members_) visit(*member);
  }
  [[nodiscard]] const SocketAddress& local() const { return local_; }

  struct Route {
    PortMember* member = nullptr;  ///< null: for nobody
    /// The member's peer is authentic, but its address is another's here: the datagram is not to be given to it.
    bool is_taken = false;
  };
  [[nodiscard]] Route route(ice::ByteView datagram, const SocketAddress& from);
  /// The member has been given a STUN message from there.
  void learn(PortMember& member, const SocketAddress& from);
  /// The member has sent this.
  void note_sent(PortMember& member, ice::ByteView datagram);
  /// Whether the address may become the member's.
  [[nodiscard]] bool is_free_for(const PortMember& member, const SocketAddress& from) const;
  [[nodiscard]] std::size_t addresses() const { return owners_.size(); }
  /// Datagrams for nobody.
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }

  /// Of one member, as many as its agent keeps pairs, and some for what was.
  static constexpr std::size_t kMostAddresses = 128;
  /// Requests whose answers are still awaited, of all members; the oldest is forgotten.
  static constexpr std::size_t kMostRequests = 16'384;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    std::size_t operator()(const SocketAddress& address) const;
    std::size_t operator()(const ice::TransactionId& id) const;
  };
  struct Member {
    std::deque<std::string> names;  // of the credentials in use, and of those before a restart
    std::vector<SocketAddress> addresses;
  };

  [[nodiscard]] PortMember* owner_of(const SocketAddress& from) const;
  void forget_unheard(PortMember& member, Member& entry);

  SocketAddress local_;
  std::unordered_map<PortMember*, Member> members_;
  std::unordered_map<std::string, PortMember*, Hash, std::equal_to<>> names_;
  std::unordered_map<SocketAddress, PortMember*, Hash> owners_;
  std::unordered_map<ice::TransactionId, PortMember*, Hash> requests_;
  std::deque<ice::TransactionId> request_order_;
  std::uint64_t unknown_ = 0;
};

}  // namespace wdc::native

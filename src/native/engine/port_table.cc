// SPDX-License-Identifier: MIT
#include "src/native/engine/port_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace wdc::native {

namespace {

/// A restart keeps the old credentials alive until the new ones have found a path.
constexpr std::size_t kMostNames = 2;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::size_t PortTable::Hash::operator()(const SocketAddress& address) const {
  return (*this)(text_of(address.ip.bytes())) * 31 + address.port;
}

std::size_t PortTable::Hash::operator()(const ice::TransactionId& id) const {
  std::size_t bits = 0;  // they are random, and ours
  std::memcpy(&bits, id.bytes.data(), sizeof bits);
  return bits;
}

void PortTable::update(PortMember& member) {
  auto& names = members_[&member].names;
  const auto* agent = member.agent();
  if (agent == nullptr) return;
  const auto& name = agent->local_credentials().username_fragment;
  if (!names.empty() && names.back() == name) return;
  names.push_back(name);
  names_[name] = &member;
  if (names.size() <= kMostNames) return;
  names_.erase(names.front());
  names.pop_front();
}

void PortTable::remove(PortMember& member) {
  const auto found = members_.find(&member);
  if (found == members_.end()) return;
  for (const auto& name : found->second.names) names_.erase(name);
  for (const auto& address : found->second.addresses) owners_.erase(address);
  std::erase_if(requests_, [&](const auto& request) { return request.second == &member; });
  members_.erase(found);
}

PortMember* PortTable::owner_of(const SocketAddress& from) const {
  const auto found = owners_.find(from);
  return found == owners_.end() ? nullptr : found->second;
}

bool PortTable::is_free_for(const PortMember& member, const SocketAddress& from) const {
  const auto* owner = owner_of(from);
  return owner == nullptr || owner == &member || owner->agent() == nullptr ||
         !owner->agent()->may_receive({local_, from});
}

PortTable::Route PortTable::route(ice::ByteView datagram, const SocketAddress& from) {
  PortMember* member = nullptr;
  if (const auto message = ice::StunMessage::parse(datagram)) {
    if (message->message_class == ice::StunClass::request) {
      const auto username = message->username.value_or(std::string_view());
      const auto found = names_.find(username.substr(0, username.find(':')));
      if (found != names_.end()) member = found->second;
    } else if (message->message_class != ice::StunClass::indication) {
      const auto found = requests_.find(message->transaction);
      if (found != requests_.end()) member = found->second;
    }
    if (member != nullptr && !is_free_for(*member, from)) {
      if (member->agent() != nullptr && member->agent()->is_authentic(datagram)) return {member, true};
      member = nullptr;
    }
  } else {
    member = owner_of(from);
  }
  if (member == nullptr) ++unknown_;
  return {member, false};
}

void PortTable::learn(PortMember& member, const SocketAddress& from) {
  const auto* agent = member.agent();
  if (agent == nullptr || !agent->may_receive({local_, from})) return;
  auto* const owner = owner_of(from);
  if (owner == &member || !is_free_for(member, from)) return;
  auto& entry = members_.at(&member);
  if (entry.addresses.size() >= kMostAddresses) forget_unheard(member, entry);
  if (entry.addresses.size() >= kMostAddresses) return;
  if (owner != nullptr) std::erase(members_.at(owner).addresses, from);
  owners_[from] = &member;
  entry.addresses.push_back(from);
}

void PortTable::forget_unheard(PortMember& member, Member& entry) {
  std::erase_if(entry.addresses, [&](const SocketAddress& address) {
    if (member.agent()->may_receive({local_, address})) return false;
    owners_.erase(address);
    return true;
  });
}

void PortTable::note_sent(PortMember& member, ice::ByteView datagram) {
  if (!ice::looks_like_stun(datagram)) return;
  const auto message = ice::StunMessage::parse(datagram);
  if (!message || message->message_class != ice::StunClass::request) return;
  if (!requests_.insert_or_assign(message->transaction, &member).second) return;  // a repetition
  request_order_.push_back(message->transaction);
  if (request_order_.size() <= kMostRequests) return;
  requests_.erase(request_order_.front());
  request_order_.pop_front();
}

}  // namespace wdc::native

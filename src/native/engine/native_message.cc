// SPDX-License-Identifier: MIT
#include "src/native/engine/native_message.h"

#include <algorithm>
#include <utility>

namespace wdc::native {

MessageMemory::Node* MessageMemory::take_node() {
  if (4 * ++nodes_in_use_ > 3 * nodes_) {  // as the pool of the bytes does
    const std::size_t more = std::max<std::size_t>(64, nodes_);
    Node* const page = pages_.emplace_back(std::make_unique<Node[]>(more)).get();
    nodes_ += more;
    for (Node& node : std::span(page, more)) node.next_free = std::exchange(free_, &node);
  }
  return std::exchange(free_, free_->next_free);
}

void MessageMemory::give_back(Node* node) noexcept {
  --nodes_in_use_;
  node->buffer.reset();
  node->next_free = free_;
  free_ = node;
}

Message MessageMemory::make(sctp::Buffer&& buffer, MessageType type, WindowAccount& account, std::size_t charge) {
  const std::size_t size = buffer.size();
  Node* const node = take_node();
  node->buffer = std::move(buffer);
  node->account = &account;
  node->charge = charge;
  account.add_reference();
  return core::MessageAccess::make(*this, reinterpret_cast<std::uintptr_t>(node), size, type);
}

const std::byte* MessageMemory::materialise(std::uintptr_t& token, std::size_t /*size*/) {
  return reinterpret_cast<Node*>(token)->buffer.bytes().data();
}

void MessageMemory::release(std::uintptr_t token, std::size_t /*size*/, bool /*materialised*/) noexcept {
  Node* const node = reinterpret_cast<Node*>(token);
  WindowAccount* const account = std::exchange(node->account, nullptr);
  const std::size_t charge = node->charge;
  give_back(node);
  account->consumed(charge);
  account->drop_reference();
}

sctp::Payload MessageMemory::copy(std::span<const std::byte> bytes) {
  Node* const node = take_node();
  node->buffer = buffers_.take(bytes.size());
  node->buffer.append(bytes);
  node->memory = this;
  add_reference();
  return {node->buffer.bytes(), node, [](void* owner, sctp::ByteView) noexcept {
            Node* const done = static_cast<Node*>(owner);
            MessageMemory* const memory = done->memory;
            memory->give_back(done);
            memory->drop_reference();
          }};
}

}  // namespace wdc::native

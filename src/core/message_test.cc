// SPDX-License-Identifier: MIT
#include "wdc/message.h"

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include "src/core/message_access.h"
#include "tests/support/buffer_pool.h"

namespace wdc {
namespace {

using namespace std::string_view_literals;

static_assert(!std::is_copy_constructible_v<Message> && !std::is_copy_assignable_v<Message>);
static_assert(std::is_nothrow_move_constructible_v<Message>);

TEST(Message, IsAnEmptyBinaryOneByDefault) {
  const Message message;
  EXPECT_TRUE(message.empty());
  EXPECT_FALSE(message.is_text());
  EXPECT_TRUE(message.bytes().empty());
}

TEST(Message, KeepsTextWithZerosInIt) {
  const Message message = Message::text("a\0b\xC3\xA9"sv);
  EXPECT_TRUE(message.is_text());
  EXPECT_EQ(message.size(), 5U);
  EXPECT_EQ(message.as_text(), "a\0b\xC3\xA9"sv);
}

TEST(Message, KeepsTheTypeOfAnEmptyText) {
  Message message = Message::text("");
  EXPECT_TRUE(message.is_text());
  const Message moved = std::move(message);
  EXPECT_TRUE(moved.is_text());
  EXPECT_TRUE(moved.empty());
}

TEST(Message, IsEmptyAfterItWasMovedFrom) {
  Message message = Message::text("hello");
  const Message moved = std::move(message);
  EXPECT_EQ(moved.as_text(), "hello");
  EXPECT_TRUE(message.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(message.bytes().empty());
}

TEST(Message, OffersZeroedBytesToBeFilled) {
  Message message = Message::with_size(3);
  EXPECT_EQ(message.writable_bytes()[2], std::byte{0});
  std::memcpy(message.writable_bytes().data(), "abc", 3);
  EXPECT_EQ(message.as_text(), "abc");
}

TEST(Message, IsEmptyWhenThereIsNoMemoryForIt) { EXPECT_TRUE(Message::with_size(SIZE_MAX).empty()); }

TEST(Message, GivesItsTokenBackOnceAndOutlivesItsHome) {
  auto* pool = new test::BufferPool;
  {
    Message first = pool->make(std::as_bytes(std::span("abc", 3)), MessageType::binary);
    Message second = pool->make(std::as_bytes(std::span("defg", 4)), MessageType::text);
    EXPECT_EQ(pool->outstanding(), 2U);
    first = std::move(second);
    EXPECT_EQ(pool->outstanding(), 1U);
    EXPECT_FALSE(core::MessageAccess::materialised(first));
    pool->drop_reference();
    EXPECT_EQ(first.as_text(), "defg");
    EXPECT_TRUE(core::MessageAccess::materialised(first));
  }
}

TEST(Message, IsNotReleasedAfterAHomeTookItsToken) {
  auto* pool = new test::BufferPool;
  Message message = pool->make(std::as_bytes(std::span("abc", 3)), MessageType::binary);
  const auto token = core::MessageAccess::token(message);
  core::MessageAccess::forget_token(message);
  EXPECT_TRUE(message.empty());
  EXPECT_EQ(pool->outstanding(), 1U);
  pool->release(token, 3, false);
  pool->drop_reference();
}

}  // namespace
}  // namespace wdc

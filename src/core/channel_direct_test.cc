// SPDX-License-Identifier: MIT
// Messages whose readers are resumed by the report itself.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using ChannelDirectTest = test::LoopTest;

Task<> read_into(std::vector<std::string>& read, MessageStream stream) {
  while (auto message = co_await stream.next()) read.emplace_back(message->as_text());
}

TEST_F(ChannelDirectTest, TheReaderHasTheMessageWhenTheReportReturns) {
  auto pair = make_pair();
  std::vector<std::string> read;
  auto reading = start(read_into(read, pair.near.message_stream()));
  settle();
  for (const char* text : {"one", "two", "three"}) {
    pair.wire->inject_directly(0, Message::text(text));
    EXPECT_EQ(read.back(), text);
  }
  EXPECT_EQ(read.size(), 3u);
}

TEST_F(ChannelDirectTest, WhatIsReadyAlreadyRunsFirst) {
  auto pair = make_pair();
  std::vector<std::string> read;
  auto reading = start(read_into(read, pair.near.message_stream()));
  settle();
  auto other = start([](std::vector<std::string>& all) -> Task<> {
    all.emplace_back("another task");
    co_return;
  }(read));
  pair.wire->inject_directly(0, Message::text("one"));
  EXPECT_TRUE(read.empty());
  settle();
  EXPECT_EQ(read, (std::vector<std::string>{"another task", "one"}));
}

TEST_F(ChannelDirectTest, WithoutAReaderTheMessageWaits) {
  auto pair = make_pair();
  pair.wire->inject_directly(0, Message::text("one"));
  pair.wire->inject_directly(0, Message::text("two"));
  std::vector<std::string> read;
  auto reading = start(read_into(read, pair.near.message_stream()));
  settle();
  EXPECT_EQ(read, (std::vector<std::string>{"one", "two"}));
}

TEST_F(ChannelDirectTest, InsideAPumpTheReaderWaitsForItsTurn) {
  auto pair = make_pair();
  std::vector<std::string> read;
  auto reading = start(read_into(read, pair.near.message_stream()));
  settle();
  auto inside = start([](test::FakeWire& wire, std::vector<std::string>& all) -> Task<> {
    wire.inject_directly(0, Message::text("one"));
    all.emplace_back("after the report");
    co_return;
  }(*pair.wire, read));
  settle();
  EXPECT_EQ(read, (std::vector<std::string>{"after the report", "one"}));
}

TEST_F(ChannelDirectTest, TheReaderMayDestroyTheChannel) {
  auto pair = make_pair();
  auto near = std::make_unique<DataChannel>(std::move(pair.near));
  auto reading = start([](std::unique_ptr<DataChannel>& channel) -> Task<> {
    auto stream = channel->message_stream();
    auto message = co_await stream.next();
    EXPECT_EQ(message->as_text(), "the last");
    channel->abort();
    channel.reset();
  }(near));
  settle();
  pair.wire->inject_directly(0, Message::text("the last"));
  EXPECT_EQ(near, nullptr);
  settle();
  EXPECT_TRUE(reading.done());
}

TEST_F(ChannelDirectTest, WhatTheReaderMakesReadyRunsInALaterTurn) {
  auto pair = make_pair();
  std::vector<std::string> read;
  auto reading = start([](DataChannel& channel, std::vector<std::string>& all) -> Task<> {
    auto stream = channel.message_stream();
    auto first = co_await with_timeout(stream.next(), std::chrono::hours(1));
    all.emplace_back(first.has_value() ? "in time" : "late");
  }(pair.near, read));
  settle();
  pair.wire->inject_directly(0, Message::text("one"));
  settle();
  EXPECT_EQ(read, (std::vector<std::string>{"in time"}));
}

}  // namespace
}  // namespace wdc

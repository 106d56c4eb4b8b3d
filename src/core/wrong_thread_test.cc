// SPDX-License-Identifier: MIT
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/loop_fixture.h"

namespace wdc {
namespace {

using WrongThread = test::LoopTest;

/// What `call` gives on another thread, while this one waits.
template <class F>
Errc elsewhere(F call) {
  Errc code{};
  std::thread([&] {
    auto result = call();
    if (!result) code = result.error().code();
  }).join();
  return code;
}

TEST_F(WrongThread, IsRefusedToSendReceiveAdoptAndCreate) {
  auto pair = make_pair();
  ASSERT_TRUE(pair.near.try_send_text("for the far end"));
  settle();
  EXPECT_EQ(elsewhere([&] { return pair.near.try_send_text("x"); }), Errc::wrong_thread);
  EXPECT_EQ(elsewhere([&] { return pair.near.try_send_bytes(test::bytes_of("x")); }), Errc::wrong_thread);
  EXPECT_EQ(elsewhere([&] { return pair.far.try_receive(); }), Errc::wrong_thread);
  EXPECT_EQ(elsewhere([&] { return PeerConnection::create(*loop, {}); }), Errc::wrong_thread);
  auto wire = backend->make_wire();
  EXPECT_EQ(elsewhere([&] { return core::make_channel(loop->internal(), wire->take(0), {}); }), Errc::wrong_thread);
  EXPECT_EQ(pair.far.try_receive()->as_text(), "for the far end");
  EXPECT_EQ(pair.far.stats().messages_received, 1U);
}

TEST_F(WrongThread, MayPost) {
  auto pair = make_pair();
  Errc code = Errc::wrong_thread;
  std::thread([&] {
    auto posted = loop->post([&] {
      if (pair.near.try_send_text("posted")) code = Errc{};
    });
    EXPECT_TRUE(posted);
  }).join();
  settle();
  EXPECT_EQ(code, Errc{});
  EXPECT_EQ(pair.far.try_receive()->as_text(), "posted");
}

}  // namespace
}  // namespace wdc

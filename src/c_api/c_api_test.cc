// SPDX-License-Identifier: MIT
#include "wdc/c_api.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

/// What the callbacks of one end said.
struct End {
  wdc_connection* connection = nullptr;
  bool is_open = false;
  int writable = 0;
  std::vector<int> closed;
  std::string text;
};

End& end_of(void* user) { return *static_cast<End*>(user); }

constexpr wdc_callbacks kPolling = {
    .opened = [](wdc_connection*, void* user) { end_of(user).is_open = true; },
    .message = nullptr,
    .writable = [](wdc_connection*, void* user) { ++end_of(user).writable; },
    .closed =
        [](wdc_connection*, int code, const char* text, void* user) {
          end_of(user).closed.push_back(code);
          end_of(user).text = text;
        },
};

class CApi : public testing::Test {
 protected:
  CApi() : loop_(wdc_loop_new()) {}
  ~CApi() override {
    for (auto* end : {&a_, &b_}) wdc_connection_free(end->connection);
    wdc_loop_free(loop_);
  }

  int connect(End& end, const char* room, const wdc_connect_options* options = nullptr) {
    return wdc_connect(loop_, "broadcast:", room, options, &kPolling, &end, &end.connection);
  }
  void meet(const char* room) {
    ASSERT_EQ(connect(a_, room), wdc_ok);
    ASSERT_EQ(connect(b_, room), wdc_ok);
    poll_until([&] { return a_.is_open && b_.is_open; });
  }
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) wdc_loop_poll(loop_);  // ctest has the time limit
  }
  wdc_message* receive(End& end) {
    wdc_message* message = nullptr;
    poll_until([&] { return wdc_receive(end.connection, &message) != wdc_would_block; });
    return message;
  }

  wdc_loop* loop_;
  End a_;
  End b_;
};

TEST_F(CApi, NamesEveryCodeOfTheTable) {
  EXPECT_STREQ(wdc_code_name(wdc_message_too_large), "message_too_large");
  EXPECT_STREQ(wdc_code_name(9999), "unknown");
}

TEST_F(CApi, ReceivesByPollingAndReadsTheLastMessageAfterTheClose) {
  meet("polling");
  EXPECT_GT(wdc_max_message_size(a_.connection), 0U);
  wdc_message* message = nullptr;
  EXPECT_EQ(wdc_receive(b_.connection, &message), wdc_would_block);
  EXPECT_EQ(message, nullptr);
  EXPECT_EQ(wdc_send_text(a_.connection, "a\0b", 3), wdc_ok);
  EXPECT_EQ(wdc_send_bytes(a_.connection, nullptr, 0), wdc_ok);
  wdc_close(a_.connection);
  EXPECT_EQ(wdc_send_text(a_.connection, "c", 1), wdc_closed);
  poll_until([&] { return !a_.closed.empty() && !b_.closed.empty(); });
  EXPECT_EQ(a_.closed, std::vector<int>{wdc_ok});
  EXPECT_EQ(b_.closed, std::vector<int>{wdc_ok});

  message = receive(b_);
  ASSERT_NE(message, nullptr);
  EXPECT_TRUE(wdc_message_is_text(message));
  EXPECT_EQ(std::string(static_cast<const char*>(wdc_message_data(message)), wdc_message_size(message)),
            std::string("a\0b", 3));
  wdc_message_free(message);
  message = receive(b_);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(wdc_message_size(message), 0U);
  wdc_message_free(message);
  EXPECT_EQ(wdc_receive(b_.connection, &message), wdc_closed);
}

TEST_F(CApi, SaysWhenAFullBufferHasRoomAgain) {
  meet("full");
  const std::vector<char> bytes(200'000, 'x');
  std::size_t taken = 0;
  while (wdc_send_bytes(a_.connection, bytes.data(), bytes.size()) == wdc_ok) ++taken;
  EXPECT_GT(wdc_buffered_amount(a_.connection), 0U);
  EXPECT_STREQ(std::string(wdc_loop_error(loop_)).substr(0, 11).c_str(), "would_block");
  std::size_t received = 0;
  poll_until([&] {
    wdc_message* message = nullptr;
    while (wdc_receive(b_.connection, &message) == wdc_ok) {
      ++received;
      EXPECT_EQ(wdc_message_size(message), bytes.size());
      wdc_message_free(message);
    }
    return received == taken;
  });
  EXPECT_EQ(a_.writable, 1);
  EXPECT_EQ(wdc_send_bytes(a_.connection, bytes.data(), bytes.size()), wdc_ok);
}

TEST_F(CApi, RefusesTextThatIsNotUtf8) {
  meet("utf8");
  EXPECT_EQ(wdc_send_text(a_.connection, "\xFF", 1), wdc_invalid_argument);
}

TEST_F(CApi, TellsTheOtherSideWhenAnEndIsFreed) {
  meet("freed");
  wdc_connection_free(std::exchange(a_.connection, nullptr));
  poll_until([&] { return !b_.closed.empty(); });
  EXPECT_TRUE(a_.closed.empty());
}

TEST_F(CApi, ClosesBeforeTheOtherMemberCame) {
  ASSERT_EQ(connect(a_, "alone"), wdc_ok);
  EXPECT_EQ(wdc_send_text(a_.connection, "a", 1), wdc_not_open);
  wdc_close(a_.connection);
  wdc_close(a_.connection);
  poll_until([&] { return !a_.closed.empty(); });
  EXPECT_EQ(a_.closed, std::vector<int>{wdc_cancelled});
}

TEST_F(CApi, SaysWhyTheTwoNeverMet) {
  wdc_connect_options impatient{};
  impatient.timeout_ms = 20;
  ASSERT_EQ(connect(a_, "nobody", &impatient), wdc_ok);
  ASSERT_EQ(connect(b_, "not a room"), wdc_ok);
  poll_until([&] { return !a_.closed.empty() && !b_.closed.empty(); });
  EXPECT_EQ(a_.closed, std::vector<int>{wdc_timed_out});
  EXPECT_EQ(b_.closed, std::vector<int>{wdc_invalid_argument});
  EXPECT_EQ(b_.text.find("invalid_argument: "), 0U) << b_.text;
}

TEST_F(CApi, MayBeFreedInItsOwnCallback) {
  static constexpr wdc_callbacks kFreeing = {
      .opened =
          [](wdc_connection* connection, void* user) {
            end_of(user).is_open = true;
            wdc_connection_free(connection);
          },
      .message = [](wdc_connection*, const void*, std::size_t, int, void*) { FAIL(); },
      .writable = nullptr,
      .closed = [](wdc_connection*, int, const char*, void*) { FAIL(); },
  };
  wdc_connection* connection = nullptr;
  ASSERT_EQ(wdc_connect(loop_, "broadcast:", "freeing", nullptr, &kFreeing, &a_, &connection), wdc_ok);
  ASSERT_EQ(connect(b_, "freeing"), wdc_ok);
  poll_until([&] { return a_.is_open && !b_.closed.empty(); });
}

TEST_F(CApi, RunsWhatIsPostedAndStops) {
  int ran = 0;
  ASSERT_EQ(wdc_loop_post(
                loop_, [](void* user) { ++*static_cast<int*>(user); }, &ran),
            wdc_ok);
  ASSERT_EQ(wdc_loop_post(
                loop_, [](void* user) { wdc_loop_stop(static_cast<wdc_loop*>(user)); }, loop_),
            wdc_ok);
  wdc_loop_run(loop_);
  EXPECT_EQ(ran, 1);
}

}  // namespace

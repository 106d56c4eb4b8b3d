// SPDX-License-Identifier: MIT
#include "src/native/sctp/stream_reset.h"

#include <gtest/gtest.h>

#include <array>

#include "src/native/sctp/packet/reconfig_chunk.h"

namespace wdc::sctp {
namespace {

using namespace std::chrono_literals;

class StreamResetTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kOurs = 0xfffffffe;  // the numbers wrap
  static constexpr std::uint32_t kTheirs = 0xffffffff;

  StreamReset::Verdict request(std::uint32_t number, std::uint32_t last_tsn, std::uint16_t stream = 1) {
    const std::array<StreamId, 1> streams{StreamId(stream)};
    const OutgoingResetToSend parameter{RequestNumber(number), RequestNumber(0), Tsn(last_tsn), streams};
    std::vector<std::byte> bytes(parameter.size());
    parameter.write(bytes.data());
    return reset.handle_request(*OutgoingResetParameter::parse(*ParameterWalk(bytes).next()), UnwrappedTsn(Tsn(100)));
  }
  /// What would be sent: responses as (number, result), and whether a request and with which number.
  struct Sent {
    std::vector<std::pair<std::uint32_t, ReconfigResult>> responses;
    std::optional<std::uint32_t> request;
  };
  Sent sent() {
    std::array<std::byte, 1'200> slot{};
    PacketWriter packet(slot, {});
    reset.write(packet, now, 100ms);
    const std::size_t size = packet.finish(Checksum::crc32c);
    Sent result;
    ChunkWalk walk(ByteView(slot).first(size).subspan(CommonHeader::kSize));
    while (const auto chunk = walk.next()) {
      auto parameters = ReconfigChunk::parameters(*chunk);
      const auto parameter = parameters.next();
      if (parameter->type == ParameterType::reconfig_response) {
        const auto response = ReconfigResponseParameter::parse(*parameter);
        result.responses.emplace_back(response->response.value(), response->result);
      } else {
        result.request = OutgoingResetParameter::parse(*parameter)->request.value();
      }
    }
    return result;
  }
  void begin() {
    reset.begin([](StreamId) { return true; }, Tsn(7), 100);
  }
  StreamReset::Answer respond(std::uint32_t number, ReconfigResult result) {
    return reset.handle_response({RequestNumber(number), result}, now, 100ms);
  }

  TimePoint now{1s};
  StreamReset reset{Tsn(kOurs), Tsn(kTheirs)};
};

TEST_F(StreamResetTest, AsksForTheStreamsThatAreIdle) {
  reset.want(StreamId(1));
  reset.want(StreamId(2));
  reset.want(StreamId(1));
  reset.begin([](StreamId stream) { return stream == StreamId(2); }, Tsn(7), 100);
  EXPECT_EQ(reset.requested(), std::vector{StreamId(2)});
  EXPECT_EQ(reset.state(StreamId(1)), ResetState::wanted);
  EXPECT_EQ(sent().request, kOurs);
}

TEST_F(StreamResetTest, AsksAgainUnderTheSameNumberUntilAnswered) {
  reset.want(StreamId(1));
  begin();
  EXPECT_EQ(sent().request, kOurs);
  EXPECT_EQ(reset.deadline(), now + 100ms);
  EXPECT_TRUE(reset.handle_timeout());
  EXPECT_EQ(sent().request, kOurs);
  EXPECT_EQ(respond(kOurs, ReconfigResult::performed), StreamReset::Answer::done);
  reset.forget_requested();
  EXPECT_EQ(reset.deadline(), kNever);
  EXPECT_EQ(reset.state(StreamId(1)), ResetState::none);
}

TEST_F(StreamResetTest, NumbersWrap) {
  for (const std::uint32_t number : {kOurs, kOurs + 1, 0U, 1U}) {
    reset.want(StreamId(1));
    begin();
    EXPECT_EQ(sent().request, number);
    EXPECT_EQ(respond(number, ReconfigResult::performed), StreamReset::Answer::done);
    reset.forget_requested();
  }
}

TEST_F(StreamResetTest, IgnoresStaleAndFutureAnswers) {
  reset.want(StreamId(1));
  begin();
  EXPECT_EQ(respond(kOurs - 1, ReconfigResult::performed), StreamReset::Answer::ignored);
  EXPECT_EQ(respond(kOurs + 1, ReconfigResult::performed), StreamReset::Answer::ignored);
  EXPECT_EQ(respond(kOurs, ReconfigResult::denied), StreamReset::Answer::failed);
  reset.forget_requested();
  EXPECT_EQ(respond(kOurs, ReconfigResult::performed), StreamReset::Answer::ignored);
}

TEST_F(StreamResetTest, AfterInProgressItAsksUnderANewNumber) {
  reset.want(StreamId(1));
  begin();
  EXPECT_EQ(sent().request, kOurs);
  EXPECT_EQ(respond(kOurs, ReconfigResult::in_progress), StreamReset::Answer::ignored);
  EXPECT_EQ(sent().request, std::nullopt);
  EXPECT_FALSE(reset.handle_timeout());
  EXPECT_EQ(sent().request, kOurs + 1);
  EXPECT_EQ(respond(kOurs + 1, ReconfigResult::performed), StreamReset::Answer::done);
}

TEST_F(StreamResetTest, ALateAnswerAfterInProgressStillCounts) {
  reset.want(StreamId(1));
  begin();
  respond(kOurs, ReconfigResult::in_progress);
  EXPECT_EQ(respond(kOurs, ReconfigResult::performed), StreamReset::Answer::done);
}

TEST_F(StreamResetTest, PerformsAndRepeatsItsAnswer) {
  EXPECT_EQ(request(kTheirs, 100), StreamReset::Verdict::perform);
  reset.performed();
  EXPECT_EQ(sent().responses, (std::vector{std::pair{kTheirs, ReconfigResult::performed}}));
  EXPECT_EQ(request(kTheirs, 100), StreamReset::Verdict::answered);
  EXPECT_EQ(sent().responses, (std::vector{std::pair{kTheirs, ReconfigResult::performed}}));
  EXPECT_EQ(request(0, 100), StreamReset::Verdict::perform);
}

TEST_F(StreamResetTest, WaitsForTheDataBeforeTheReset) {
  EXPECT_EQ(request(kTheirs, 105), StreamReset::Verdict::wait);
  EXPECT_TRUE(sent().responses.empty());
  EXPECT_EQ(request(kTheirs, 105), StreamReset::Verdict::answered);
  EXPECT_EQ(sent().responses, (std::vector{std::pair{kTheirs, ReconfigResult::in_progress}}));
  EXPECT_FALSE(reset.poll_waiting(UnwrappedTsn(Tsn(104))));
  EXPECT_TRUE(reset.poll_waiting(UnwrappedTsn(Tsn(105))));
  reset.performed();
  EXPECT_FALSE(reset.poll_waiting(UnwrappedTsn(Tsn(106))));
  EXPECT_EQ(sent().responses, (std::vector{std::pair{kTheirs, ReconfigResult::performed}}));
}

TEST_F(StreamResetTest, RefusesOtherNumbersAndRequests) {
  EXPECT_EQ(request(5, 100), StreamReset::Verdict::answered);
  reset.handle_denied(RequestNumber(kTheirs));
  reset.handle_denied(RequestNumber(kTheirs));
  EXPECT_EQ(sent().responses,
            (std::vector{std::pair{5U, ReconfigResult::bad_request_number}, std::pair{kTheirs, ReconfigResult::denied},
                         std::pair{kTheirs, ReconfigResult::denied}}));
}

}  // namespace
}  // namespace wdc::sctp

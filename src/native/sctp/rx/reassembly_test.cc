// SPDX-License-Identifier: MIT
#include "src/native/sctp/rx/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tests/support/sim/random.h"

namespace wdc::sctp {
namespace {

constexpr ReassemblyLimits kLimits{.window = 100'000, .message_size = 50'000};
constexpr DataFlags kWhole{.beginning = true, .end = true};
constexpr DataFlags kFirst{.beginning = true};
constexpr DataFlags kMiddle{};
constexpr DataFlags kLast{.end = true};
using Outcome = Reassembly::Outcome;

DataFlags unordered(DataFlags flags) {
  flags.unordered = true;
  return flags;
}

class ReassemblyTest : public testing::TestWithParam<DataKind> {
 protected:
  /// A fragment of the message `number`; for I-DATA its number within it is `fsn`.
  Outcome add(std::int64_t tsn, std::uint16_t stream, std::uint32_t number, DataFlags flags, std::string_view text,
              std::uint32_t fsn = 0) {
    return reassembly.add(
        {UnwrappedTsn(tsn), StreamId(stream), number, fsn, Ppid(51), flags, std::as_bytes(std::span(text))}, false);
  }
  /// Everything delivered since, as "stream:text" words.
  std::string delivered() {
    std::string words;
    while (auto message = reassembly.poll_message()) {
      if (!words.empty()) words += ' ';
      words += std::to_string(message->stream.value()) + ':';
      for (const std::byte byte : message->payload.bytes()) words += static_cast<char>(byte);
      reassembly.consumed(message->payload.size());
    }
    return words;
  }

  BufferPool pool;
  Reassembly reassembly{GetParam(), kLimits, pool, 42};
};

INSTANTIATE_TEST_SUITE_P(Kinds, ReassemblyTest, testing::Values(DataKind::data, DataKind::i_data),
                         [](const auto& param) { return param.param == DataKind::data ? "Data" : "IData"; });

TEST_P(ReassemblyTest, DeliversWholeMessagesInOrder) {
  EXPECT_EQ(add(1, 1, 0, kWhole, "a"), Outcome::taken);
  EXPECT_EQ(add(2, 1, 1, kWhole, "b"), Outcome::taken);
  EXPECT_EQ(delivered(), "1:a 1:b");
}

TEST_P(ReassemblyTest, HoldsAMessageBackUntilTheOneBeforeItIsThere) {
  add(2, 1, 1, kWhole, "b");
  add(3, 1, 2, kWhole, "c");
  EXPECT_EQ(delivered(), "");
  add(1, 1, 0, kWhole, "a");
  EXPECT_EQ(delivered(), "1:a 1:b 1:c");
}

TEST_P(ReassemblyTest, StreamsDoNotWaitForOneAnother) {
  add(2, 1, 1, kWhole, "b");
  add(3, 2, 0, kWhole, "x");
  EXPECT_EQ(delivered(), "2:x");
}

TEST_P(ReassemblyTest, UnorderedMessagesDoNotWait) {
  add(2, 1, 1, kWhole, "b");
  add(3, 1, 0, unordered(kWhole), "u");
  EXPECT_EQ(delivered(), "1:u");
}

TEST_P(ReassemblyTest, JoinsFragmentsInEveryOrderOfArrival) {
  std::array<int, 5> order{0, 1, 2, 3, 4};
  std::uint32_t number = 0;
  do {
    for (const int i : order) {
      const DataFlags flags{.beginning = i == 0, .end = i == 4};
      ASSERT_EQ(add(std::int64_t{number} * 5 + i, 1, number, flags,
                    std::string_view("abcde").substr(static_cast<std::size_t>(i), 1), static_cast<std::uint32_t>(i)),
                Outcome::taken);
    }
    ASSERT_EQ(delivered(), "1:abcde");
    ++number;
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(number, 120U);
  EXPECT_EQ(reassembly.held_bytes(), 0U);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST_P(ReassemblyTest, FollowsTheNumbersThroughTheirWrap) {
  const std::uint32_t from = GetParam() == DataKind::data ? 0 : 0xfffffff0;
  if (GetParam() == DataKind::i_data) {
    for (const std::uint32_t step : {0x7ffffff0U, 0xffffffe0U, 0xffffffefU}) {
      reassembly.forward(IForwardTsnChunk{Tsn(0), std::array<std::byte, 8>{std::byte{0},
                                                                           std::byte{1},
                                                                           {},
                                                                           {},
                                                                           std::byte(step >> 24),
                                                                           std::byte(step >> 16),
                                                                           std::byte(step >> 8),
                                                                           std::byte(step)}});
    }
  }
  const std::uint32_t mask = GetParam() == DataKind::data ? 0xffff : 0xffffffff;
  const std::uint32_t count = GetParam() == DataKind::data ? 70'000 : 40;
  for (std::uint32_t i = 0; i < count; ++i) {
    ASSERT_EQ(add(i, 1, (from + i) & mask, kWhole, "m"), Outcome::taken);
    ASSERT_EQ(delivered(), "1:m") << i;
  }
}

TEST_P(ReassemblyTest, CountsUnreadMessagesAgainstTheWindow) {
  add(1, 1, 0, kWhole, std::string(1'000, 'a'));
  EXPECT_EQ(reassembly.window(), 99'000U);
  auto message = reassembly.poll_message();
  EXPECT_EQ(reassembly.window(), 99'000U);
  reassembly.consumed(message->payload.size());
  EXPECT_EQ(reassembly.window(), 100'000U);
}

TEST_P(ReassemblyTest, CountsPartialMessagesAgainstTheWindow) {
  add(1, 1, 0, kFirst, "abc");
  EXPECT_EQ(reassembly.window(), 99'997U);
}

TEST_P(ReassemblyTest, RefusesAMessageAboveTheLimit) {
  EXPECT_EQ(add(1, 1, 0, kWhole, std::string(50'001, 'a')), Outcome::too_large);
  EXPECT_EQ(add(2, 1, 0, kFirst, std::string(30'000, 'a')), Outcome::taken);
  EXPECT_EQ(add(3, 1, 0, kMiddle, std::string(20'001, 'a'), 1), Outcome::too_large);
}

TEST_P(ReassemblyTest, EndlessTinyFragmentsMeetALimit) {
  int taken = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    if (add(10 + 2 * std::int64_t{i}, 1, i & 0xffff, kMiddle, "x", 1) != Outcome::taken) break;
    ++taken;
  }
  EXPECT_LT(taken, 2'000);
}

TEST_P(ReassemblyTest, MessagesOnAllStreamsMeetALimit) {
  std::size_t taken = 0;
  for (std::uint32_t stream = 0; stream < 65'536; ++stream) {
    if (add(stream, static_cast<std::uint16_t>(stream), 1, kWhole, "x") == Outcome::taken) ++taken;
  }
  EXPECT_LT(taken, 2'000U);
}

TEST_P(ReassemblyTest, AResetStreamStartsAtZero) {
  add(1, 1, 0, kWhole, "a");
  add(2, 1, 1, kWhole, "b");
  reassembly.reset_stream(StreamId(1));
  add(3, 1, 0, kWhole, "c");
  EXPECT_EQ(delivered(), "1:a 1:b 1:c");
}

TEST_P(ReassemblyTest, AResetDropsWhatWasLeft) {
  add(1, 1, 3, kWhole, "a");
  add(2, 1, 0, kFirst, "b");
  reassembly.reset_stream(StreamId(1));
  EXPECT_EQ(reassembly.held_bytes(), 0U);
  EXPECT_EQ(pool.used_bytes(), 0U);
}

TEST_P(ReassemblyTest, AgreesWithAModelUnderRandomOrder) {
  constexpr std::uint32_t kSeed = 3;
  sim::Random random(kSeed);
  struct Piece {
    std::int64_t tsn;
    std::uint16_t stream;
    std::uint32_t number;
    DataFlags flags;
    std::string text;
    std::uint32_t fsn;
  };
  std::vector<Piece> pieces;
  std::array<std::uint32_t, 4> numbers{};
  std::array<std::string, 4> expected;
  for (std::int64_t tsn = 0; tsn < 600;) {
    const auto stream = static_cast<std::uint16_t>(random() % 4);
    const auto count = static_cast<std::uint32_t>(1 + random() % 6);
    const std::uint32_t number = numbers[stream]++;
    std::string whole;
    for (std::uint32_t i = 0; i < count; ++i, ++tsn) {
      const std::string text(1 + random() % 50, static_cast<char>('a' + random() % 26));
      pieces.push_back({tsn, stream, number, {.beginning = i == 0, .end = i + 1 == count}, text, i});
      whole += text;
    }
    expected[stream] += whole + '|';
  }
  std::shuffle(pieces.begin(), pieces.end(), random);
  for (const Piece& piece : pieces) {
    ASSERT_EQ(add(piece.tsn, piece.stream, piece.number, piece.flags, piece.text, piece.fsn), Outcome::taken);
  }
  std::array<std::string, 4> got;
  while (auto message = reassembly.poll_message()) {
    for (const std::byte byte : message->payload.bytes()) got[message->stream.value()] += static_cast<char>(byte);
    got[message->stream.value()] += '|';
    reassembly.consumed(message->payload.size());
  }
  EXPECT_EQ(got, expected) << "seed " << kSeed;
  EXPECT_EQ(reassembly.held_bytes(), 0U);
}

using DataReassemblyTest = ReassemblyTest;
INSTANTIATE_TEST_SUITE_P(Data, DataReassemblyTest, testing::Values(DataKind::data));
using IDataReassemblyTest = ReassemblyTest;
INSTANTIATE_TEST_SUITE_P(IData, IDataReassemblyTest, testing::Values(DataKind::i_data));

void forward(Reassembly& reassembly, std::int64_t cumulative, std::vector<ForwardTsnChunk::Skip> skips) {
  const ForwardTsnToSend chunk{UnwrappedTsn(cumulative).wire(), skips};
  std::vector<std::byte> bytes(chunk.size());
  chunk.write(bytes.data());
  reassembly.forward(UnwrappedTsn(cumulative), *ForwardTsnChunk::parse(*ChunkWalk(bytes).next()));
}

void i_forward(Reassembly& reassembly, std::vector<IForwardTsnChunk::Skip> skips) {
  const IForwardTsnToSend chunk{Tsn(0), skips};
  std::vector<std::byte> bytes(chunk.size());
  chunk.write(bytes.data());
  reassembly.forward(*IForwardTsnChunk::parse(*ChunkWalk(bytes).next()));
}

TEST_P(DataReassemblyTest, ForwardTsnDropsWhatWasGivenUpAndDeliversWhatWaited) {
  add(1, 1, 0, kFirst, "a");
  add(4, 1, 1, kWhole, "b");
  add(5, 1, 2, kWhole, "c");
  add(7, 1, 4, kWhole, "e");
  forward(reassembly, 3, {{StreamId(1), Ssn(0)}});
  EXPECT_EQ(delivered(), "1:b 1:c");
  forward(reassembly, 6, {{StreamId(1), Ssn(3)}});
  EXPECT_EQ(delivered(), "1:e");
  EXPECT_EQ(reassembly.held_bytes(), 0U);
}

TEST_P(DataReassemblyTest, ForwardTsnDeliversStrandedMessagesBelowTheSkip) {
  add(2, 1, 1, kWhole, "b");
  add(4, 1, 3, kWhole, "d");
  forward(reassembly, 5, {{StreamId(1), Ssn(4)}});
  EXPECT_EQ(delivered(), "1:b 1:d");
}

TEST_P(DataReassemblyTest, ForwardTsnDropsUnorderedFragments) {
  add(1, 1, 0, unordered(kFirst), "a");
  add(2, 1, 0, unordered(kMiddle), "b");
  add(4, 1, 0, unordered(kLast), "d");  // its beginning was below
  forward(reassembly, 3, {});
  EXPECT_EQ(reassembly.held_bytes(), 0U);
  EXPECT_EQ(reassembly.partial_runs(), 0U);
}

TEST_P(DataReassemblyTest, ForwardTsnSkipsFarAhead) {
  add(40'000, 1, 30'000, kWhole, "z");
  forward(reassembly, 39'999, {{StreamId(1), Ssn(29'999)}});
  EXPECT_EQ(delivered(), "1:z");
}

TEST_P(DataReassemblyTest, RefusesFragmentsThatContradictTheirNeighbours) {
  add(1, 1, 0, kFirst, "a");
  EXPECT_EQ(add(2, 2, 0, kLast, "b"), Outcome::inconsistent);
}

TEST_P(DataReassemblyTest, RefusesASecondMessageOfTheSameNumber) {
  add(2, 1, 1, kWhole, "b");
  EXPECT_EQ(add(3, 1, 1, kWhole, "b"), Outcome::inconsistent);
}

TEST_P(IDataReassemblyTest, TakesInterleavedMessagesApart) {
  add(1, 1, 0, kFirst, "a", 0);
  add(2, 2, 0, kFirst, "x", 0);
  add(3, 1, 0, unordered(kFirst), "u", 0);
  add(4, 1, 0, kLast, "b", 1);
  add(5, 2, 0, kLast, "y", 1);
  add(6, 1, 0, unordered(kLast), "v", 1);
  EXPECT_EQ(delivered(), "1:ab 2:xy 1:uv");
}

TEST_P(IDataReassemblyTest, RefusesOverlappingFragments) {
  add(1, 1, 0, kFirst, "a", 0);
  add(2, 1, 0, kMiddle, "b", 1);
  EXPECT_EQ(add(3, 1, 0, kMiddle, "c", 1), Outcome::inconsistent);
  EXPECT_EQ(add(4, 1, 0, kFirst, "d", 0), Outcome::inconsistent);
}

TEST_P(IDataReassemblyTest, RefusesFragmentsBehindTheEnd) {
  add(1, 1, 0, kLast, "a", 5);
  EXPECT_EQ(add(2, 1, 0, kMiddle, "b", 6), Outcome::inconsistent);
  EXPECT_EQ(add(3, 2, 0, kMiddle, "b", 6), Outcome::taken);
  EXPECT_EQ(add(4, 2, 0, kLast, "a", 5), Outcome::inconsistent);
}

TEST_P(IDataReassemblyTest, IForwardTsnSkipsOrderedAndUnorderedApart) {
  add(1, 1, 0, kFirst, "a", 0);
  add(2, 1, 0, unordered(kFirst), "u", 0);
  add(3, 1, 1, kWhole, "b", 0);
  i_forward(reassembly, {{StreamId(1), false, Mid(0)}});
  EXPECT_EQ(delivered(), "1:b");
  EXPECT_EQ(reassembly.held_bytes(), 1U);
  i_forward(reassembly, {{StreamId(1), true, Mid(0)}});
  EXPECT_EQ(reassembly.held_bytes(), 0U);
}

// Steady traffic of one size must not touch the allocator, nor copy a message twice: its first buffer has room for all.
TEST_P(ReassemblyTest, ReservesRoomForAMessageLikeTheLastOne) {
  const std::string part(1'000, 'p');
  for (std::uint32_t number = 0; number < 3; ++number) {
    for (std::uint32_t i = 0; i < 10; ++i) {
      add(number * 10 + i, 1, number, {.beginning = i == 0, .end = i == 9}, part, i);
      if (number == 2 && i == 0) {
        EXPECT_EQ(pool.used_bytes(), 16'384U);
      }
    }
    EXPECT_EQ(reassembly.poll_message()->payload.size(), 10'000U);
    reassembly.consumed(10'000);
  }
}

}  // namespace
}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#include "src/core/framed/codec.h"

#include <cctype>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "src/core/framed/frame_buffer.h"
#include "src/core/framed/framing.h"
#include "src/core/utf8.h"

namespace wdc::core::framed {
namespace {

using Bytes = std::vector<std::byte>;

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text)
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0) digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string describe(std::span<const std::byte> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

/// What a frame says, in the words of docs/wire/framed.md.
std::string read_frame(const Bytes& frame) {
  const auto kind = kind_of(frame);
  if (!kind) return "?";
  std::string text;
  const auto number = [&](std::string_view label, std::uint64_t value) {
    text += (text.ends_with(' ') ? "" : ", ") + std::string(label) + " " + std::to_string(value);
  };
  switch (*kind) {
    case FrameKind::hello: {
      const auto hello = parse_hello(frame);
      if (!hello) return "malformed";
      text = "HELLO ";
      number("version", hello->version);
      number("window", hello->window);
      number("message window", hello->message_window);
      number("messages", hello->messages);
      number("max message size", hello->max_message_size);
      number("max frame", hello->max_frame);
      return text;
    }
    case FrameKind::batch: {
      auto cursor = BatchCursor::parse(frame);
      if (!cursor) return "malformed";
      text = "BATCH";
      while (cursor->messages_left() > 0) {
        const auto entry = cursor->next(frame);
        text += text == "BATCH" ? " " : ", ";
        text += entry.type == MessageType::text ? "text " : "binary ";
        text += describe(std::span(frame).subspan(entry.offset, entry.size));
      }
      return text;
    }
    case FrameKind::part: {
      const auto part = parse_part(frame);
      if (!part) return "malformed";
      text = "PART";
      if (part->head.first) text += " first";
      if (part->head.last) text += " last";
      if (part->head.sized) text += " sized";
      if (part->head.text) text += " text";
      number("id", part->head.id);
      if (part->head.sized) number("size", part->head.size);
      if (part->offset < frame.size()) text += ", " + describe(std::span(frame).subspan(part->offset));
      return text;
    }
    case FrameKind::control: {
      static const std::map<RecordKind, std::vector<std::string>> names{
          {RecordKind::credit, {"CREDIT", "limit", "messages", "bytes"}},
          {RecordKind::message_credit, {"MESSAGE_CREDIT", "id", "limit", "bytes"}},
          {RecordKind::cancel, {"CANCEL", "id"}},
          {RecordKind::stop, {"STOP", "id", "reason", "limit"}},
          {RecordKind::release, {"RELEASE", "id", "bytes"}},
          {RecordKind::sync, {"SYNC", "messages"}},
          {RecordKind::finish, {"FINISH", "messages", "parts", "receipt"}},
          {RecordKind::abort, {"ABORT", "fault"}}};
      Reader reader(std::span<const std::byte>(frame).subspan(1));
      text = "CONTROL ";
      while (!reader.rest().empty()) {
        const auto record = read_record(reader);
        if (!record) return "malformed";
        const auto& words = names.at(record->kind);
        if (!text.ends_with(' ')) text += "; ";
        text += words[0] + " ";
        for (std::size_t i = 1; i < words.size(); ++i) number(words[i], record->numbers[i - 1]);
      }
      return text;
    }
  }
  return "?";
}

/// The same frame, made from what it says.
Bytes write_frame(const Bytes& frame) {
  Bytes made(1'024);
  switch (*kind_of(frame)) {
    case FrameKind::hello:
      made.resize(encode(*parse_hello(frame), std::span<std::byte, kLongestHello>(made.data(), kLongestHello)));
      return made;
    case FrameKind::control: {
      Writer writer(made);
      writer.byte(1);
      Reader reader(std::span<const std::byte>(frame).subspan(1));
      while (!reader.rest().empty()) encode(*read_record(reader), writer);
      made.resize(writer.size());
      return made;
    }
    case FrameKind::batch: {
      FrameBuffer buffer;
      buffer.set_limit(1'000);
      auto cursor = *BatchCursor::parse(frame);
      while (cursor.messages_left() > 0) {
        const auto entry = cursor.next(frame);
        const auto place = buffer.append(entry.size, entry.type);
        std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(entry.offset), entry.size, place.begin());
      }
      const auto done = buffer.finish_batch();
      return {done.begin(), done.end()};
    }
    case FrameKind::part: {
      FrameBuffer buffer;
      buffer.set_limit(1'000);
      const auto part = *parse_part(frame);
      const auto place = buffer.part_room(part.head);
      std::copy(frame.begin() + static_cast<std::ptrdiff_t>(part.offset), frame.end(), place.begin());
      const auto done = buffer.finish_part(part.head, frame.size() - part.offset);
      return {done.begin(), done.end()};
    }
  }
  return {};
}

TEST(FramedFrames, AreThoseOfTheDocument) {
  std::ifstream document(WDC_FRAMED_DOCUMENT);
  std::string line;
  std::string description;
  std::size_t vectors = 0;
  while (std::getline(document, line)) {
    if (!line.starts_with("    ") || line.starts_with("     ")) continue;
    line.erase(0, 4);
    if (std::isupper(static_cast<unsigned char>(line[0])) != 0) {
      description = line;
      continue;
    }
    const Bytes frame = from_hex(line);
    EXPECT_EQ(read_frame(frame), description);
    EXPECT_EQ(describe(write_frame(frame)), describe(frame)) << description;
    ++vectors;
  }
  EXPECT_EQ(vectors, 16U);
}

TEST(FramedFrames, AreNeverReadBeyondTheirEnds) {
  std::ifstream document(WDC_FRAMED_DOCUMENT);
  std::string line;
  while (std::getline(document, line)) {
    if (!line.starts_with("    ") || std::isxdigit(static_cast<unsigned char>(line[4])) == 0 || line[6] != ' ')
      continue;
    const Bytes frame = from_hex(line);
    for (std::size_t size = 0; size < frame.size(); ++size)
      (void)read_frame(Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)));
  }
}

TEST(FramedFrames, KeepNumbersOfEverySize) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{64}, std::uint64_t{16'383}, std::uint64_t{16'384},
        (std::uint64_t{1} << 30) - 1, std::uint64_t{1} << 30, kLargestNumber}) {
    std::array<std::byte, 8> room{};
    Writer writer(room);
    writer.number(value);
    EXPECT_EQ(writer.size(), number_size(value));
    Reader reader(std::span<const std::byte>(room).first(writer.size()));
    EXPECT_EQ(reader.number(), value);
    EXPECT_TRUE(reader.rest().empty());
  }
}

TEST(FramedFrames, HoldMessagesOfAllKindsTogether) {
  FrameBuffer buffer;
  buffer.set_limit(400'000);
  const std::vector<std::size_t> sizes{0, 0, 0, 0, 0, 1, 111, 112, 112, 300, 65'535, 65'536, 64, 64, 64, 64, 5};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    ASSERT_TRUE(buffer.fits(sizes[i]));
    const auto place = buffer.append(sizes[i], i % 7 == 6 ? MessageType::text : MessageType::binary);
    std::fill(place.begin(), place.end(), static_cast<std::byte>(i));
  }
  const auto frame = buffer.finish_batch();
  auto cursor = BatchCursor::parse(frame);
  ASSERT_TRUE(cursor);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    ASSERT_GT(cursor->messages_left(), 0U);
    const auto entry = cursor->next(frame);
    EXPECT_EQ(entry.size, sizes[i]);
    EXPECT_EQ(entry.type, i % 7 == 6 ? MessageType::text : MessageType::binary);
    if (entry.size == 0) continue;
    EXPECT_EQ(frame[entry.offset + entry.size - 1], static_cast<std::byte>(i));
  }
  EXPECT_EQ(cursor->messages_left(), 0U);
}

TEST(FramedFrames, TakeAsManyMessagesAsTheyMayAndNoMore) {
  FrameBuffer buffer;
  buffer.set_limit(1'000);
  for (std::uint64_t i = 0; i < batch_entry::kMostMessages; ++i) {
    ASSERT_TRUE(buffer.fits(0));
    (void)buffer.append(0, MessageType::text);
  }
  EXPECT_FALSE(buffer.fits(0));
  const auto frame = buffer.finish_batch();
  const auto cursor = BatchCursor::parse(frame);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->messages_left(), batch_entry::kMostMessages);
  // A peer could ask for billions of empty ones in a frame.
  EXPECT_TRUE(BatchCursor::parse(from_hex("0204 00 e4 ffff")));
  EXPECT_FALSE(BatchCursor::parse(from_hex("0205 00 e4 ffff 00")));
  EXPECT_FALSE(BatchCursor::parse(from_hex("020a 00 e4 ffff e4 ffff e4 ffff")));
}

TEST(FramedFrames, HaveRoomForAllThatTheySayTheyHave) {
  std::uint64_t filled = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&random](std::size_t limit) { return static_cast<std::size_t>(random()) % limit; };
    FrameBuffer buffer;
    buffer.set_limit(256 + below(seed % 3 == 0 ? 1'000 : 100'000));
    // Runs, and tables as long as they get: entries of three bytes that repeat twice.
    const std::size_t run = 1 + below(seed % 2 == 0 ? 3 : 500);
    const std::size_t largest = 1 + below(seed % 5 == 0 ? 70'000 : 300);
    std::size_t size = below(largest);
    std::vector<std::size_t> sizes;
    const auto next = [&] {
      if (sizes.size() % run == 0) size = below(largest);
      sizes.push_back(size);
      return size;
    };
    for (std::size_t begin = 1 + below(200); begin > 0; --begin) {
      if (const std::size_t one = next(); buffer.fits(one)) {
        (void)buffer.append(one, MessageType::binary);
      } else {
        sizes.pop_back();
      }
    }
    if (buffer.empty()) continue;
    for (std::size_t loans = 0; loans < 100; ++loans) {
      const std::size_t limit = random() % 3 == 0 ? below(buffer.limit() + 1) : buffer.limit() + 7;
      const FrameRoom room = buffer.room(limit);
      std::byte* place = room.place;
      std::size_t bytes = room.bytes;
      for (std::size_t messages = 0; messages < room.messages; ++messages, ++filled) {
        const std::size_t one = next();
        if (one > room.largest || one + FrameRoom::kEntry > bytes) {
          sizes.pop_back();
          break;
        }
        bytes -= one + FrameRoom::kEntry;
        ASSERT_TRUE(buffer.fits(one));
        const auto appended = buffer.append(one, MessageType::binary);
        ASSERT_EQ(appended.data(), place);
        place += one;
        ASSERT_LE(buffer.size_with(0), std::min(limit, buffer.limit()));
      }
    }
    const auto frame = buffer.finish_batch();
    ASSERT_LE(frame.size(), buffer.limit());
    auto cursor = BatchCursor::parse(frame);
    ASSERT_TRUE(cursor);
    ASSERT_EQ(cursor->messages_left(), sizes.size());
    for (const std::size_t one : sizes) ASSERT_EQ(cursor->next(frame).size, one);
  }
  EXPECT_GT(filled, 50'000U);
}

TEST(FramedFrames, AreRefusedWhereTheyAreMalformed) {
  for (const char* const batch : {"02", "0200", "0201", "020100ff", "0201e4", "0203e40001", "020400e4000001", "0201e5",
                                  "020105", "0202e000", "0205e2ffffffff", "0204 01 e4 ffff 00", "0201 02 0000 00"})
    EXPECT_FALSE(BatchCursor::parse(from_hex(batch))) << batch;
  for (const char* const part :
       {"10", "1000", "11", "1100", "14 00 01", "18 00 01 01", "19 00", "1d 00 c0 00", "12 40"})
    EXPECT_FALSE(parse_part(from_hex(part))) << part;
  for (const char* const hello :
       {"00", "00776463", "0077646367 01 40ff 40ff 01 00 40ff", "0077646366 00 4100 4100 01 00 4100",
        "0077646366 01 3f 4100 01 00 4100", "0077646366 01 4100 3f 01 00 4100", "0077646366 01 4100 4100 00 00 4100",
        "0077646366 01 4100 4100 01 00 3f", "0077646366 01 4100 4100 01 00"})
    EXPECT_FALSE(parse_hello(from_hex(hello))) << hello;
  EXPECT_TRUE(parse_hello(from_hex("0077646366 02 4100 4100 01 00 4100 aabbcc")));  // of a later version
}

TEST(FramedFrames, NameTheirChannels) {
  EXPECT_TRUE(is_framed("wdc.framed.v1"));
  EXPECT_TRUE(is_framed("wdc.framed.v1+chat"));
  EXPECT_TRUE(is_framed("wdc.framed.v1+"));
  for (const char* const other : {"", "wdc.framed", "wdc.framed.v10", "wdc.framed.v2", "wdc.framed.v1chat", "chat"})
    EXPECT_FALSE(is_framed(other)) << other;
}

TEST(FramedTexts, AreUtf8) {
  const auto valid = [](std::string_view text) { return is_utf8(std::as_bytes(std::span(text))); };
  for (const char* const good : {"", "plain and long enough for a word", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                 "1234567\xC3\xA9", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(valid(good)) << good;
  for (const char* const bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                                "\xF4\x90\x80\x80", "\xF8\x80\x80\x80", "\xFF", "12345678\xE2\x82"})
    EXPECT_FALSE(valid(bad));
  EXPECT_TRUE(valid(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace wdc::core::framed

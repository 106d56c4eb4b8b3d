// SPDX-License-Identifier: MIT
#include "tests/fuzz/drive_framed.h"

#include <random>

#include "tests/fuzz/input.h"
#include "tests/support/framed_end.h"

namespace wdc::fuzz {

namespace {

void check(test::FramedEnd& end) {
  const Delivery delivery = end.session.sender().delivery();
  const std::uint64_t most = end.given_bytes;
  require(delivery.acknowledged <= most && delivery.in_doubt <= most && delivery.unsent <= most);
  require(delivery.acknowledged + delivery.in_doubt + delivery.unsent == most);
}

}  // namespace

void drive_framed(std::span<const std::byte> bytes) {
  Input script(bytes);
  FramedOptions options;
  const std::uint8_t shape = script.byte();
  options.window = 146 + 16 * (shape & 15U);
  options.message_window = 146 + 8 * (shape >> 4);
  options.read_window = 400;
  options.messages_in_progress = 1 + shape % 3;
  options.whole_total = 500;
  options.max_message_size = 2'000;
  options.order = (shape & 2U) != 0 ? MessageOrder::completions : MessageOrder::starts;
  test::FramedEnd end(options, shape == 0xFF ? test::Session::Mode::batches_only : test::Session::Mode::full);
  std::mt19937 random(shape);
  const bool whole = (shape & 1U) != 0;
  end.session.receiver().set_wanted(whole ? test::Incoming::Wanted::whole : test::Incoming::Wanted::in_parts);
  end.session.handle_open(0);
  std::uint32_t number = 0;
  while (!script.empty()) {
    const std::uint8_t turn = script.byte();
    switch (turn & 7U) {
      case 0: {
        auto& one = end.send(number++, (turn >> 3) * 30U, static_cast<Priority>(turn >> 6), (turn & 8U) != 0);
        if ((turn & 16U) != 0) end.make_source(one, (turn & 32U) != 0, random);
        end.start(one);
        break;
      }
      case 1:
        end.drain(test::Sender::Flush::everything, 10'000);
        if ((turn & 8U) != 0) end.outbox.clear();
        end.outbox_bytes = 0;
        break;
      case 2:
        if (whole)
          end.read_whole(turn >> 3);
        else
          end.read_starts(turn >> 3);
        break;
      case 3:
        for (std::size_t i = end.reading.size(); i-- > 0;) end.read_part(i);
        break;
      case 4:
        if (!end.reading.empty()) end.let_go((turn >> 3) % end.reading.size());
        break;
      case 5:
        if (!end.sends.empty()) {
          auto& one = *end.sends[(turn >> 3) % end.sends.size()];
          if (!one.ended) end.withdraw(one);
        }
        break;
      case 6:
        if ((turn & 0xF8U) == 0xF8)
          end.session.finish(test::Session::Receipt::wanted);
        else if ((turn & 0xF8U) == 0xF0)
          end.session.receiver().drop_unread();
        else if ((turn & 8U) != 0)
          end.session.request_report();
        break;
      default: {
        const auto frame = script.take(turn >> 3 == 31 ? 31U + script.byte() : turn >> 3);
        if (end.session.handle_frame(Message::binary(frame)) != test::Fault::none) {
          check(end);
          return;
        }
      }
    }
    check(end);
    // What is unread is never more than was given credit for.
    require(end.session.receiver().unread_cost() <= options.window || shape == 0xFF);
    (void)end.session.may_close(test::Session::Reading::over);
  }
}

}  // namespace wdc::fuzz

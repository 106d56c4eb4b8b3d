// SPDX-License-Identifier: MIT
#include "src/native/udp/busy_wait.h"

#include <gtest/gtest.h>

namespace wdc::udp {
namespace {

using namespace std::chrono_literals;

void sleep_shortly(BusyWait& wait, int times) {
  for (int i = 0; i < times; ++i) wait.slept(30us);
}

TEST(BusyWaitTest, LooksOnlyAfterShortSleeps) {
  BusyWait wait(50us);
  EXPECT_FALSE(wait.is_worthwhile());
  for (int i = 0; i < 100; ++i) wait.slept(1ms);
  EXPECT_FALSE(wait.is_worthwhile());
  sleep_shortly(wait, 4);
  EXPECT_TRUE(wait.is_worthwhile());
  wait.looked(/*in_vain=*/false, 10us);
  EXPECT_TRUE(wait.is_worthwhile());
}

TEST(BusyWaitTest, ALongSleepEndsIt) {
  BusyWait wait(50us);
  sleep_shortly(wait, 4);
  wait.slept(10ms);
  EXPECT_FALSE(wait.is_worthwhile());
}

TEST(BusyWaitTest, WantsTwiceAsManyAfterEachLookInVain) {
  BusyWait wait(50us);
  int looks = 0;
  for (int i = 0; i < 2'000; ++i) {
    if (wait.is_worthwhile()) {
      ++looks;
      wait.looked(/*in_vain=*/true, 50us);
    }
    wait.slept(30us);
  }
  EXPECT_EQ(looks, 8);  // after 4, 8, 16 ... 512 sleeps
}

TEST(BusyWaitTest, WorkPaysForALongLook) {
  BusyWait wait(50us);
  wait.worked(100us);
  EXPECT_FALSE(wait.is_worthwhile());
  wait.worked(300us);
  ASSERT_TRUE(wait.is_worthwhile());
  EXPECT_EQ(wait.most(), 100us);
  wait.worked(1s);
  EXPECT_EQ(wait.most(), 300us);
  wait.looked(/*in_vain=*/true, 300us);
  EXPECT_FALSE(wait.is_worthwhile());
}

TEST(BusyWaitTest, LooksForAQuarterOfItsWorkAtMost) {
  BusyWait wait(50us);
  auto looked = 0us;
  for (int i = 0; i < 1'000; ++i) {
    wait.worked(100us);
    if (wait.is_worthwhile()) {
      looked += std::chrono::duration_cast<std::chrono::microseconds>(wait.most());
      wait.looked(/*in_vain=*/true, wait.most());
    }
    wait.slept(1ms);
  }
  EXPECT_LE(looked, 25ms);
  EXPECT_GE(looked, 20ms);
}

TEST(BusyWaitTest, NeverLooksWhereItMayNot) {
  BusyWait wait(0us);
  for (int i = 0; i < 100; ++i) wait.slept(0us);
  wait.worked(1s);
  EXPECT_FALSE(wait.is_worthwhile());
}

}  // namespace
}  // namespace wdc::udp

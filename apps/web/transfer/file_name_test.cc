// SPDX-License-Identifier: MIT
#include "apps/web/transfer/file_name.h"

#include <gtest/gtest.h>

namespace wdc::transfer {
namespace {

TEST(FileNameTest, LeavesOrdinaryNamesAlone) {
  for (const char* name :
       {"photo.jpg", "a", "Bericht für März (2).pdf", "写真.png", "👩‍🚀.gif", "no ending", "a.b.c"}) {
    EXPECT_EQ(safe_file_name(name), name);
  }
}

TEST(FileNameTest, KeepsOnlyTheLastPartOfAPath) {
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("C:\\Windows\\System32\\drivers.dll"), "drivers.dll");
  EXPECT_EQ(safe_file_name("/"), "file");
  EXPECT_EQ(safe_file_name("a/b\\c/"), "file");
}

TEST(FileNameTest, RemovesWhatCannotBeSeen) {
  EXPECT_EQ(safe_file_name(std::string_view("a\0b\nc\x7f\x1b[31md", 12)), "abc[31md");
  EXPECT_EQ(safe_file_name("invoice\u202Egpj.exe"), "invoicegpj.exe");
  EXPECT_EQ(safe_file_name("a\u2028b\u2066c\u200Fd\u0085e"), "abcde");
}

TEST(FileNameTest, ReplacesWhatSomeSystemsRefuse) {
  EXPECT_EQ(safe_file_name("a<b>c:d\"e|f?g*h"), "a_b_c_d_e_f_g_h");
  EXPECT_EQ(safe_file_name("con"), "_con");
  EXPECT_EQ(safe_file_name("NUL.txt"), "_NUL.txt");
  EXPECT_EQ(safe_file_name("com7 .log"), "_com7 .log");
  EXPECT_EQ(safe_file_name("console"), "console");
  EXPECT_EQ(safe_file_name(" .hidden. . "), "hidden");
  EXPECT_EQ(safe_file_name(""), "file");
  EXPECT_EQ(safe_file_name(" . .. "), "file");
}

TEST(FileNameTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(safe_file_name("a\xff z"), "a\uFFFD z");
  EXPECT_EQ(safe_file_name("\xc0\xaf"), "\uFFFD\uFFFD");            // an overlong slash
  EXPECT_EQ(safe_file_name("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(safe_file_name("x\xe2\x82"), "x\uFFFD\uFFFD");          // cut short
  EXPECT_EQ(safe_file_name("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(FileNameTest, CutsLongNamesBetweenCharactersAndKeepsTheEnding) {
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "é";
  const auto safe = safe_file_name(longest + ".tar");
  EXPECT_LE(safe.size(), kMaxNameBytes);
  EXPECT_GE(safe.size(), kMaxNameBytes - 1);
  EXPECT_TRUE(safe.ends_with("é.tar"));
  EXPECT_EQ(safe.find("\uFFFD"), std::string::npos);
  EXPECT_EQ(safe_file_name(std::string(300, 'a')).size(), kMaxNameBytes);
}

TEST(FileNameTest, TakesOnlyPlainMediaTypes) {
  EXPECT_EQ(safe_media_type("image/svg+xml"), "image/svg+xml");
  for (const char* type :
       {"", "text", "/", "text/", "/html", "text/html; charset=utf-8", "text/ht ml", "a/b/c", "a\n/b"}) {
    EXPECT_EQ(safe_media_type(type), "application/octet-stream") << type;
  }
}

}  // namespace
}  // namespace wdc::transfer

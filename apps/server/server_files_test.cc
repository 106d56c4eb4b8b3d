// SPDX-License-Identifier: MIT
//
// The files that the server hands out, and those it does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/verb.hpp>
#include <string>

#include "apps/server/running_server.h"
#include "apps/server/test_clients.h"
#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace http = boost::beast::http;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ServerFileTest, ServesThePageWithItsTypes) {
  RunningServer server;
  EXPECT_EQ(request(server, http::verb::get, "/").body, "<p>page</p>");
  EXPECT_EQ(request(server, http::verb::get, "/sub/?x=1").body, "<p>sub</p>");
  EXPECT_EQ(request(server, http::verb::get, "/link.js").body, "export {};");
  EXPECT_EQ(request(server, http::verb::get, "/big.bin").body.size(), 8u * 1024 * 1024);
  const auto type = [&](std::string_view target) {
    return request(server, http::verb::get, target).header("Content-Type");
  };
  EXPECT_EQ(type("/"), "text/html; charset=utf-8");
  EXPECT_EQ(type("/app.js"), "text/javascript; charset=utf-8");
  EXPECT_EQ(type("/app.js.map"), "application/json");
  EXPECT_EQ(type("/wdc.wasm"), "application/wasm");
  EXPECT_EQ(type("/icon.svg"), "image/svg+xml");
  EXPECT_EQ(type("/big.bin"), "application/octet-stream");
}

TEST(ServerFileTest, HeadGivesTheHeadersOfGetAndNoBody) {
  RunningServer server;
  const auto get = request(server, http::verb::get, "/app.js");
  const auto head = request(server, http::verb::head, "/app.js");
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("Content-Length"), "10");
  EXPECT_EQ(head.header("ETag"), get.header("ETag"));
  EXPECT_EQ(request(server, http::verb::head, "/absent").status, 404u);
}

TEST(ServerFileTest, AnUnchangedFileIsNotSentAgain) {
  RunningServer server;
  const auto first = request(server, http::verb::get, "/app.js");
  EXPECT_EQ(first.header("Cache-Control"), "no-cache");
  const auto etag = first.header("ETag");
  for (const auto& condition : {etag, "\"x\", W/" + etag, std::string("*")}) {
    const auto again = request(server, http::verb::get, "/app.js", {{"If-None-Match", condition}});
    EXPECT_EQ(again.status, 304u) << condition;
    EXPECT_EQ(again.header("ETag"), etag);
    EXPECT_EQ(again.body, "");
  }
  EXPECT_EQ(request(server, http::verb::get, "/app.js", {{"If-None-Match", "\"x\""}}).status, 200u);
}

TEST(ServerFileTest, AChangedFileHasAnotherEntityTag) {
  RunningServer server;
  Page::write(page().root() / "changing.txt", "one");
  const auto before = request(server, http::verb::get, "/changing.txt");
  Page::write(page().root() / "changing.txt", "three");
  const auto after = request(server, http::verb::get, "/changing.txt", {{"If-None-Match", before.header("ETag")}});
  EXPECT_EQ(after.status, 200u);
  EXPECT_EQ(after.body, "three");
}

TEST(ServerFileTest, NothingOutsideTheFolderAndNothingHiddenCanBeReached) {
  RunningServer server;
  for (const char* target :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/sub/../../secret.txt", "/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt", "/%252e%252e/secret.txt", "/way_out.txt", "/up/secret.txt", "/up/", "/.env", "/%2eenv",
        "/shown.txt", "/sub/.hidden/a.txt", "//etc/passwd", "/etc/passwd", "/pipe", "/app.js%00", "/app.js/",
        "/absent"}) {
    const auto answer = request(server, http::verb::get, target);
    EXPECT_EQ(answer.status, 404u) << target;
    EXPECT_THAT(answer.body, Not(HasSubstr("SECRET"))) << target;
  }
}

TEST(ServerFileTest, AFolderWithoutItsSlashIsRedirectedWithinTheServer) {
  RunningServer server;
  const auto answer = request(server, http::verb::get, "/sub?next=//evil.example");
  EXPECT_EQ(answer.status, 308u);
  EXPECT_EQ(answer.header("Location"), "/sub/");
}

TEST(ServerFileTest, EveryAnswerCarriesTheSecurityHeaders) {
  RunningServer server;
  for (const char* target : {"/", "/absent", "/ws", "/sub"}) {
    const auto answer = request(server, http::verb::get, target);
    const auto policy = answer.header("Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("script-src 'self' 'wasm-unsafe-eval';"));
    EXPECT_THAT(policy, HasSubstr(concat("connect-src 'self' ws://", server.host(), " wss://", server.host(), ";")));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer.header("Cross-Origin-Opener-Policy"), "same-origin");
  }
}

TEST(ServerFileTest, AStrangeHostIsNotRepeatedInThePolicy) {
  RunningServer server;
  RawClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: x; script-src *\r\nConnection: close\r\n\r\n");
  const auto answer = client.read_to_end();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("connect-src 'self';"));
  EXPECT_THAT(answer, Not(HasSubstr("script-src *")));
}

TEST(ServerFileTest, OtherMethodsAreNotAllowed) {
  RunningServer server;
  for (const auto method : {http::verb::post, http::verb::put, http::verb::delete_, http::verb::options}) {
    const auto answer = request(server, method, "/app.js");
    EXPECT_EQ(answer.status, 405u);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
  }
}

TEST(ServerFileTest, OneConnectionServesManyRequestsInOrder) {
  RunningServer server;
  RawClient client(server.port());
  std::string requests;
  for (const char* target : {"/app.js", "/absent", "/"}) {
    requests += concat("GET ", target, " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  client.send(requests);
  client.half_close();
  const auto answers = client.read_to_end();
  EXPECT_LT(answers.find("export {};"), answers.find("404 Not Found"));
  EXPECT_LT(answers.find("404 Not Found"), answers.find("<p>page</p>"));
  EXPECT_THAT(answers, HasSubstr("<p>page</p>"));
}

}  // namespace
}  // namespace wdc::server

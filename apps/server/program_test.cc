// SPDX-License-Identifier: MIT
//
// The program itself: arguments, first line, signals, exit status.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

extern char** environ;  // NOLINT: POSIX's own

namespace wdc::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A run of the program, with its two outputs on pipes.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WDC_SERVER_PROGRAM);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> out{}, err{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    if (::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) throw std::runtime_error("spawn");
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    out_.reset(::fdopen(out[0], "r"));
    err_.reset(::fdopen(err[0], "r"));
  }
  ~Program() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string out_line() { return read_line(*out_); }
  std::string rest_of_out() { return read_rest(*out_); }
  std::string rest_of_err() { return read_rest(*err_); }
  void signal(int number) const { ::kill(pid_, number); }

  // -1: it was killed.
  int exit_status() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static std::string read_line(std::FILE& file) {
    std::string line;
    for (int c = std::fgetc(&file); c != EOF && c != '\n'; c = std::fgetc(&file)) line += static_cast<char>(c);
    return line;
  }
  static std::string read_rest(std::FILE& file) {
    std::string text;
    for (int c = std::fgetc(&file); c != EOF; c = std::fgetc(&file)) text += static_cast<char>(c);
    return text;
  }

  ::pid_t pid_ = 0;
  std::unique_ptr<std::FILE, Close> out_;
  std::unique_ptr<std::FILE, Close> err_;
};

constexpr const char* kPrefix = "listening on http://127.0.0.1:";

std::string port_in(const std::string& line) { return line.substr(std::string(kPrefix).size()); }

class SignalTest : public testing::TestWithParam<int> {};

TEST_P(SignalTest, ClosesMembersWith1001AndExitsWith0) {
  Program program({"--root", ".", "--port", "0", "--quiet"});
  const auto line = program.out_line();
  ASSERT_THAT(line, StartsWith(kPrefix));
  boost::asio::io_context context;
  boost::beast::websocket::stream<boost::asio::ip::tcp::socket> member(context);
  member.next_layer().connect(
      {boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port_in(line)))});
  member.handshake("127.0.0.1", "/ws?room=blue");
  boost::beast::flat_buffer buffer;
  member.read(buffer);
  program.signal(GetParam());
  boost::system::error_code error;
  member.read(buffer, error);
  EXPECT_EQ(error, boost::beast::websocket::error::closed);
  EXPECT_EQ(member.reason().code, 1001);
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_EQ(program.rest_of_err(), "");
}

INSTANTIATE_TEST_SUITE_P(Program, SignalTest, testing::Values(SIGINT, SIGTERM));

TEST(ProgramTest, NamesAPortThatIsTaken) {
  Program first({"--root", ".", "--port", "0"});
  const auto port = port_in(first.out_line());
  Program second({"--root", ".", "--port", port});
  EXPECT_THAT(second.rest_of_err(), HasSubstr("cannot listen on 127.0.0.1 port " + port + ": Address already in use"));
  EXPECT_EQ(second.exit_status(), 1);
}

TEST(ProgramTest, NamesAFolderThatIsMissing) {
  Program program({"--root", "./no/such/folder", "--port", "0"});
  EXPECT_THAT(program.rest_of_err(), HasSubstr("\"./no/such/folder\": No such file or directory"));
  EXPECT_EQ(program.exit_status(), 1);
}

TEST(ProgramTest, NamesEveryBadArgument) {
  struct Case {
    std::vector<std::string> arguments;
    std::string complaint;
  };
  for (const auto& item : std::vector<Case>{
           {{}, "--root is required"},
           {{"--root", ".", "--port", "70000"}, "70000"},
           {{"--root", ".", "--port", "-1"}, "-1"},
           {{"--root", ".", "--address", "nowhere"}, "\"nowhere\" is not an IPv4 or IPv6 address"},
           {{"--root", ".", "--rooms", "0"}, "--rooms"},
           {{"--root", ".", "--rooms", "many"}, "many"},
           {{"--root", ".", "--idle-time", "0"}, "--idle-time"},
           {{"--root", ".", "--idle-time", "nan"}, "--idle-time"},
           {{"--root", ".", "--byte-burst", "100"}, "byte burst of 100 is below the largest frame of 65536 bytes"},
           {{"--root", ".", "--queue-bytes", "100"}, "queue of 100 bytes cannot hold the largest frame of 65536 bytes"},
           {{"--root", ".", "--wrong"}, "--wrong"}}) {
    Program program(item.arguments);
    EXPECT_THAT(program.rest_of_err(), HasSubstr(item.complaint));
    EXPECT_EQ(program.exit_status(), 1) << item.complaint;
  }
}

TEST(ProgramTest, HelpNamesEveryLimit) {
  Program program({"--help"});
  const auto help = program.rest_of_out();
  for (const char* option : {"--root", "--address", "--port", "--allow-origin", "--quiet", "--message-bytes", "--rooms",
                             "--connections", "--idle-time", "--dead-after"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
  EXPECT_EQ(program.exit_status(), 0);
}

TEST(ProgramTest, LogsRemoteTextEscaped) {
  Program program({"--root", ".", "--port", "0"});
  const auto port = port_in(program.out_line());
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket(context);
  socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))});
  boost::asio::write(socket,
                     boost::asio::buffer(std::string("GET /ws?room=a HTTP/1.1\r\nHost: a\r\nOrigin: \xff\"evil\r\n"
                                                     "Connection: upgrade, close\r\nUpgrade: websocket\r\n"
                                                     "Sec-WebSocket-Version: 13\r\n"
                                                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")));
  std::string answer;
  boost::system::error_code error;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), error);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
  program.signal(SIGTERM);
  EXPECT_EQ(program.exit_status(), 0);
  EXPECT_THAT(program.rest_of_err(), HasSubstr("refused origin \\xff\\x22evil\n"));
}

}  // namespace
}  // namespace wdc::server

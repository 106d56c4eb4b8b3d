// SPDX-License-Identifier: MIT
// openssl s_server and s_client as the other end, over real sockets and in real time.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "src/native/dtls/session.h"
#include "src/native/udp/udp_socket.h"

namespace wdc::dtls {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

WallTime today() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }
TimePoint time_now() { return std::chrono::steady_clock::now(); }

/// A program with its input and output in our hands. Killed when done with.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    std::array<int, 2> in;
    std::array<int, 2> out;
    EXPECT_EQ(pipe2(in.data(), O_CLOEXEC) + pipe2(out.data(), O_CLOEXEC), 0);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    id_ = fork();
    if (id_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      dup2(out[1], 2);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = out[0];
    fcntl(output_, F_SETFL, O_NONBLOCK);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    kill(id_, SIGKILL);
    waitpid(id_, nullptr, 0);
    close(input_);
    close(output_);
  }
  void write_line(const std::string& line) { EXPECT_EQ(write(input_, line.data(), line.size()), std::ssize(line)); }
  /// What it has said so far.
  const std::string& said() {
    std::array<char, 4'096> buffer;
    for (ssize_t size = 0; (size = read(output_, buffer.data(), buffer.size())) > 0;) {
      said_.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return said_;
  }
  [[nodiscard]] int output() const { return output_; }

 private:
  pid_t id_ = 0;
  int input_ = -1;
  int output_ = -1;
  std::string said_;
};

class OpenSslProgramTest : public testing::Test {
 protected:
  OpenSslProgramTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wdc-dtls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    std::ofstream(folder_ / "peer.pem") << theirs_.to_pem().value();
  }
  ~OpenSslProgramTest() override { std::filesystem::remove_all(folder_); }

  void start(Role role, udp::Address to) {
    to_ = to;
    SessionOptions options;
    options.role = role;
    session_.emplace(*context_, options);
    EXPECT_TRUE(session_->set_remote_fingerprints({*theirs_.fingerprint()}));
    session_->start(time_now());
  }

  /// Talks until `done`, at most for 20 seconds.
  template <class F>
  bool run(Program& program, F done) {
    const TimePoint end = time_now() + 20s;
    std::vector<std::byte> memory(udp::UdpSocket::kReceiveMemory);
    std::array<udp::ReceivedTrain, udp::UdpSocket::kMostDatagrams> trains;
    while (time_now() < end) {
      while (const auto datagram = session_->poll_transmit()) {
        static_cast<void>(socket_.send(*datagram, datagram->size(), to_));
      }
      while (auto event = session_->poll_event()) {
        if (auto* closed = std::get_if<ClosedEvent>(&*event)) error_ = std::move(closed->error);
      }
      if (done()) return true;
      std::array<pollfd, 2> waits{pollfd{socket_.descriptor(), POLLIN, 0}, pollfd{program.output(), POLLIN, 0}};
      poll(waits.data(), waits.size(), 50);
      const std::size_t count = socket_.receive(memory, trains);
      for (std::size_t i = 0; i < count; ++i) {
        to_ = trains[i].from;
        udp::for_each_datagram(trains[i], [&](const MutableByteView datagram) {
          for (const auto text : session_->handle_datagrams({&datagram, 1}, time_now())) {
            received_.append(reinterpret_cast<const char*>(text.data()), text.size());
          }
        });
      }
      if (session_->next_deadline() <= time_now()) session_->handle_timeout(time_now());
    }
    return false;
  }

  void send(std::string_view text) {
    std::vector<std::byte> record(kHeadRoom + text.size() + kTailRoom);
    MutableByteView view = std::span(record).subspan(kHeadRoom, text.size());
    std::memcpy(view.data(), text.data(), text.size());
    ASSERT_TRUE(session_->seal({&view, 1}));
    ASSERT_EQ(socket_.send(record, record.size(), to_).sent, 1U);
  }

  /// Both ways, and the end.
  void talk(Program& program) {
    ASSERT_TRUE(run(program, [&] { return session_->state() != Session::State::handshaking; }));
    ASSERT_EQ(session_->state(), Session::State::connected) << (error_ ? error_->message() : "") << program.said();
    send("a line of ours\n");
    program.write_line("a line of theirs\n");
    EXPECT_TRUE(run(program, [&] { return received_.find("a line of theirs\n") != std::string::npos; }));
    EXPECT_TRUE(run(program, [&] { return program.said().find("a line of ours") != std::string::npos; }))
        << program.said();
    session_->close();
    EXPECT_TRUE(run(program, [&] { return !session_->poll_transmit(); }));
  }

  std::filesystem::path folder_;
  Certificate ours_ = Certificate::make(today()).value();
  Certificate theirs_ = Certificate::make(today()).value();
  std::unique_ptr<Context> context_ = Context::make(ours_, today()).value();
  std::optional<Session> session_;
  udp::UdpSocket socket_ = udp::UdpSocket::open(*udp::Address::parse("127.0.0.1", 0)).value();
  udp::Address to_;
  std::string received_;
  std::optional<Error> error_;
};

TEST_F(OpenSslProgramTest, TalksToSServer) {
  // A port that was free a moment ago.
  const auto port = udp::UdpSocket::open(*udp::Address::parse("127.0.0.1", 0)).value().local().port;
  Program program({"openssl", "s_server", "-dtls1_2", "-accept", "127.0.0.1:" + std::to_string(port), "-cert",
                   folder_ / "peer.pem", "-key", folder_ / "peer.pem", "-Verify", "1", "-quiet"});
  start(Role::client, *udp::Address::parse("127.0.0.1", port));
  talk(program);
}

TEST_F(OpenSslProgramTest, TalksToSClient) {
  start(Role::server, {});
  Program program({"openssl", "s_client", "-dtls1_2", "-connect", socket_.local().text(), "-cert", folder_ / "peer.pem",
                   "-key", folder_ / "peer.pem"});
  talk(program);
  EXPECT_THAT(program.said(), HasSubstr("Extended master secret: yes"));
}

}  // namespace
}  // namespace wdc::dtls

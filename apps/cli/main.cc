// SPDX-License-Identifier: MIT
// wdc: the server and the page, and files to and from it. docs/command.md.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>

#include "apps/cli/file_receiver.h"
#include "apps/cli/file_sender.h"
#include "apps/server/program.h"
#include "wdc/native.h"

namespace {

using wdc::cli::Exchange;
using wdc::cli::Outcome;
using wdc::cli::Status;

constexpr const char* kVersion = WDC_VERSION;

/// 80 random bits, as the page makes them: without the letters that are taken for one another.
std::string new_room() {
  constexpr std::string_view kLetters = "abcdefghjkmnpqrstuvwxyz23456789_";
  std::random_device random;
  std::string room;
  while (room.size() < 16) room += kLetters[random() % kLetters.size()];
  return room;
}

/// Where the page is: installed, or as the build leaves it.
std::string page_folder() {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto* below : {"../share/wdc/web", "../../../web"})
    if (std::filesystem::exists(here / below / "index.html", error)) return (here / below).lexically_normal().string();
  return {};
}

int serve(int argc, char** argv) {
  std::vector<const char*> words{"wdc serve"};
  for (int i = 2; i < argc; ++i) words.push_back(argv[i]);
  const auto is_root = [](std::string_view word) { return word == "--root" || word.starts_with("--root="); };
  const auto page = page_folder();
  if (!page.empty() && std::ranges::none_of(words, is_root)) words.insert(words.end(), {"--root", page.c_str()});
  return wdc::server::run_program(words.front(), static_cast<int>(words.size()), words.data());
}

void print_json(const Outcome& outcome, const std::string& room) {
  boost::json::object line;
  line["ok"] = outcome.status == Status::done;
  line["room"] = room;
  if (outcome.status == Status::done) {
    line["file"] = outcome.file;
    line["bytes"] = outcome.bytes;
    line["sha256"] = outcome.sha256;
    line["seconds"] = outcome.seconds;
    line["MBps"] = outcome.seconds > 0 ? static_cast<double>(outcome.bytes) / 1e6 / outcome.seconds : 0;
  } else {
    line["error"] = outcome.error;
    line["status"] = static_cast<int>(outcome.status);
  }
  std::cout << boost::json::serialize(line) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && std::string_view(argv[1]) == "serve") return serve(argc, argv);

  CLI::App app("WebRTC data channels: the server and the page, and files to and from it", "wdc");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(0, 1);  // required, it would hide which word is no subcommand
  app.add_subcommand("serve", "Serve the page and the signaling of its rooms; wdc serve --help has the options");
  wdc::cli::Meeting meeting{.server = "http://127.0.0.1:8080", .room = {}};
  bool wants_json = false;
  std::string file;
  std::string folder = ".";
  auto* send = app.add_subcommand("send", "Send a file to the other member of a room");
  send->add_option("FILE", file, "What to send")->required();
  send->add_option("--room", meeting.room, "Name of the room, 1 to 64 of [A-Za-z0-9_-]; a new one if none is given");
  auto* receive = app.add_subcommand("receive", "Receive a file from the other member of a room");
  receive->add_option("ROOM", meeting.room, "Name of the room")->required();
  receive->add_option("--output", folder, "Folder for the file")->type_name("DIR")->capture_default_str();
  for (auto* command : {send, receive}) {
    command->add_option("--server", meeting.server, "The page's address, or a ws:// or wss:// URL")
        ->type_name("URL")
        ->capture_default_str();
    command->add_flag("--json", wants_json, "End with a line of JSON on standard output");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Status::usage);
  }

  if (app.get_subcommands().empty()) {
    std::cerr << "wdc: no subcommand\n" << app.help();
    return static_cast<int>(Status::usage);
  }

  wdc::EventLoop loop;
  const bool is_sending = send->parsed();
  if (is_sending && meeting.room.empty()) {
    meeting.room = new_room();
    std::cerr << "wdc: the other side: wdc receive " << meeting.room << " --server " << meeting.server << '\n';
    if (meeting.server.starts_with("http"))
      std::cerr << "wdc: or in a browser: " << meeting.server << "/?room=" << meeting.room << '\n';
  }
  const auto finish = [&](const Outcome& outcome) {
    if (outcome.status != Status::done) std::cerr << "wdc: " << outcome.error << '\n';
    if (outcome.status == Status::done && !is_sending) std::cerr << "wdc: received " << outcome.file << '\n';
    if (wants_json) print_json(outcome, meeting.room);
    return static_cast<int>(outcome.status);
  };
  std::unique_ptr<Exchange> exchange;
  const auto take = [&](auto opened) {
    if (!opened) return finish({.status = Status::failed_here, .error = opened.error()});
    exchange = std::move(*opened);
    return 0;
  };
  const int status = is_sending ? take(wdc::cli::FileSender::open(loop, meeting, file))
                                : take(wdc::cli::FileReceiver::open(loop, meeting, folder));
  if (exchange == nullptr) return status;

  auto running = wdc::spawn(loop, wdc::task_detail::stop_after(loop, exchange->run()));
  loop.run();
  return finish(running.take());
}

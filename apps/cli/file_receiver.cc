// SPDX-License-Identifier: MIT
#include "apps/cli/file_receiver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <utility>

namespace wdc::cli {
namespace {

/// "name (2).txt" and so on, for a name that is taken.
std::filesystem::path numbered(const std::filesystem::path& name, int number) {
  if (number == 1) return name;
  return name.stem().string() + " (" + std::to_string(number) + ")" + name.extension().string();
}

}  // namespace

std::expected<std::unique_ptr<FileReceiver>, std::string> FileReceiver::open(EventLoop& loop, Meeting meeting,
                                                                             const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return std::unexpected(folder.string() + ": not a folder");
  if (::access(folder.c_str(), W_OK) != 0) return std::unexpected(folder.string() + ": " + std::strerror(errno));
  return std::make_unique<FileReceiver>(loop, std::move(meeting), folder);
}

FileReceiver::~FileReceiver() {
  if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
}

bool FileReceiver::make_file() {
  unfinished_ = (folder_ / ".wdc-XXXXXX").string();
  const int file = ::mkostemp(unfinished_.data(), O_CLOEXEC);
  if (file < 0) {
    local_error_ = folder_.string() + ": " + std::strerror(errno);
    unfinished_.clear();
    return false;
  }
  file_.emplace(file);
  const auto mask = ::umask(0);
  ::umask(mask);
  ::fchmod(file, 0666 & ~mask);  // as of any file that is made here
  return true;
}

void FileReceiver::on_event(const transfer::Event& event) {
  if (const auto* offered = std::get_if<transfer::FileOffered>(&event); offered != nullptr && !file_) {
    name_ = offered->name;
    size_ = offered->size;
    std::cerr << "wdc: offered " << name_ << ", " << size_ << " bytes\n";
    if (!make_file()) return end(Status::failed_here, local_error_);
    started(size_);
    wants_file_ = true;
  }
  on_common_event(event);
}

Outcome FileReceiver::finish(const transfer::FileDone& done) {
  for (int number = 1;; ++number) {
    const auto path = folder_ / numbered(name_, number);
    if (::renameat2(AT_FDCWD, unfinished_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
      unfinished_.clear();
      return {.file = path.string(), .bytes = size_, .sha256 = transfer::to_hex(done.sha256)};
    }
    if (errno != EEXIST) return {.status = Status::failed_here, .error = path.string() + ": " + std::strerror(errno)};
  }
}

transfer::Answer FileReceiver::read(std::uint64_t, std::span<std::byte>) { return transfer::Answer::failed; }

transfer::Answer FileReceiver::write(std::uint32_t, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto size = ::write(file_->number(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      local_error_ = unfinished_ + ": " + std::strerror(errno);
      return transfer::Answer::failed;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return transfer::Answer::now;
}

}  // namespace wdc::cli

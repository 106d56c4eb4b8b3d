// SPDX-License-Identifier: MIT
#include "apps/cli/file_sender.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

namespace wdc::cli {

Descriptor::~Descriptor() { ::close(number_); }

std::expected<std::unique_ptr<FileSender>, std::string> FileSender::open(EventLoop& loop, Meeting meeting,
                                                                         const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(path + ": " + std::strerror(errno));
  auto sender = std::make_unique<FileSender>(loop, std::move(meeting), path, file, 0);
  struct stat status {};
  if (::fstat(file, &status) != 0) return std::unexpected(path + ": " + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return std::unexpected(path + ": not a file");
  sender->size_ = static_cast<std::uint64_t>(status.st_size);
  if (sender->size_ > transfer::kMaxFileBytes) return std::unexpected(path + ": larger than 1 TiB");
  return sender;
}

FileSender::FileSender(EventLoop& loop, Meeting meeting, std::string path, int file, std::uint64_t size)
    : Exchange(loop, std::move(meeting)), path_(std::move(path)), file_(file), size_(size) {}

void FileSender::begin() {
  const auto name = std::filesystem::path(path_).filename().string();
  (void)session().offer(size_, name, "application/octet-stream");
  std::cerr << "wdc: offered " << name << ", " << size_ << " bytes\n";
}

Outcome FileSender::finish(const transfer::FileDone& done) {
  return {.file = path_, .bytes = size_, .sha256 = transfer::to_hex(done.sha256)};
}

void FileSender::on_event(const transfer::Event& event) {
  if (std::holds_alternative<transfer::FileAccepted>(event)) started(size_);
  if (const auto* offered = std::get_if<transfer::FileOffered>(&event))
    std::cerr << "wdc: not taken: " << offered->name << ", which the other side offers\n";
  on_common_event(event);
}

transfer::Answer FileSender::read(std::uint64_t offset, std::span<std::byte> target) {
  while (!target.empty()) {
    const auto size = ::pread(file_.number(), target.data(), target.size(), static_cast<off_t>(offset));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) {
      local_error_ = path_ + ": " + (size == 0 ? "shorter than it was" : std::strerror(errno));
      return transfer::Answer::failed;
    }
    offset += static_cast<std::uint64_t>(size);
    target = target.subspan(static_cast<std::size_t>(size));
  }
  return transfer::Answer::now;
}

transfer::Answer FileSender::write(std::uint32_t, std::span<const std::byte>) { return transfer::Answer::failed; }

}  // namespace wdc::cli

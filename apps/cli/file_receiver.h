// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "apps/cli/exchange.h"
#include "apps/cli/file_sender.h"

namespace wdc::cli {

/// Takes the first file that is offered. It has its name only once it is whole; a file that is there already is kept.
class FileReceiver final : public Exchange {
 public:
  /// The error names the folder.
  [[nodiscard]] static std::expected<std::unique_ptr<FileReceiver>, std::string> open(
      EventLoop& loop, Meeting meeting, const std::filesystem::path& folder);
  FileReceiver(EventLoop& loop, Meeting meeting, std::filesystem::path folder)
      : Exchange(loop, std::move(meeting)), folder_(std::move(folder)) {}
  ~FileReceiver() override;

 private:
  void begin() override {}
  [[nodiscard]] Outcome finish(const transfer::FileDone& done) override;
  void on_event(const transfer::Event& event) override;
  [[nodiscard]] transfer::Answer read(std::uint64_t offset, std::span<std::byte> target) override;
  [[nodiscard]] transfer::Answer write(std::uint32_t id, std::span<const std::byte> bytes) override;
  [[nodiscard]] bool make_file();

  std::filesystem::path folder_;
  std::optional<Descriptor> file_;
  std::string unfinished_;  // the file's path until it is whole
  std::string name_;
  std::uint64_t size_ = 0;
};

}  // namespace wdc::cli

// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "apps/cli/exchange.h"

namespace wdc::cli {

/// An open file; closes it.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

/// Offers one file, and waits until it has arrived.
class FileSender final : public Exchange {
 public:
  /// The error names the path.
  [[nodiscard]] static std::expected<std::unique_ptr<FileSender>, std::string> open(EventLoop& loop, Meeting meeting,
                                                                                    const std::string& path);
  FileSender(EventLoop& loop, Meeting meeting, std::string path, int file, std::uint64_t size);

 private:
  void begin() override;
  [[nodiscard]] Outcome finish(const transfer::FileDone& done) override;
  void on_event(const transfer::Event& event) override;
  [[nodiscard]] transfer::Answer read(std::uint64_t offset, std::span<std::byte> target) override;
  [[nodiscard]] transfer::Answer write(std::uint32_t id, std::span<const std::byte> bytes) override;

  std::string path_;
  Descriptor file_;
  std::uint64_t size_;
};

}  // namespace wdc::cli

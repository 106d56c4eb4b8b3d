// SPDX-License-Identifier: MIT
#pragma once

#include <boost/beast/core/file_posix.hpp>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "apps/server/request_target.h"

namespace wdc::server {

// A file open for reading, with what its answer says of it.
struct StaticFile {
  boost::beast::file_posix file;
  std::uint64_t size;
  std::string etag;  // strong, with its quotes; from size and time of change
  std::string_view content_type;
};

struct NotFound {};
struct IsDirectory {};  // the path lacks its final slash

// The files under one folder. Symbolic links are followed as long as they stay in the folder; hidden files, pipes and
// devices are not there.
class StaticFiles {
 public:
  // The error names the folder and the reason.
  [[nodiscard]] static std::expected<StaticFiles, std::string> open(const std::string& root);

  [[nodiscard]] std::variant<StaticFile, NotFound, IsDirectory> find(const RequestTarget& target) const;

 private:
  explicit StaticFiles(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;  // canonical
};

[[nodiscard]] std::string_view content_type_of(std::string_view file_name);

// If-None-Match, RFC 9110 section 13.1.2: whether the list names the entity tag (or is "*"), compared weakly.
[[nodiscard]] bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace wdc::server

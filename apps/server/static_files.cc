// SPDX-License-Identifier: MIT
#include "apps/server/static_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ranges>

#include "apps/server/text.h"

namespace wdc::server {
namespace {

namespace fs = std::filesystem;

struct ContentType {
  std::string_view extension;
  std::string_view type;
};

constexpr std::array kContentTypes = {
    ContentType{".html", "text/html; charset=utf-8"},
    ContentType{".js", "text/javascript; charset=utf-8"},
    ContentType{".mjs", "text/javascript; charset=utf-8"},
    ContentType{".css", "text/css; charset=utf-8"},
    ContentType{".wasm", "application/wasm"},
    ContentType{".json", "application/json"},
    ContentType{".map", "application/json"},
    ContentType{".webmanifest", "application/manifest+json"},
    ContentType{".svg", "image/svg+xml"},
    ContentType{".png", "image/png"},
    ContentType{".jpg", "image/jpeg"},
    ContentType{".jpeg", "image/jpeg"},
    ContentType{".webp", "image/webp"},
    ContentType{".ico", "image/vnd.microsoft.icon"},
    ContentType{".woff2", "font/woff2"},
    ContentType{".txt", "text/plain; charset=utf-8"},
    ContentType{".md", "text/plain; charset=utf-8"},
    ContentType{".ts", "text/plain; charset=utf-8"},  // the sources that source maps name
};

// Below `root`, and no component of the way there hidden.
bool is_inside(const fs::path& path, const fs::path& root) {
  const auto [path_rest, root_rest] = std::mismatch(path.begin(), path.end(), root.begin(), root.end());
  if (root_rest != root.end()) return false;
  return std::none_of(path_rest, path.end(), [](const fs::path& part) { return part.native().starts_with('.'); });
}

}  // namespace

std::expected<StaticFiles, std::string> StaticFiles::open(const std::string& root) {
  std::error_code error;
  auto canonical = fs::canonical(root, error);
  if (!error && !fs::is_directory(canonical, error) && !error) error = std::make_error_code(std::errc::not_a_directory);
  if (error) return std::unexpected(concat("cannot serve folder \"", root, "\": ", error.message()));
  return StaticFiles(std::move(canonical));
}

std::variant<StaticFile, NotFound, IsDirectory> StaticFiles::find(const RequestTarget& target) const {
  fs::path wanted = root_;
  for (const auto& segment : target.segments) wanted /= segment;
  if (target.is_directory) wanted /= "index.html";
  std::error_code error;
  const auto path = fs::canonical(wanted, error);
  if (error || !is_inside(path, root_)) return NotFound{};

  // A pipe would block without O_NONBLOCK. The path is canonical: a link here now was put there in between.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return NotFound{};
  StaticFile out{.file = {}, .size = 0, .etag = {}, .content_type = content_type_of(path.native())};
  out.file.native_handle(descriptor);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return NotFound{};
  if (S_ISDIR(status.st_mode)) return IsDirectory{};
  if (!S_ISREG(status.st_mode)) return NotFound{};
  out.size = static_cast<std::uint64_t>(status.st_size);
  out.etag = concat("\"", out.size, "-", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec, "\"");
  return out;
}

std::string_view content_type_of(std::string_view file_name) {
  const auto found = std::ranges::find_if(
      kContentTypes, [file_name](const ContentType& item) { return file_name.ends_with(item.extension); });
  return found == kContentTypes.end() ? "application/octet-stream" : found->type;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  for (const auto part : std::views::split(if_none_match, ',')) {
    std::string_view item(part.begin(), part.end());
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    item = item.substr(0, item.find_last_not_of(" \t") + 1);
    if (item == "*") return true;
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == etag) return true;
  }
  return false;
}

}  // namespace wdc::server

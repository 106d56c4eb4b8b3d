// SPDX-License-Identifier: MIT
#include "apps/web/transfer/file_name.h"

#include <algorithm>
#include <array>

namespace wdc::transfer {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// Takes one character off the front of `text`; kReplacement for a byte that is not UTF-8 (RFC 3629).
char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const auto first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  char32_t character = length == 1 ? first : first & (0x7FU >> length);
  bool valid = first < 0x80 || (first >= 0xC2 && first <= 0xF4);
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = i < text.size() && (byte(i) & 0xC0U) == 0x80;
    if (valid) character = character << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (!valid || character < kSmallest[length] || surrogate || character > 0x10FFFF) {
    text.remove_prefix(1);
    return kReplacement;
  }
  text.remove_prefix(length);
  return character;
}

void append(std::string& text, char32_t character) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80) return add(character);
  if (character < 0x800) {
    add(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      add(0xE0 | character >> 12);
    } else {
      add(0xF0 | character >> 18);
      add(0x80 | (character >> 12 & 0x3F));
    }
    add(0x80 | (character >> 6 & 0x3F));
  }
  add(0x80 | (character & 0x3F));
}

/// Characters that change what a name looks like without being seen.
bool is_invisible(char32_t c) {
  const auto between = [c](char32_t low, char32_t high) { return c >= low && c <= high; };
  return c < 0x20 || between(0x7F, 0x9F) || c == 0x200B || between(0x200E, 0x200F) || between(0x2028, 0x202E) ||
         between(0x2060, 0x2069) || c == 0x061C || c == 0xFEFF;
}

bool is_device(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  std::ranges::transform(stem, stem.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  while (!stem.empty() && stem.back() == ' ') stem.pop_back();
  if (stem == "CON" || stem == "PRN" || stem == "AUX" || stem == "NUL") return true;
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && stem[3] >= '0' && stem[3] <= '9';
}

std::string_view trimmed(std::string_view name) {
  const auto first = name.find_first_not_of(". ");
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_not_of(". ") - first + 1);
}

}  // namespace

std::string_view cut_text(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80) --limit;
  return text.substr(0, limit);
}

std::string safe_file_name(std::string_view name) {
  if (const auto separator = name.find_last_of("/\\"); separator != std::string_view::npos) {
    name.remove_prefix(separator + 1);
  }
  std::string clean;
  while (!name.empty()) {
    const auto character = take_character(name);
    if (is_invisible(character)) continue;
    const bool reserved =
        character < 0x80 && std::string_view("<>:\"|?*").find(static_cast<char>(character)) != std::string_view::npos;
    append(clean, reserved ? U'_' : character);
  }
  std::string safe(trimmed(clean));
  if (safe.empty()) return "file";
  if (is_device(safe)) safe.insert(0, 1, '_');
  if (safe.size() > kMaxNameBytes) {
    constexpr std::size_t kLongestEnding = 16;
    const auto dot = safe.rfind('.');
    const auto ending =
        dot != std::string::npos && safe.size() - dot <= kLongestEnding ? safe.substr(dot) : std::string();
    safe = std::string(trimmed(cut_text(safe, kMaxNameBytes - ending.size()))) + ending;
  }
  return safe;
}

std::string safe_media_type(std::string_view type) {
  const auto plain = [](std::string_view part) {
    return !part.empty() && part.size() <= 127 && std::ranges::all_of(part, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$&-^_.+").find(c) != std::string_view::npos;
    });
  };
  const auto slash = type.find('/');
  if (slash == std::string_view::npos || !plain(type.substr(0, slash)) || !plain(type.substr(slash + 1))) {
    return "application/octet-stream";
  }
  return std::string(type);
}

}  // namespace wdc::transfer

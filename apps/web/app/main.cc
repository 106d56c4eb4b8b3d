// SPDX-License-Identifier: MIT
// The exports of the page's module. apps/web/README.md lists them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "apps/web/app/app.h"

namespace {

using wdc::app::App;
using wdc::transfer::Direction;
using wdc::transfer::Reason;

// Texts come in through here: a URL and a room, or a file's name and type.
std::array<char, 8'192> texts;

App& app() {
  static App& instance = *new App;  // lives as long as the page
  return instance;
}

std::string_view text(std::size_t offset, std::size_t length) {
  if (offset > texts.size() || length > texts.size() - offset) return {};
  return {texts.data() + offset, length};
}

Direction direction_of(std::int32_t number) { return number == 0 ? Direction::outgoing : Direction::incoming; }

}  // namespace

extern "C" {

[[clang::export_name("app_texts")]] char* app_texts() { return texts.data(); }
[[clang::export_name("app_texts_size")]] std::size_t app_texts_size() { return texts.size(); }
[[clang::export_name("app_start")]] void app_start(std::size_t url_length, std::size_t room_length) {
  app().start(std::string(text(0, url_length)), std::string(text(url_length, room_length)));
}
[[clang::export_name("app_stop")]] void app_stop() { app().stop(); }
[[clang::export_name("app_offer")]] std::int32_t app_offer(double size, std::size_t name_length,
                                                           std::size_t type_length) {
  return app().offer(size, text(0, name_length), text(name_length, type_length)) ? 1 : 0;
}
[[clang::export_name("app_accept")]] void app_accept() { app().accept(); }
[[clang::export_name("app_cancel")]] void app_cancel(std::int32_t direction, std::int32_t reason) {
  app().cancel(direction_of(direction), static_cast<Reason>(reason));
}
[[clang::export_name("app_readable")]] void app_readable() { app().handle_readable(); }
[[clang::export_name("app_put_away")]] void app_put_away(std::uint32_t id, double bytes) {
  app().handle_put_away(id, bytes);
}
[[clang::export_name("app_progress")]] double app_progress(std::int32_t direction) {
  return app().progress(direction_of(direction));
}

}  // extern "C"

// SPDX-License-Identifier: MIT
// What the page's C++ asks of its TypeScript: the import module `app`. apps/web/README.md lists both directions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wdc::app::page {

#define WDC_APP_IMPORT(name) [[clang::import_module("app"), clang::import_name(#name)]]

WDC_APP_IMPORT(connection) void connection(std::int32_t state, const char* text, std::size_t length) noexcept;
WDC_APP_IMPORT(offered)
void offered(double size, const char* name, std::size_t name_length, const char* type,
             std::size_t type_length) noexcept;
WDC_APP_IMPORT(transfer)
void transfer(std::int32_t direction, std::int32_t what, const char* text, std::size_t length) noexcept;
/// These two answer the numbers of transfer::Answer.
WDC_APP_IMPORT(read) std::int32_t read(double offset, std::byte* target, std::size_t length) noexcept;
WDC_APP_IMPORT(write) std::int32_t write(std::uint32_t id, const std::byte* bytes, std::size_t length) noexcept;

#undef WDC_APP_IMPORT

/// The numbers of `connection`.
enum class ConnectionState : std::int32_t { waiting = 0, ready = 1, ended = 2 };
/// The numbers of `transfer`.
enum class What : std::int32_t { accepted = 0, stopped_here = 1, stopped_by_peer = 2, done = 3 };

}  // namespace wdc::app::page

// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wdc::server {

// Whether a page of `origin` may open a WebSocket here. Its own origin may (same host and port as in `host`; a proxy in
// front may have ended TLS, so the scheme decides only the default port), the `allowed` ones may, "*" in there lets
// any.
[[nodiscard]] bool is_origin_allowed(std::string_view origin, std::string_view host,
                                     std::span<const std::string> allowed);

// Whether a Host header is a plain host with an optional port, fit to be repeated in another header.
[[nodiscard]] bool is_plain_host(std::string_view host);

}  // namespace wdc::server

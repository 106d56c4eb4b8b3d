// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace wdc::sctp {

/// DATA (RFC 9260) or I-DATA (RFC 8260): agreed once for an association, for both directions. With I-DATA fragments of
/// several messages may alternate; with DATA a message is cut to its end before the next one is begun.
enum class DataKind : std::uint8_t { data, i_data };

}  // namespace wdc::sctp

// SPDX-License-Identifier: MIT
#include "src/core/framed/framing_pointer.h"

// The module of the package's default entry: a page that speaks framed mode imports the entry `framed`.
bool wdc::core::framed::is_linked() noexcept { return false; }

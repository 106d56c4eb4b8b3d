// SPDX-License-Identifier: MIT
#pragma once

namespace wdc::browser {

/// A T of the module instance. `constinit`, so that nobody who uses it asks whether it is constructed; in a union, so
/// that nothing destroys it: what refers to it may outlive everything else.
template <class T>
union Immortal {
  constexpr Immortal() : value() {}
  constexpr ~Immortal() {}
  T value;
};

}  // namespace wdc::browser

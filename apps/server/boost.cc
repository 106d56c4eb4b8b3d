// SPDX-License-Identifier: MIT
//
// What Asio and Beast have to compile once: CMakeLists.txt tells the other files to leave it here.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>

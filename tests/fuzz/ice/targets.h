// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>

// Each traps where something that must hold does not.
namespace wdc::fuzz {

/// Reads a datagram as a STUN message.
void parse_stun(std::span<const std::byte> datagram);
/// Reads a candidate, writes it and reads it again.
void parse_candidate(std::span<const std::byte> text);
/// Reads a description as an offer and as an answer, writes it and answers it.
void parse_description(std::span<const std::byte> text);
/// Reads the bytes as calls of an agent and datagrams of a peer that knows the passwords.
void drive_agent(std::span<const std::byte> script);

}  // namespace wdc::fuzz

// SPDX-License-Identifier: MIT
#include "src/native/ice/agent.h"

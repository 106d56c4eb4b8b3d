// SPDX-License-Identifier: MIT
import config from '../eslint.config.js';

export default config;

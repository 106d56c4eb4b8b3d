// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/files.mjs';

/** The package's own send marks in bytes, { high, low }: the numbers of FlowOptions, where they are written down. */
export function readPackageMarks() {
  const text = readFileSync(join(root, 'include/wdc/options.h'), 'utf8');
  const read = (name) => {
    const match = new RegExp(`${name} = std::size_t\\{(\\d+)\\} << (\\d+);`).exec(text);
    if (!match) throw new Error(`include/wdc/options.h has no ${name} of the known form`);
    return Number(match[1]) * 2 ** Number(match[2]);
  };
  return { high: read('send_high_water_mark'), low: read('send_low_water_mark') };
}

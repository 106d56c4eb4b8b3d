// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

test('the declarations take what they should and refuse what they should not', { timeout: 120_000 }, () => {
  const path = (name) => fileURLToPath(new URL(name, import.meta.url));
  const { status, stdout } = spawnSync('node', [path('../../node_modules/typescript/bin/tsc'), '-p', path('tsconfig.json')], {
    encoding: 'utf8',
  });
  assert.equal(stdout, '');
  assert.equal(status, 0);
});

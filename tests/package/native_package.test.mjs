// SPDX-License-Identifier: MIT
//
// The native package: installed into a folder of its own, found by CMake and by pkg-config, and what is built with it runs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../../tools/files.mjs';
import { startServer } from '../../tools/server.mjs';

const run = promisify(execFile);
const build = join(root, 'build/native');
const example = (name) => join(root, 'examples', name);

let top;
let prefix;
let version;

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'wdc-package-'));
  version = JSON.parse(await readFile(join(root, 'js/package.json'), 'utf8')).version;
  // Installed in one place and moved to another: nothing in it may name the first.
  await run('cmake', ['--install', build, '--component', 'library', '--prefix', join(top, 'first')]);
  prefix = join(top, 'second');
  await rename(join(top, 'first'), prefix);
});
after(() => rm(top, { recursive: true, force: true }));

async function pkgConfig(...words) {
  const libraries = (await run('cmake', ['-LA', '-N', build])).stdout.match(/^CMAKE_INSTALL_LIBDIR:\w+=(.+)$/m)[1];
  const env = { ...process.env, PKG_CONFIG_PATH: join(prefix, libraries, 'pkgconfig') };
  const { stdout } = await run('pkg-config', [...words, 'wdc'], { env });
  return stdout.trim().split(/\s+/);
}

const flags = () => pkgConfig('--cflags', '--libs');

test('CMake finds the package, and what it builds talks to what is built with pkg-config', { timeout: 300_000 }, async () => {
  const tree = join(top, 'cmake');
  await run('cmake', ['-S', example('package'), '-B', tree, '-G', 'Ninja', `-DCMAKE_PREFIX_PATH=${prefix}`, '-DCMAKE_BUILD_TYPE=Release']);
  await run('cmake', ['--build', tree]);
  const say = join(top, 'say');
  await run('cc', ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', example('package/say.c'), '-o', say, ...(await flags())]);

  const server = await startServer({ directory: example('package'), options: ['--quiet'] });
  try {
    const url = `${server.url.replace('http:', 'ws:')}/ws`;
    const echoed = run(join(tree, 'echo'), [url, 'package']);
    const said = await run(say, [url, 'package', 'hello, package']);
    assert.equal(said.stdout, 'hello, package\n');
    await echoed; // ends with status 0 when the other side closes
  } finally {
    await server.stop();
  }
});

test('a wrong address ends a program of the package with an error that names it', async () => {
  const failure = await run(join(top, 'say'), ['ws://127.0.0.1:1/ws', 'room', 'text']).then(() => assert.fail('it met somebody'), (error) => error);
  assert.equal(failure.code, 1);
  assert.match(failure.stderr, /^say: signaling_unreachable: .*127\.0\.0\.1:1/);
});

test('a C11 program without CMake has two ends of its own, and no warning', { timeout: 120_000 }, async () => {
  const program = join(top, 'pair');
  await run('cc', ['-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', example('c_api/pair.c'), '-o', program, ...(await flags())]);
  const { stdout } = await run(program);
  assert.equal(stdout, `caller: 2 messages, closed\necho: 2 messages, closed\nversion ${version}\n`);
});

test('every door says the npm package\'s version', async () => {
  assert.deepEqual(await pkgConfig('--modversion'), [version]);
  const cache = await readFile(join(top, 'cmake/CMakeCache.txt'), 'utf8');
  const folder = /^wdc_DIR:PATH=(.+)$/m.exec(cache)[1];
  assert.equal(folder.startsWith(prefix), true);
  const said = await readFile(join(folder, 'wdcConfigVersion.cmake'), 'utf8');
  assert.equal(/set\(PACKAGE_VERSION "(.+)"\)/.exec(said)[1], version);
});

test('nothing that is installed names the folder it was built in', async () => {
  const { stdout } = await run('grep', ['-rlF', '--include=*.cmake', '--include=*.pc', '--include=*.h', root, prefix]).catch((error) => error);
  assert.equal(stdout, '');
});

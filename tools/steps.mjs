// SPDX-License-Identifier: MIT
//
// What ./test runs. A step:
//   name      what --only looks for and the log's name
//   run       commands, one after the other; the last one's output is counted. Words with a * are expanded as file
//             names, and a pattern that matches nothing fails the step.
//   count     how the counts are read (tools/counts.mjs): 'line' or 'node'
//   env       added to the environment
//   all       only with --all
//   minutes   the step is killed, and has failed, after this long (default 10)
//   needs     commands whose results it uses, made by earlier steps: --only runs them first
//   prepare   commands that may run ahead of the step, at idle priority, and begin again where they were stopped
//   waits     most of the step's time goes by waiting: what others are to prepare runs beside it

const jobs = '2';

const preset = (name) => [
  ['cmake', '--preset', name],
  ['cmake', '--build', '--preset', name, '-j', jobs],
];

const built = [...preset('native'), ...preset('wasm'), ['npm', 'run', 'build']];

const gtests = (name, { env = {}, select = [] } = {}) => ({
  name,
  prepare: preset(name),
  run: [...preset(name), ['node', 'tools/run_gtests.mjs', `build/${name}`, ...select]],
  count: 'line',
  env,
  minutes: 30, // to build all of it and run it, also where the machine is slow: the sanitizers take 15
});

const server = '^wdc_server';

const browser = (name) => ({
  name: `browser-${name}`,
  needs: built,
  run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/browser/*.test.mjs']],
  count: 'node',
  env: { WDC_BROWSER: name },
  minutes: 25,
  waits: true,
});

// The suite in a native program; what the far end is.
const conformance = (name, far, kinds) => ({
  name,
  needs: built,
  run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap',
    ...kinds.map((kind) => `tests/interop/native_conformance${kind}.test.mjs`)]],
  count: 'node',
  env: { WDC_FAR: far },
  minutes: 15,
  waits: true,
});
const homes = ['', '_framed', '_shared']; // plain, framed, and one port for all connections
const noSegments = '_without_segments'; // refused by the kernel
const noBatches = '_without_batches';

export const steps = [
  { name: 'tools', run: [['node', '--test', '--test-reporter=tap', 'tools/*.test.mjs']], count: 'node' },
  { name: 'layers-test', run: [['python3', 'tools/check_layers_test.py']], count: 'line' },
  { name: 'layers', run: [['python3', 'tools/check_layers.py']], count: 'line' },
  { name: 'format', run: [['node', 'tools/check_format.mjs']], count: 'line' },
  gtests('native', { select: ['-E', server] }),
  { ...gtests('native', { select: ['-R', server] }), name: 'server' },
  {
    name: 'wasm',
    run: [...preset('wasm'), ['npm', 'run', 'build'], ['node', 'tools/check_wasm.mjs', 'build/wasm', 'build/web']],
    count: 'line',
  },
  { name: 'lint', needs: built, run: [['node', 'tools/check_lint.mjs']], count: 'line' },
  {
    name: 'js',
    needs: built,
    run: [['node', '--test', '--test-reporter=tap', 'js/test/*.test.mjs']],
    count: 'node',
    env: { WDC_ALL_BUILT: '1' },
  },
  { name: 'package', needs: built, run: [['node', 'tools/check_package.mjs']], count: 'line' },
  {
    name: 'packing',
    needs: built,
    run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/packing/*.test.mjs']],
    count: 'node',
  },
  conformance('native-conformance', 'native', homes),
  conformance('native-chromium', 'chromium', homes),
  conformance('native-firefox', 'firefox', homes),
  conformance('native-refused', 'native', [noSegments, noBatches]),
  { ...conformance('native-chromium-refused', 'chromium', [noSegments]), all: true },
  { ...conformance('native-firefox-refused', 'firefox', [noBatches]), all: true },
  browser('chromium'),
  browser('firefox'),
  {
    name: 'npm-peers',
    needs: built,
    run: [['node', '--test', '--test-reporter=tap', 'tests/interop/npm_peers.test.mjs']],
    count: 'node',
  },
  {
    name: 'installed',
    needs: built,
    run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/package/*.test.mjs']],
    count: 'node',
  },
  {
    name: 'emscripten',
    needs: built,
    run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/emscripten/emscripten.test.mjs']],
    count: 'node',
  },
  { name: 'readme-text', run: [['python3', 'tools/readme_examples.py']], count: 'line' },
  {
    name: 'readme',
    needs: built,
    run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/readme/*.test.mjs']],
    count: 'node',
  },
  {
    name: 'run',
    run: [['node', '--test', '--test-concurrency=1', '--test-reporter=tap', 'tests/run/*.test.mjs']],
    count: 'node',
  },
  { ...gtests('clang'), all: true },
  {
    ...gtests('asan', {
      env: {
        ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    }),
    all: true,
  },
  { ...gtests('tsan', { env: { TSAN_OPTIONS: 'halt_on_error=1' } }), all: true },
  {
    name: 'tidy',
    run: [['cmake', '--preset', 'clang'], ['node', 'tools/check_tidy.mjs', 'build/clang']],
    count: 'line',
    all: true,
    minutes: 15,
  },
];

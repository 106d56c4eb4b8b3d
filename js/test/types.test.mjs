// SPDX-License-Identifier: MIT
//
// The declarations, read by every TypeScript that the package is for, in each way it looks for modules.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

const require = createRequire(import.meta.url);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const compilers = ['typescript-5.4', 'typescript-5.6', 'typescript-5.7', 'typescript'];
const resolutions = [['nodenext', 'nodenext'], ['node16', 'node16'], ['esnext', 'bundler']];
const settings = {
  noEmit: true, strict: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, skipLibCheck: false, types: [],
};
const libraries = ['es2022', 'dom', 'dom.iterable'];

/** What the compiler has to say of all files but its own; those are read once for all its programs. */
function faults(ts, [module, moduleResolution], names, own) {
  const { options, errors } = ts.convertCompilerOptionsFromJson({
    ...settings, target: 'es2022', lib: libraries, module, moduleResolution,
  }, path('.'));
  assert.deepEqual(errors, []);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (name, ...more) => {
    if (!/[/\\]lib\.[\w.]+\.d\.ts$/.test(name)) return read.call(host, name, ...more);
    if (!own.has(name)) own.set(name, read.call(host, name, ...more));
    return own.get(name);
  };
  const program = ts.createProgram(names.map(path), options, host);
  const files = program.getSourceFiles().filter((file) => !program.isSourceFileDefaultLibrary(file));
  assert.ok(files.some(({ fileName }) => fileName.endsWith('dist/wasm_data_channel.d.ts')), 'it found the package');
  const found = [
    ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return ts.formatDiagnostics(found, {
    getCanonicalFileName: (name) => name, getCurrentDirectory: () => path('.'), getNewLine: () => '\n',
  });
}

const forVersion = (version) => {
  const [major, minor] = version.split('.').map(Number);
  return major > 5 || minor >= 7 ? ['types.ts', 'types_since_5_7.ts'] : ['types.ts'];
};

for (const compiler of compilers) {
  const { version } = require(`${compiler}/package.json`);
  test(`TypeScript ${version} takes what it should and refuses what it should not`, { timeout: 120_000 }, async (t) => {
    const ts = require(compiler);
    const own = new Map();
    for (const resolution of resolutions) {
      await t.test(resolution.join(', '), () => assert.equal(faults(ts, resolution, forVersion(version), own), ''));
    }
  });
}

// From version 7 on there is only the command.
const { version: latest } = require('typescript-7/package.json');
test(`TypeScript ${latest} takes what it should and refuses what it should not`, { timeout: 120_000 }, async (t) => {
  const flags = Object.entries(settings).filter(([, value]) => value === true).map(([name]) => `--${name}`);
  for (const [module, moduleResolution] of resolutions) {
    await t.test(`${module}, ${moduleResolution}`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [
        path('../../node_modules/typescript-7/bin/tsc'), '--ignoreConfig', ...flags, '--types', '', '--target', 'es2022',
        '--lib', libraries.join(), '--module', module, '--moduleResolution', moduleResolution, ...forVersion(latest),
      ], { cwd: path('.'), encoding: 'utf8' });
      assert.equal(stdout + stderr, '');
      assert.equal(status, 0);
    });
  }
});

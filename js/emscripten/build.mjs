// SPDX-License-Identifier: MIT
//
// build.mjs FILE   makes the host of docs/wire/host.md a library for `emcc --js-library FILE`. It is the host of the npm
// package: the same source, one for each module instance. What C++ imports under a name of docs/wire/host.md is here
// wdc_host_NAME, because the names of Emscripten's libraries are those of C.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';
import { withQuotedNames, withoutPrivateNames } from './closed_names.mjs';

const js = fileURLToPath(new URL('..', import.meta.url));
const root = join(js, '..');
const [output] = process.argv.slice(2);
if (output === undefined) {
  console.error('usage: node js/emscripten/build.mjs FILE');
  process.exit(2);
}

const declarations = readFileSync(join(root, 'src/browser/host_imports.h'), 'utf8');
const imports = importsOf(declarations);
const exports = exportsOf(readFileSync(join(js, 'src/host/module_exports.ts'), 'utf8'));
const host = await bundledHost();
checkImports(Object.keys(await hostImports(host)));
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, library());

/** What C++ declares, as [name, signature of a JavaScript library]. */
function importsOf(header) {
  const kinds = { void: 'v', double: 'd' };
  const typed = [...header.matchAll(/WDC_IMPORT\((\w+)\)\s*([\w:]+) \1\(([^)]*)\);/g)];
  return typed.map(([, name, result, parameters]) => {
    const kind = (type) => kinds[type] ?? 'i';
    const list = parameters.trim() === '' ? [] : parameters.split(',');
    return [name, kind(result) + list.map((parameter) => kind(parameter.trim().split(/\s+/)[0])).join('')];
  });
}

/** What the host calls, as [name, number of parameters]. */
function exportsOf(source) {
  const result = [];
  const visit = (node) => {
    if (ts.isPropertySignature(node) && node.name.text.startsWith('wdc_')) {
      result.push([node.name.text, node.type.parameters.length]);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('module_exports.ts', source, ts.ScriptTarget.Latest));
  return result;
}

/** The host as the body of a function that returns createHost. */
async function bundledHost() {
  const privateNames = {
    name: 'private-names',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: withoutPrivateNames(readFileSync(path, 'utf8'), path), loader: 'ts',
      }));
    },
  };
  const { outputFiles: [file] } = await build({
    absWorkingDir: js,
    entryPoints: ['src/host.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    target: ['es2017'], // the optimisers of older Emscriptens know nothing later
    charset: 'ascii',
    legalComments: 'none',
    // Fields as assignments, for the same reason.
    tsconfigRaw: { compilerOptions: { target: 'es2022', useDefineForClassFields: false } },
    plugins: [privateNames],
  });
  const quoted = withQuotedNames(file.text, 'host.js');
  const body = quoted.replace(/export \{\s*createHost\s*\};/, 'return createHost;');
  if (body === quoted) throw new Error('the bundle does not end with its export');
  if (body.includes('{{{') || /^\s*#/m.test(body)) throw new Error("the bundle has what Emscripten's preprocessor takes for its own");
  return body;
}

async function hostImports(body) {
  return new Function(body)()().imports.wdc;
}

function checkImports(implemented) {
  const declared = imports.map(([name]) => name);
  const missing = declared.filter((name) => !implemented.includes(name));
  const unknown = implemented.filter((name) => !declared.includes(name));
  const counted = [...declarations.matchAll(/^WDC_IMPORT\(/gm)].length;
  if (missing.length > 0 || unknown.length > 0 || counted !== declared.length) {
    throw new Error(`host_imports.h and the host differ: only declared: ${missing.join(' ') || 'none'}; only implemented: `
      + `${unknown.join(' ') || 'none'}; ${counted - declared.length} not understood`);
  }
}

/** The exports that an import makes the host call, by the group of its name. */
function groupOf(name) {
  const group = /^(?:wdc_)?(channel|peer|pipe|ice)_/.exec(name)?.[1];
  return { channel: 'Channel', peer: 'Peer', ice: 'Peer', pipe: 'Pipe' }[group] ?? 'Loop';
}

function library() {
  const names = (count) => Array.from({ length: count }, (_, index) => `a${index + 1}`).join(', ');
  // A trap says WebAssembly.RuntimeError by itself. exit(), abort() and a main loop that unwinds the stack throw what they
  // like; they, too, skip destructors and leave the C++ state unknown.
  const exported = ([name, count]) => `wdcEntries["${name}"] = function(${names(count)}) {
  if (ABORT) throw new WebAssembly.RuntimeError("the program has aborted");
  try {
    return _${name}(${names(count)});
  } catch (error) {
    throw wdcEnd(error);
  }
}`;
  const group = (prefix) => exports.filter(([name]) => groupOf(name) === prefix);
  const groups = ['Loop', 'Channel', 'Peer', 'Pipe'].map((prefix) => `
  $wdc${prefix}Exports__deps: ['$wdcEntries', '$wdcEnd', ${group(prefix).map(([name]) => `'${name}'`).join(', ')}],
  $wdc${prefix}Exports__postset: ${JSON.stringify(group(prefix).map(exported).join(';\n'))},
  $wdc${prefix}Exports: function() {},
`);
  const functions = imports.map(([name, signature]) => `
  wdc_host_${name}__sig: '${signature}',
  wdc_host_${name}__deps: ['$wdcImports', '$wdc${groupOf(name)}Exports'],
  wdc_host_${name}: function(${names(signature.length - 1)}) {
    ${signature[0] === 'v' ? '' : 'return '}wdcImports()["${name}"](${names(signature.length - 1)});
  },
`);
  return `// SPDX-License-Identifier: MIT
// Generated by js/emscripten/build.mjs: the host of webrtc_data_channel, for emcc --js-library.
#if MEMORY64
throw new Error('webrtc_data_channel: MEMORY64 is not supported');
#endif
mergeInto(LibraryManager.library, {
  $wdcBundle__docs: '/** @suppress {checkTypes} */',
  $wdcBundle: function() {
${host}
  },

  // What the host calls; filled by those of the groups below that the program contains.
  $wdcEntries: '={}',
  $wdcEnd: function(error) {
    if (error === "unwind") return new WebAssembly.RuntimeError("the program unwound its stack");
    if (error && error["name"] === "ExitStatus") {
      return new WebAssembly.RuntimeError("the program ended with exit code " + error["status"]);
    }
    return error;
  },
${groups.join('')}
  // Suspended stacks. Asyncify and JSPI keep them unseen by the host, which must not enter C++ meanwhile.
  $wdcSuspensions: '={ "count": 0, "resumed": function() {} }',
#if ASYNCIFY == 2
  $wdcIsSuspended__deps: ['$wdcSuspensions', '$Asyncify'],
  $wdcIsSuspended__postset: ${JSON.stringify(`(function() {
  var handleAsync = Asyncify.handleAsync;
  Asyncify.handleAsync = async function(startAsync) {
    wdcSuspensions["count"]++;
    try {
      return await handleAsync(startAsync);
    } finally {
      wdcSuspensions["count"]--;
      wdcSuspensions["resumed"]();
    }
  };
})()`)},
  $wdcIsSuspended: function() {
    return wdcSuspensions["count"] > 0;
  },
#else
#if ASYNCIFY
  $wdcIsSuspended__deps: ['$wdcSuspensions', '$Asyncify'],
  $wdcIsSuspended__postset: 'Asyncify.sleepCallbacks.push(function() { wdcSuspensions["resumed"](); })',
  $wdcIsSuspended: function() {
    return !!Asyncify.currData;
  },
#else
  $wdcIsSuspended__deps: ['$wdcSuspensions'],
  $wdcIsSuspended: function() {
    return false;
  },
#endif
#endif

  // The host of this module instance, made on first use: Module.wdcHost() in JavaScript.
  $wdcState: '={ "host": null, "imports": null }',
  $wdcHost__deps: ['$wdcState', '$wdcBundle', '$wdcEntries', '$wdcLoopExports', '$wdcSuspensions', '$wdcIsSuspended'],
  $wdcHost__postset: 'Module["wdcHost"] = wdcHost',
  $wdcHost: function() {
    if (!wdcState["host"]) {
      var host = wdcBundle()({
        "isSuspended": wdcIsSuspended,
        "onResumed": function(listener) { wdcSuspensions["resumed"] = listener; },
      });
      // Emscripten renews its views when memory grows; constructors and main() are its own affair.
      wdcEntries["memory"] = { get ["buffer"]() { return HEAPU8.buffer; } };
      host["bind"]({ "exports": wdcEntries });
      wdcState["host"] = host;
    }
    return wdcState["host"];
  },
  $wdcImports__deps: ['$wdcState', '$wdcHost'],
  $wdcImports: function() {
    if (!wdcState["imports"]) wdcState["imports"] = wdcHost()["imports"]["wdc"];
    return wdcState["imports"];
  },
${functions.join('')}
  // For include/wdc/emscripten.h: values of embind in and out of slots.
  wdc_host_slot_from_js__sig: 'ii',
  wdc_host_slot_from_js__deps: ['$wdcHost', '$Emval'],
  wdc_host_slot_from_js: function(handle) {
    return wdcHost()["putSlot"](Emval.toValue(handle));
  },
  wdc_host_slot_to_js__sig: 'ii',
  wdc_host_slot_to_js__deps: ['$wdcHost', '$Emval'],
  wdc_host_slot_to_js: function(slot) {
    return Emval.toHandle(wdcHost()["takeSlot"](slot));
  },
});
`;
}

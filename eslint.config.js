// SPDX-License-Identifier: MIT
import { fileURLToPath } from 'node:url';
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

// import.meta.dirname is newer than Node 18.
const root = fileURLToPath(new URL('.', import.meta.url));

const nodeGlobals = Object.fromEntries(
  [
    'AbortController', 'AbortSignal', 'Blob', 'Buffer', 'BroadcastChannel', 'EventTarget', 'MessageChannel',
    'TextDecoder', 'TextEncoder', 'URL', 'WebAssembly', 'clearInterval', 'clearTimeout', 'console', 'fetch',
    'performance', 'process', 'queueMicrotask', 'setImmediate', 'setInterval', 'setTimeout', 'structuredClone',
  ].map((name) => [name, 'readonly']),
);
// Scripts for Node hold functions that run in a page.
const browserGlobals = Object.fromEntries(
  [
    'CustomEvent', 'Event', 'MutationObserver', 'RTCPeerConnection', 'SharedArrayBuffer', 'TransformStream', 'WebSocket',
    'Worker', 'atob', 'btoa', 'crypto', 'document', 'globalThis', 'location', 'navigator', 'requestAnimationFrame', 'self', 'window',
  ].map((name) => [name, 'readonly']),
);

export default tseslint.config(
  { ignores: ['build/', '**/node_modules/', '**/dist/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      // Numbers in error texts are the point of them.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { ...nodeGlobals, ...browserGlobals } },
    rules: { 'no-unused-vars': ['error', { varsIgnorePattern: '^_' }] },
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': 'off',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
);

// SPDX-License-Identifier: MIT
//
// The same package with framed mode (docs/framed.md) in its WebAssembly; the default entry is smaller without.
export * from './index.js';

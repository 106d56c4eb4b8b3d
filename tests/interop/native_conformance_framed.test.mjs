// SPDX-License-Identifier: MIT
//
// The conformance suite natively in framed mode.
process.env.WDC_FRAMED = '1';
await import('./native_conformance.test.mjs');

// SPDX-License-Identifier: MIT
//
// The conformance suite in framed mode: conformance.test.mjs with the npm package at the far end of its channels.
process.env.WDC_FRAMED = '1';
await import('./conformance.test.mjs');

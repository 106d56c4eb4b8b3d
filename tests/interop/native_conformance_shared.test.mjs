// SPDX-License-Identifier: MIT
//
// The conformance suite's cases about connections natively, all of them on one UDP port.
process.env.WDC_PORTS = 'shared';
process.env.WDC_CASES ??= 'connect';
await import('./native_conformance.test.mjs');

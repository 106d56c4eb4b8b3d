// SPDX-License-Identifier: MIT
//
// The conformance suite natively on a kernel that refuses UDP's segmentation offload.
process.env.WDC_REFUSED = 'segments';
await import('./native_conformance.test.mjs');

// SPDX-License-Identifier: MIT
//
// The conformance suite natively on a kernel that refuses UDP's segmentation offload, and sendmmsg and recvmmsg.
process.env.WDC_REFUSED = 'batches';
await import('./native_conformance.test.mjs');

// SPDX-License-Identifier: MIT

/** Some of what the host mends is wrong in Chromium only. */
export const isChromium = typeof navigator === 'object' && /Chrom(e|ium)\//.test(navigator.userAgent);

// SPDX-License-Identifier: MIT

const ascending = (a, b) => a - b;

/** The q-quantile, 0 to 1, interpolated between neighbours; NaN of nothing. */
export function quantile(values, q) {
  const sorted = [...values].sort(ascending);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  if (sorted.length === 0) return NaN;
  return sorted[below] + (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]) * (position - below);
}

export const median = (values) => quantile(values, 0.5);

// xorshift32: resampling gives the same figure for the same values.
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/**
 * One-sided 95 % lower bound of the median by the percentile bootstrap: the 5 % quantile of the medians of samples drawn
 * with replacement.
 */
export function bootstrapLowerBound(values, { resamples = 10_000, seed = 20_240_229 } = {}) {
  const random = generator(seed);
  const medians = new Float64Array(resamples);
  for (let index = 0; index < resamples; index += 1) {
    medians[index] = median(values.map(() => values[Math.floor(random() * values.length)]));
  }
  return quantile(medians, 0.05);
}

/** Of one triple's three rates: what the middle one reaches of the mean of its neighbours, and the last of the first. */
export function tripleRatios([before, middle, after]) {
  return { ratio: middle / ((before + after) / 2), rawToRaw: after / before };
}

/** A raw run below this part of the median of all raw runs did not show what the channel can do. */
const collapsedBelow = 0.6;

/** Whether a triple's first or last rate has collapsed, by the rates of all raw runs beside it. */
export function hasCollapsed([before, , after], rawRates) {
  return Math.min(before, after) < collapsedBelow * median(rawRates);
}

// SPDX-License-Identifier: MIT

const interval = 10; // milliseconds

/** Watches how long the page's timers are held up. stop() gives the longest time between two ticks, in ms. */
export function watchTimers() {
  let last = performance.now();
  let longest = 0;
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, interval);
  return {
    stop() {
      clearInterval(timer);
      tick(); // the gap that is still open
      return longest;
    },
  };
}

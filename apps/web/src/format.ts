// SPDX-License-Identifier: MIT

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Three significant digits: 999 B, 1.50 MB, 23.4 MB, 512 MB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)}\u00a0${units[unit] ?? 'B'}`; // a number is not torn from its unit
}

export const formatRate = (bytesPerSecond: number): string => `${formatBytes(bytesPerSecond)}/s`;

export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Estimates are not worth tenths. */
export function formatRemaining(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  return seconds < 10 ? `${Math.ceil(seconds)} s` : formatDuration(seconds);
}

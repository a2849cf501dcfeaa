/** Figures of a benchmark as tables write them. */

/** `12.3 µs`, `4.56 ms`, `1.23 s`: three digits. */
export function formatTime(seconds: number): string {
  for (const [unit, suffix] of [[1, "s"], [1e-3, "ms"]] as const) {
    if (seconds >= unit * 0.9995) return `${digits(seconds / unit)} ${suffix}`;
  }
  return `${digits(seconds * 1e6)} µs`;
}

/** A rate with three digits, thousands unabbreviated. */
export function formatRate(rate: number): string {
  return rate === 0 ? "-" : digits(rate);
}

function digits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** Percent of the limit: `0.8`, `42`, `103`. */
export function formatShare(percent: number): string {
  return percent.toFixed(percent < 9.95 ? 1 : 0);
}

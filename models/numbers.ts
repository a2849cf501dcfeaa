/** Numbers as people read them, in the terminal, the report and the page alike. */
import { counted } from "./errors.ts";

/** `109,492,237` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `12`, `9.8k`, `1.2M`: three digits at most. */
export function formatShort(value: number): string {
  for (const [unit, suffix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= unit * 0.9995) {
      const scaled = value / unit;
      return `${scaled.toFixed(scaled < 9.95 ? 1 : 0)}${suffix}`;
    }
  }
  return value.toFixed(0);
}

/** Seconds as `9s`, `2m05s`, `1h02m`, `3d04h`; `?` where they are not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "?";
  if (seconds < 0.05) return "0s";
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const pair = (large: number, big: string, small: number, little: string) =>
    `${large}${big}${String(small).padStart(2, "0")}${little}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "m", whole % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
  const hours = Math.round(seconds / 3600);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** `100 %`, `0.14 %`: four digits at most. */
export function formatPercent(percent: number): string {
  return `${percent >= 99.995 ? "100" : percent.toFixed(percent < 10 ? 2 : 1)} %`;
}

/** A learning rate: `2e-5`, `1.25e-4`, `0`. */
export function formatRate(rate: number): string {
  if (rate === 0) return "0";
  return rate.toExponential(2).replace(/\.?0+e/, "e").replace("e+0", "");
}

/** `1 row`, `1,404 rows`; `many` is the plural where an s does not make it. */
export const countOf = (count: number, one: string, many?: string): string =>
  counted(count, one, many, formatCount);

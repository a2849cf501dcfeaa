/** Where a step's time goes, as a table: see engine/profile.ts. */
import type { KernelShare } from "../engine/profile.ts";
import { type Column, renderTable } from "../cli/shared/table.ts";
import { formatShare, formatTime } from "../kernelbench/format.ts";

/** The part of a profile that matrix products take, from 0 to 1. */
export function matmulShare(shares: readonly KernelShare[]): number {
  const sum = (some: readonly KernelShare[]) =>
    some.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return sum(shares.filter(({ kernel }) => kernel.startsWith("matmul"))) / sum(shares);
}

const columns: Column[] = [
  { title: "Kernel" },
  { title: "Launches", right: true },
  { title: "Time", right: true },
  { title: "%", right: true },
];

/** Lines of at most 80 columns. */
export function profileTable(shares: readonly KernelShare[]): string[] {
  const total = shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return renderTable(
    columns,
    shares.map(({ kernel, launches, milliseconds }) => [
      kernel,
      String(launches),
      formatTime(milliseconds / 1000),
      formatShare(100 * milliseconds / total),
    ]),
  );
}

/** The roofline table: how near each kernel comes to what the adapter can do. */
import { type Column, renderTable } from "../cli/shared/table.ts";
import type { Ceilings } from "../kernelbench/roofline.ts";
import { formatRate, formatShare, formatTime } from "../kernelbench/format.ts";
import type { KernelRow } from "../kernelbench/kernel_bench.ts";

/** A column, and from which width of the table on it is shown. */
interface Choice extends Column {
  from: number;
  cell(row: KernelRow): string;
}

const choices: Choice[] = [
  { title: "Kernel", shrinks: true, from: 0, cell: ({ kernel }) => kernel },
  { title: "Shape", from: 0, cell: ({ shape }) => shape },
  { title: "Time", right: true, from: 0, cell: ({ seconds }) => formatTime(seconds) },
  { title: "GFLOP/s", right: true, from: 0, cell: ({ gflops }) => formatRate(gflops) },
  { title: "GB/s", right: true, from: 0, cell: ({ gbps }) => formatRate(gbps) },
  { title: "Limit", from: 90, cell: ({ limit }) => limit === "memory" ? "bytes" : "flops" },
  { title: "%", right: true, from: 0, cell: ({ percent }) => formatShare(percent) },
  { title: "of limit", from: 100, cell: ({ percent }) => bar(percent) },
];

/** Parts of the bar. */
const barWidth = 10;

/** Lines at most `width` columns wide; the wider, the more columns. */
export function kernelTable(rows: readonly KernelRow[], width: number): string[] {
  const shown = choices.filter(({ from }) => width >= from);
  return renderTable(shown, rows.map((row) => shown.map(({ cell }) => cell(row))), width);
}

/** The ceilings in a sentence or two. */
export function ceilingLines({ flopsPerSecond, copies }: Ceilings): string[] {
  const rates = copies.map(({ bytes, bytesPerSecond }) =>
    `${formatRate(bytesPerSecond / 1e9)} GB/s over ${bytes >> 20} MiB`
  );
  return [
    `Multiply-adds  ${formatRate(flopsPerSecond / 1e9)} GFLOP/s`,
    `Copy           ${rates.join(", ")}`,
  ];
}

/** 100 % fills the bar. */
function bar(percent: number): string {
  const filled = Math.round(Math.min(percent, 100) / 100 * barWidth);
  return "█".repeat(filled) + "·".repeat(barWidth - filled);
}

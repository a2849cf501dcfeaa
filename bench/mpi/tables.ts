/** Tables of what several ranks take, measured and predicted. */
import { formatBytes, formatCount } from "../../cli/shared/format.ts";
import { type Column, renderTable } from "../../cli/shared/table.ts";
import { formatTime } from "../../kernelbench/format.ts";
import type { CopyRow, ReductionRow, SharedStepRow } from "../schema.ts";
import { type Network, reductionSeconds, strongSpeedup, type Terms, weakSpeedup } from "./model.ts";

const right = true;
const time = (milliseconds: number) => formatTime(milliseconds / 1000);
const rateOf = (bytes: number, milliseconds: number) =>
  `${formatBytes(Math.round(bytes / milliseconds * 1000))}/s`;

/** Sums by size, beside what the model makes of a network, where one is given. */
export function reductionTable(
  rows: readonly ReductionRow[],
  network: Network | undefined,
  width: number,
): string[] {
  const columns: Column[] = [
    { title: "Bytes", right },
    { title: "Sum", right },
    { title: "Fastest", right },
    { title: "Bytes a second", right },
    ...(network ? [{ title: "Model", right }] : []),
  ];
  return renderTable(
    columns,
    rows.map(({ ranks, bytes, milliseconds, fastestMilliseconds }) => [
      formatBytes(bytes),
      time(milliseconds),
      time(fastestMilliseconds),
      rateOf(bytes, milliseconds),
      ...(network ? [formatTime(reductionSeconds(ranks, bytes, network))] : []),
    ]),
    width,
  );
}

export function copyTable(rows: readonly CopyRow[], width: number): string[] {
  const columns: Column[] = [
    { title: "Bytes", right },
    { title: "To the host and back", right },
    { title: "Fastest", right },
    { title: "Bytes a second", right },
  ];
  return renderTable(
    columns,
    rows.map(({ bytes, milliseconds, fastestMilliseconds }) => [
      formatBytes(bytes),
      time(milliseconds),
      time(fastestMilliseconds),
      rateOf(bytes, milliseconds),
    ]),
    width,
  );
}

/** Steps, and which share of each is sums, with waiting for the slowest rank. */
export function sharedStepTable(rows: readonly SharedStepRow[], width: number): string[] {
  const columns: Column[] = [
    { title: "Model" },
    { title: "Method" },
    { title: "Ranks", right },
    { title: "Batch", right },
    { title: "Step", right },
    { title: "Sums", right },
    { title: "Summed", right },
  ];
  const share = (part: number, all: number) => `${formatCount(100 * part / all)} %`;
  return renderTable(
    columns,
    rows.map((row) => [
      row.model,
      row.method,
      `${row.ranks}`,
      `${row.batch}`,
      time(row.milliseconds),
      share(row.sumMilliseconds, row.milliseconds),
      formatBytes(row.bytes),
    ]),
    width,
  );
}

/** Numbers of ranks that are predicted. */
export const predictedRanks = [2, 4, 8, 16, 32, 64];

/** Speed-ups over one rank, a line for each method and network; `weak` where the batch grows with the ranks. */
export function predictionTable(
  methods: readonly { name: string; terms: Omit<Terms, "network"> }[],
  networks: readonly Network[],
  scaling: "strong" | "weak",
  width: number,
): string[] {
  const speedup = scaling === "weak" ? weakSpeedup : strongSpeedup;
  const columns: Column[] = [
    { title: "Network" },
    { title: "Method" },
    { title: "Summed", right },
    ...predictedRanks.map((ranks) => ({ title: `${ranks}`, right })),
  ];
  const rows = networks.flatMap((network) =>
    methods.map(({ name, terms }) => [
      network.name,
      name,
      formatBytes(terms.bytes),
      ...predictedRanks.map((ranks) => speedup(ranks, { ...terms, network }).toPrecision(2)),
    ])
  );
  return renderTable(columns, rows, width);
}

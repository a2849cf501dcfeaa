/** The table of training steps, and the points that are timed by default. */
import { formatBytes, formatCount } from "../cli/shared/format.ts";
import { type Column, renderTable } from "../cli/shared/table.ts";
import { formatTime } from "../kernelbench/format.ts";
import type { StepRow } from "./schema.ts";
import { type Length, modelNames, type Point } from "./step_bench.ts";

/** A column, and from which width of the table on it is shown. */
interface Choice extends Column {
  from: number;
  cell(row: StepRow): string;
}

const right = true;
const time = (milliseconds: number | null) =>
  milliseconds === null ? "-" : formatTime(milliseconds / 1000);

const choices: Choice[] = [
  { title: "Model", from: 0, cell: ({ model }) => model },
  { title: "Method", from: 0, cell: ({ method }) => method },
  { title: "Batch", right, from: 0, cell: ({ batch }) => String(batch) },
  { title: "Length", right, from: 0, cell: ({ length }) => String(length) },
  { title: "Step", right, from: 0, cell: ({ milliseconds }) => time(milliseconds) },
  { title: "Tokens/s", right, from: 0, cell: (row) => formatCount(row.tokensPerSecond) },
  {
    title: "Launches",
    right,
    from: 0,
    cell: ({ dispatches }) => dispatches === null ? "-" : formatCount(dispatches),
  },
  { title: "Record", right, from: 0, cell: (row) => time(row.recordMilliseconds) },
  { title: "Submit", right, from: 90, cell: (row) => time(row.submitMilliseconds) },
  {
    title: "Peak",
    right,
    from: 0,
    cell: ({ peakBytes }) => peakBytes === null ? "-" : formatBytes(peakBytes),
  },
];

/** Lines at most `width` columns wide. */
export function stepTable(rows: readonly StepRow[], width: number): string[] {
  const shown = choices.filter(({ from }) => width >= from);
  return renderTable(shown, rows.map((row) => shown.map(({ cell }) => cell(row))), width);
}

export interface PointFlags {
  models?: Point["model"][];
  methods?: Point["method"][];
  batches?: number[];
  lengths?: Length[];
  /** Every batch with every length, where it is not one after the other. */
  grid: boolean;
}

const sweeps = { batches: [4, 8, 16, 32, 64], lengths: [8, 16, 32, 64, 128, 256, 512] };
/** The point at which both sweeps cross: the original's batch, sentences of some 20 tokens. */
const middle: { batch: number; length: Length } = { batch: 16, length: 32 };

/**
 * The points to time: batch and length are swept one at a time through 16 × 32, or as a grid. Unless batches
 * or lengths are named, the narrow model has one point, and bert-base on a software adapter, where it takes
 * seconds a step.
 */
export function pointsOf(flags: PointFlags, software: boolean): Point[] {
  const points: Point[] = [];
  for (const model of flags.models ?? modelNames) {
    const single = (model === "narrow" || software && model === "base") && !flags.grid;
    const named = flags.batches ?? flags.lengths;
    const pairs = single && !named
      ? [{ batch: 16, length: "emotion" as const }]
      : pairsOf(flags.batches, flags.lengths, flags.grid);
    for (const method of flags.methods ?? ["full", "lora", "adapter"]) {
      points.push(...pairs.map((pair) => ({ model, method, ...pair })));
    }
  }
  return points;
}

function pairsOf(
  batches: number[] | undefined,
  lengths: Length[] | undefined,
  grid: boolean,
): { batch: number; length: Length }[] {
  const product = (some: number[], others: Length[]) =>
    some.flatMap((batch) => others.map((length) => ({ batch, length })));
  if (grid) return product(batches ?? sweeps.batches, lengths ?? sweeps.lengths);
  if (batches && lengths) return product(batches, lengths);
  if (batches) return product(batches, [middle.length]);
  if (lengths) return product([middle.batch], lengths);
  const byLength = product([middle.batch], sweeps.lengths);
  return [
    ...product(sweeps.batches.filter((batch) => batch !== middle.batch), [middle.length]),
    ...byLength,
  ];
}

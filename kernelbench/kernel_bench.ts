/** Times the kernels of the catalogue: for `deno task bench`, and for the page on its reader's GPU. */
import type { Device } from "../engine/device.ts";
import { createTimer, measure, type Timer } from "../engine/timing.ts";
import { capture, type Launch } from "./capture.ts";
import type { Case, Row } from "./cases.ts";
import { measureCeilings } from "./ceilings.ts";
import { Maker } from "./maker.ts";
import { type Ceilings, type Cost, type Standing, standing } from "./roofline.ts";

/** A kernel's time and rates; bench/README.md says what each field means. */
export interface KernelRow extends Cost, Standing {
  kernel: string;
  shape: string;
  seconds: number;
  spread: number;
  repeats: number;
  launches: number;
}

/** What was measured, and how; nothing of the machine. */
export interface KernelTimes {
  timing: Timer["method"];
  ceilings: Ceilings;
  results: KernelRow[];
}

export interface KernelBenchOptions {
  cases: Case[];
  /** Rows whose kernel or note contains this. */
  filter?: string;
  samples?: number;
  report?: (row: KernelRow) => void;
  /** Measured unless given. */
  ceilings?: Ceilings;
  /** Asked after every row; the rest is left out where it says so. */
  stopRequested?: () => boolean;
}

/** Ceilings first, then every row that the filter lets through. */
export async function benchKernels(
  device: Device,
  { cases, filter = "", samples, report, ceilings: known, stopRequested = () => false }:
    KernelBenchOptions,
): Promise<KernelTimes> {
  const timer = await createTimer(device);
  try {
    const wanted = (row: Row) => rowTitle(row).includes(filter);
    const chosen = cases.filter(({ rows }) => rows.some(wanted));
    const largest = Math.max(0, ...chosen.flatMap(({ rows }) => rows.map(({ bytes }) => bytes)));
    const ceilings = known ?? await measureCeilings(device, timer, largest);
    const results: KernelRow[] = [];
    for (const each of chosen) {
      if (stopRequested()) break;
      const make = new Maker(device);
      try {
        device.beginStep(0, 0);
        const { groups } = groupLaunches(each.rows, capture(device, () => each.run(make)));
        for (const { row, launches } of groups) {
          if (!wanted(row) || launches.length === 0 || stopRequested()) continue;
          const run = () => launches.forEach((launch) => launch.again());
          const { seconds, spread, repeats } = await measure(timer, run, { samples });
          const result = {
            kernel: rowTitle(row),
            shape: row.shape,
            seconds,
            spread,
            repeats,
            launches: launches.length,
            flops: row.flops,
            bytes: row.bytes,
            ...standing(ceilings, row, seconds),
          };
          results.push(result);
          report?.(result);
        }
      } finally {
        make.destroy();
      }
    }
    return { timing: timer.method, ceilings, results };
  } finally {
    timer.destroy();
  }
}

/** `matmul.NT + LoRA`: an entry point called main goes without saying. */
export function rowTitle({ kernel, note }: Row): string {
  return `${kernel.replace(/\.main$/, "")}${note ? ` ${note}` : ""}`;
}

/**
 * Assigns launches to rows: each takes the next row of its kernel, or, where there is none left, joins the
 * last. What no row names goes with the launch after it; rows that nothing launches have no launches.
 */
export function groupLaunches(
  rows: Row[],
  launches: Launch[],
): { groups: { row: Row; launches: Launch[] }[]; unknown: string[] } {
  const groups = rows.map((row): { row: Row; launches: Launch[] } => ({ row, launches: [] }));
  const unknown: Launch[] = [];
  let waiting: Launch[] = [];
  for (const launch of launches) {
    const same = groups.filter(({ row }) => [row.kernel, row.or].includes(launch.kernel));
    const group = same.find((each) => each.launches.length === 0) ?? same.at(-1);
    if (!group) {
      unknown.push(launch);
      waiting.push(launch);
      continue;
    }
    if (group.row.kernel !== launch.kernel) group.row = { ...group.row, kernel: launch.kernel };
    group.launches.push(...waiting, launch);
    waiting = [];
  }
  return { groups, unknown: unknown.map(({ kernel }) => kernel) };
}

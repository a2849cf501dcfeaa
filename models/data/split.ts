/** Stratified train, validation and test parts. */
import { domains, HostRandom } from "../../engine/random.ts";
import { listed, UserError } from "../errors.ts";
import type { Example } from "./clean.ts";

/** 80 % of each class for training, 10 % for choosing the best epoch, 10 % for the final test. */
export interface Split {
  train: Example[];
  validation: Example[];
  test: Example[];
}

/** Each part must hold a row of every class. */
const fewestRows = 3;

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Row numbers of each class, in the data's order. */
function rowsByClass(examples: readonly Example[], classes: number): number[][] {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (const [row, { label }] of examples.entries()) rows[label].push(row);
  return rows;
}

/**
 * How many rows of each class to keep so that `total` remain in the classes' proportions: the
 * largest remainders are rounded up, and no class falls below three rows.
 */
export function proportionalCounts(counts: readonly number[], total: number): number[] {
  const kept = new Map<number, number>();
  for (;;) {
    const free = [...counts.keys()].filter((index) => !kept.has(index));
    const rowsLeft = total - fewestRows * kept.size;
    const countLeft = free.reduce((sum, index) => sum + counts[index], 0);
    const share = (index: number) => (rowsLeft * counts[index]) / countLeft;
    const small = free.filter((index) => share(index) < fewestRows);
    if (small.length > 0) {
      for (const index of small) kept.set(index, fewestRows);
      continue;
    }
    for (const index of free) kept.set(index, Math.floor(share(index)));
    const missing = total - [...kept.values()].reduce((sum, count) => sum + count, 0);
    const remainder = (index: number) => share(index) - Math.floor(share(index));
    free.sort((a, b) => remainder(b) - remainder(a) || a - b);
    for (const index of free.slice(0, missing)) kept.set(index, kept.get(index)! + 1);
    return counts.map((_, index) => kept.get(index)!);
  }
}

/**
 * Splits by seed, each class for itself: a tenth (rounded, at least one row) to validation, the same
 * to test, the rest to training; each part in the data's order. `maxSamples` first keeps so many
 * rows, drawn by seed in the classes' proportions. Throws a `UserError` that names the classes with
 * fewer than three rows, or where `maxSamples` cannot hold three rows of each.
 */
export function stratifiedSplit(
  dataset: { labels: readonly string[]; examples: readonly Example[] },
  options: { seed: number; maxSamples?: number },
): Split {
  const { labels, examples } = dataset;
  const { seed, maxSamples } = options;
  let classes = rowsByClass(examples, labels.length);
  const tooSmall = [...labels.keys()].filter((label) => classes[label].length < fewestRows);
  if (tooSmall.length > 0) {
    const named = tooSmall.map((label) =>
      `"${labels[label]}" (${plural(classes[label].length, "row")})`
    );
    throw new UserError(
      `Every class needs at least ${fewestRows} rows, one for each of training, validation and ` +
        `test. Too few: ${listed(named, 10)}. Add rows to these classes, or leave them out.`,
    );
  }
  if (maxSamples !== undefined && maxSamples < examples.length) {
    if (maxSamples < fewestRows * labels.length) {
      throw new UserError(
        `A sample of ${plural(maxSamples, "row")} is too small for ${labels.length} classes with ` +
          `at least ${fewestRows} rows each.`,
        { exitCode: 2, remedy: { kind: "moreSamples", least: fewestRows * labels.length } },
      );
    }
    const counts = proportionalCounts(classes.map((rows) => rows.length), maxSamples);
    const random = new HostRandom(seed, domains.sample);
    classes = classes.map((rows, label) => random.shuffle(rows).slice(0, counts[label]));
  }
  const random = new HostRandom(seed, domains.split);
  const parts: Record<keyof Split, number[][]> = { train: [], validation: [], test: [] };
  for (const rows of classes) {
    const shuffled = random.shuffle(rows);
    const tenth = Math.max(1, Math.round(rows.length / 10));
    parts.validation.push(shuffled.slice(0, tenth));
    parts.test.push(shuffled.slice(tenth, 2 * tenth));
    parts.train.push(shuffled.slice(2 * tenth));
  }
  const inOrder = (rows: number[][]) =>
    rows.flat().sort((a, b) => a - b).map((row) => examples[row]);
  return {
    train: inOrder(parts.train),
    validation: inOrder(parts.validation),
    test: inOrder(parts.test),
  };
}

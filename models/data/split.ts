/** Train, validation and test parts: given ones as they are, the others cut from train in the classes' proportions. */
import { domains, HostRandom } from "../../engine/random.ts";
import { counted, listed, UserError } from "../errors.ts";
import type { Example } from "./clean.ts";
import type { Dataset } from "./load.ts";
import { type PartName, partNames } from "./part_names.ts";

/** For training, for choosing the best epoch, and for the final test. */
export type Split = Record<PartName, Example[]>;

/** Where nothing is given, each of the three parts must hold a row of every class. */
const fewestRows = 3;

/** Rows of a part of the data, by class. */
type ByClass = Example[][];

/** The examples of each class, in the data's order. */
function byClass(examples: readonly Example[], classes: number): ByClass {
  const rows: ByClass = Array.from({ length: classes }, () => []);
  for (const example of examples) rows[example.label].push(example);
  return rows;
}

/**
 * How many rows of each class to keep so that `total` remain in the classes' proportions: the
 * largest remainders are rounded up, and no class falls below three rows, or what `fewest` says of it.
 */
export function proportionalCounts(
  counts: readonly number[],
  total: number,
  fewest: readonly number[] = counts.map(() => fewestRows),
): number[] {
  const kept = new Map<number, number>();
  for (;;) {
    const free = [...counts.keys()].filter((index) => !kept.has(index));
    const rowsLeft = total - [...kept.values()].reduce((sum, count) => sum + count, 0);
    const countLeft = free.reduce((sum, index) => sum + counts[index], 0);
    const share = (index: number) => countLeft === 0 ? 0 : (rowsLeft * counts[index]) / countLeft;
    const small = free.filter((index) => share(index) < fewest[index]);
    if (small.length > 0) {
      for (const index of small) kept.set(index, fewest[index]);
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

const sum = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** Keeps `maxSamples` rows, parts and classes in proportion; `fewest` of each class of a part. */
function sampled(
  parts: ReadonlyMap<PartName, ByClass>,
  maxSamples: number,
  fewestOf: (part: PartName, rows: number) => number,
  random: HostRandom,
): Map<PartName, ByClass> {
  const counts = [...parts].map(([, classes]) => classes.map(({ length }) => length));
  const fewest = [...parts].map(([part, classes]) =>
    classes.map(({ length }) => Math.min(length, fewestOf(part, length)))
  );
  const least = sum(fewest.map(sum));
  if (maxSamples < least) {
    const classes = counts[0].length;
    throw new UserError(
      parts.size === 1
        ? `A sample of ${counted(maxSamples, "row")} is too small for ${classes} classes with ` +
          `at least ${fewestRows} rows each.`
        : `A sample of ${
          counted(maxSamples, "row")
        } is too small for ${classes} classes, of which ` +
          `each part keeps those that it has: that takes ${least}.`,
      { exitCode: 2, remedy: { kind: "moreSamples", least } },
    );
  }
  const totals = proportionalCounts(counts.map(sum), maxSamples, fewest.map(sum));
  return new Map([...parts].map(([part, classes], index) => {
    const kept = proportionalCounts(counts[index], totals[index], fewest[index]);
    return [part, classes.map((rows, label) => random.shuffle(rows).slice(0, kept[label]))];
  }));
}

/** Throws where a class has too few rows to be in all three parts. */
function checkRows(classes: ByClass, labels: readonly string[]): void {
  const tooSmall = [...labels.keys()].filter((label) => classes[label].length < fewestRows);
  if (tooSmall.length === 0) return;
  const named = tooSmall.map((label) =>
    `"${labels[label]}" (${counted(classes[label].length, "row")})`
  );
  throw new UserError(
    `Every class needs at least ${fewestRows} rows, one for each of training, validation and ` +
      `test. Too few: ${listed(named, 10)}. Add rows to these classes, or leave them out.`,
  );
}

/**
 * Splits by seed, each class for itself: of the training data a tenth (rounded, at least one row) goes to validation where
 * none is given, the same to test where none is, the rest to training; each part in the data's order. Where one of both is given, a
 * class with a single row is left to training. `maxSamples` first keeps so many rows, drawn by seed in the proportions of
 * parts and classes. Throws a `UserError` that names the classes with fewer than three rows where nothing is given, or
 * where `maxSamples` cannot hold what every class needs.
 */
export function stratifiedSplit(
  { labels, examples, given }: Pick<Dataset, "labels" | "examples" | "given">,
  { seed, maxSamples }: { seed: number; maxSamples?: number },
): Split {
  const counts = given ?? { train: examples.length, validation: 0, test: 0 };
  const isGiven = (part: PartName) => part === "train" || counts[part] > 0;
  const cut = partNames.filter((part) => !isGiven(part));
  let from = 0;
  let parts = new Map(
    partNames.map((part) =>
      [part, byClass(examples.slice(from, from += counts[part]), labels.length)] as const
    ).filter(([part]) => isGiven(part)),
  );
  if (given === undefined) checkRows(parts.get("train")!, labels);
  if (maxSamples !== undefined && maxSamples < examples.length) {
    const fewestOf = (part: PartName) => part === "train" ? 1 + cut.length : 1;
    parts = sampled(parts, maxSamples, fewestOf, new HostRandom(seed, domains.sample));
  }
  const random = new HostRandom(seed, domains.split);
  const pieces: Record<PartName, Example[][]> = { train: [], validation: [], test: [] };
  for (const [part, classes] of parts) {
    if (part !== "train" || cut.length === 0) pieces[part] = classes;
  }
  for (const rows of cut.length === 0 ? [] : parts.get("train")!) {
    const tenth = rows.length <= cut.length ? 0 : Math.max(1, Math.round(rows.length / 10));
    const shuffled = random.shuffle(rows);
    for (const [index, part] of cut.entries()) {
      pieces[part].push(shuffled.slice(index * tenth, (index + 1) * tenth));
    }
    pieces.train.push(shuffled.slice(cut.length * tenth));
  }
  const place = new Map(examples.map((example, index) => [example, index]));
  const inOrder = (part: PartName) => {
    const rows = pieces[part].flat();
    if (rows.length > 0) return rows.sort((a, b) => place.get(a)! - place.get(b)!);
    const kept = counted(counts.train, "training row");
    throw new UserError(
      `There is no row for ${part}: none is given, and no class has one to spare among ` +
        `${kept}. Add rows, or a file for it.`,
    );
  };
  return { train: inOrder("train"), validation: inOrder("validation"), test: inOrder("test") };
}

/** The comparison of an experiment's runs: which can be compared, in what order, how they differ, and what chance has in it. */
import { counted } from "../../../models/errors.ts";
import {
  type Answers,
  bootstrapScores,
  comparePair,
  type Difference,
  interval95,
  type Scores,
} from "../../../models/training/significance.ts";
import { mean } from "../../../models/training/metrics.ts";
import { methodNames } from "../../../models/peft/methods.ts";
import { formatRate } from "../../shared/format.ts";
import type { Baseline } from "./baselines.ts";
import { type ComparedRun, groupOf, isTuned, readAnswers } from "./compared_run.ts";

/** A figure over a row's seeds. */
export interface Spread {
  mean: number;
  /** Of the sample of seeds; undefined for one. */
  deviation?: number;
}

/** A method in one configuration: its run, or its runs under several seeds. */
export interface ComparedRow {
  name: string;
  runs: ComparedRun[];
  /** `LoRA`, or `LoRA tuned` where its learning rate was searched for. */
  label: string;
  config: string;
  accuracy: Spread;
  macroF1: Spread;
  /** 95 % intervals: by the bootstrap over rows and seeds, or Wilson's where a run has kept no answers. */
  accuracyInterval: [number, number];
  macroF1Interval?: [number, number];
}

/** Two rows, the better first. */
export interface ComparedPair extends Difference {
  first: string;
  second: string;
}

export interface Comparison {
  model: string;
  dataset: string;
  notices: string[];
  /** Sentences on what to keep in mind, e.g. different learning rates. */
  notes: string[];
  /** One by one, in the rows' order. */
  runs: ComparedRun[];
  rows: ComparedRow[];
  /** What costs nothing, or nearly: the majority class first. */
  baselines: Baseline[];
  /** All pairs of rows whose answers were kept. */
  pairs: ComparedPair[];
  /** Runs of the folder that were trained on other data or with other hyperparameters. */
  leftOut: { run: string; reason: string }[];
}

/** The seed of a run's split; one seed did for split and training at first. */
const splitSeedOf = ({ dataset, hyperparameters }: ComparedRun) =>
  dataset.split.seed ?? hyperparameters.seed;

/** Why two runs cannot stand in one table, or undefined; learning rate and training's seed may differ. */
function difference(run: ComparedRun, other: ComparedRun): string | undefined {
  if (run.model.name !== other.model.name) return `model ${other.model.name}`;
  const { random_start, continued_from } = run.model;
  if (random_start !== other.model.random_start || continued_from !== other.model.continued_from) {
    return "another start of the weights";
  }
  if (run.dataset.hash !== other.dataset.hash) return `data set ${other.dataset.name}`;
  const { split } = run.dataset;
  const theirs = other.dataset.split;
  if ((["train", "validation", "test"] as const).some((part) => split[part] !== theirs[part])) {
    return counted(theirs.train + theirs.validation + theirs.test, "row");
  }
  if (splitSeedOf(run) !== splitSeedOf(other)) {
    return `another split, of seed ${splitSeedOf(other)}`;
  }
  const names = Object.keys({ ...run.hyperparameters, ...other.hyperparameters });
  const text = (name: string) =>
    name in other.hyperparameters ? `${name} ${other.hyperparameters[name]}` : `no ${name}`;
  const changed = names.filter((name) =>
    !["learning_rate", "seed"].includes(name) &&
    run.hyperparameters[name] !== other.hyperparameters[name]
  );
  return changed.length === 0 ? undefined : changed.map(text).join(", ");
}

/** Why a run is no further seed of its method: the others, the reference before all, were trained at one rate that is not its own. */
function otherRate(reference: ComparedRun, run: ComparedRun, others: ComparedRun[]) {
  const seed = [reference, ...others].find((other) => groupOf(other) === groupOf(run));
  if (seed === undefined || isTuned(run) || learningRate(seed) === learningRate(run)) return;
  return `learning_rate ${formatRate(learningRate(run))}, and ${seed.run} ${
    formatRate(learningRate(seed))
  }`;
}

function byMethodAndSize(a: ComparedRun, b: ComparedRun): number {
  return methodNames.indexOf(a.method) - methodNames.indexOf(b.method) ||
    a.trainable_params - b.trainable_params || groupOf(a).localeCompare(groupOf(b)) ||
    (a.hyperparameters.seed ?? 0) - (b.hyperparameters.seed ?? 0) || a.run.localeCompare(b.run);
}

const learningRate = (run: ComparedRun) => run.hyperparameters.learning_rate;

/** `Learning rates: Full 2e-5, LoRA 5e-4.`, by run where a method was trained at several. */
function describeRates(runs: ComparedRun[]): string {
  const parts = methodNames.flatMap((method) => {
    const group = runs.filter((run) => run.method === method);
    const shared = new Set(group.map(learningRate)).size === 1;
    const named = shared ? group.slice(0, 1) : group;
    return named.map((run) => `${shared ? run.label : run.run} ${formatRate(learningRate(run))}`);
  });
  return `Learning rates: ${parts.join(", ")}.`;
}

function spreadOf(values: readonly number[]): Spread {
  const average = mean(values);
  if (values.length === 1) return { mean: average };
  const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
  return { mean: average, deviation: Math.sqrt(squares / (values.length - 1)) };
}

function rowOf(name: string, runs: ComparedRun[]): ComparedRow {
  const [first] = runs;
  return {
    name,
    runs,
    label: isTuned(first) ? `${first.label} tuned` : first.label,
    config: first.config,
    accuracy: spreadOf(runs.map(({ test }) => test.accuracy)),
    macroF1: spreadOf(runs.map(({ test }) => test.macro_f1)),
    accuracyInterval: first.test.accuracy_interval_95,
  };
}

/** Rows of one method that differ in their learning rate alone, as a sweep has them, say which is theirs. */
function tellRates(rows: ComparedRow[]): void {
  const nameOf = ({ label, config }: ComparedRow) => `${label} ${config}`;
  for (const alike of Map.groupBy(rows, nameOf).values()) {
    if (alike.length === 1) continue;
    for (const row of alike) row.label += ` ${formatRate(learningRate(row.runs[0]))}`;
  }
}

/** The comparison of runs with those that `reference` (one of them) can be compared with, without answers or baselines. */
export function compareRuns(reference: ComparedRun, all: ComparedRun[]): Comparison {
  const runs: ComparedRun[] = [];
  const leftOut: Comparison["leftOut"] = [];
  for (const run of all.toSorted(byMethodAndSize)) {
    const reason = difference(reference, run) ?? otherRate(reference, run, runs);
    if (reason === undefined) runs.push(run);
    else leftOut.push({ run: run.run, reason });
  }
  const notes: string[] = [];
  const untuned = runs.filter((run) => !isTuned(run));
  if (new Set(untuned.map(learningRate)).size > 1) notes.push(describeRates(untuned));
  const tuned = new Map(
    runs.filter(isTuned).map((run) => [groupOf(run), formatRate(learningRate(run))]),
  );
  if (tuned.size > 0) {
    const found = [...tuned].map(([name, rate]) => `${name} ${rate}`);
    notes.push(`Learning rates found on the validation part: ${found.join(", ")}.`);
  }
  const adapters = new Set(runs.map((run) => run.adapter.description));
  if (adapters.size > 1) {
    notes.push(`Times are of different GPUs: ${[...adapters].join("; ")}.`);
  }
  const slower = runs.filter((run) => run.gradient_checkpointing);
  if (slower.length > 0 && slower.length < runs.length) {
    const names = slower.map(({ run }) => run).join(", ");
    notes.push(`Times of ${names} are with gradient checkpointing, which takes longer.`);
  }
  const rows = [...Map.groupBy(runs, groupOf)].map(([name, members]) => rowOf(name, members));
  tellRates(rows);
  return {
    model: reference.model.name,
    dataset: reference.dataset.name,
    notices: [...new Set(runs.flatMap((run) => run.notices))],
    notes,
    runs,
    rows,
    baselines: [],
    pairs: [],
    leftOut,
  };
}

/** Adds baselines, those of the same rows, and says which rows are no better than the majority class. */
export function addBaselines(comparison: Comparison, baselines: Baseline[]): void {
  comparison.baselines = baselines;
  const [majority] = baselines;
  const beaten = comparison.rows.filter(({ accuracy }) => accuracy.mean <= majority.accuracy);
  if (beaten.length === 0) return;
  comparison.notes.push(
    `No better than always answering "${majority.config}" (accuracy ` +
      `${majority.accuracy.toFixed(4)}): ${beaten.map(({ name }) => name).join(", ")}.`,
  );
}

/** Fills in what follows from the answers that the runs have kept: intervals, pairs, and who is told apart from the best. */
export async function addSignificance(comparison: Comparison): Promise<void> {
  const { rows, runs: [run] } = comparison;
  const labels = run.test.per_class.map(({ label }) => label);
  const answered: { row: ComparedRow; answers: Answers }[] = [];
  for (const row of rows) {
    const read = await Promise.all(row.runs.map((run) => readAnswers(run, labels)));
    const kept = read.filter((each) => each !== undefined);
    if (kept.length < read.length) continue;
    const { actual } = kept[0];
    const predicted = kept.map((each) => each.predicted);
    answered.push({ row, answers: { actual, predicted, classes: labels.length } });
  }
  const [sameRows = []] = [
    ...Map.groupBy(answered, ({ answers }) => answers.actual.join()).values(),
  ]
    .sort((a, b) => b.length - a.length);
  const without = rows.filter((row) => !sameRows.some((each) => each.row === row));
  if (without.length > 0 && rows.length > 1) {
    const names = without.map(({ name }) => name).join(", ");
    comparison.notes.push(
      `Not compared by pairs, since no predictions.jsonl of the same rows is there: ${names}.`,
    );
  }
  if (sameRows.length === 0) return;
  const scores = bootstrapScores(sameRows.map(({ answers }) => answers));
  for (const [index, { row }] of sameRows.entries()) {
    const [low, high] = interval95(scores[index].accuracy.drawn);
    // Where all answers are right, or none, drawing them again tells nothing: Wilson's stays.
    if (low < high) row.accuracyInterval = [low, high];
    row.macroF1Interval = interval95(scores[index].macroF1.drawn);
  }
  comparison.pairs = pairsOf(sameRows.map((each, index) => ({ ...each, scores: scores[index] })));
  if (without.length > 0) return; // which may be the best
  const sentence = describePairs(comparison, sameRows[0].answers.actual.length);
  if (sentence !== undefined) comparison.notes.push(sentence);
}

/** The best is as in the report: the highest accuracy, and of several the one that trains least. */
function pairsOf(
  methods: readonly { row: ComparedRow; answers: Answers; scores: Scores }[],
): ComparedPair[] {
  const trainable = ({ row: { runs: [run] } }: { row: ComparedRow }) => run.trainable_params;
  const ordered = methods.toSorted((a, b) =>
    b.row.accuracy.mean - a.row.accuracy.mean || trainable(a) - trainable(b)
  );
  return ordered.flatMap((first, index) =>
    ordered.slice(index + 1).map((second) => ({
      first: first.row.name,
      second: second.row.name,
      ...comparePair(first, second),
    }))
  );
}

/** Which rows the test part does not tell apart from the best one. */
function describePairs({ pairs }: Comparison, count: number): string | undefined {
  const [best] = pairs;
  if (best === undefined) return undefined;
  const close = pairs.filter(({ first, toldApart }) => first === best.first && !toldApart);
  const rows = counted(count, "row");
  if (close.length === 0) return `${best.first} is best, told apart from all others by ${rows}.`;
  const names = close.map(({ second }) => second);
  const last = names.pop()!;
  const listed = names.length === 0 ? last : `${names.join(", ")} and ${last}`;
  return `Best by accuracy is ${best.first}; ${listed} ${
    close.length === 1 ? "is" : "are"
  } not told ` +
    `apart from it by ${rows}.`;
}

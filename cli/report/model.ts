/** From runs as they were read to what the page shows: comparisons of runs that met the same test sentences. */
import { methodNames } from "../../models/peft/methods.ts";
import { macroF1Interval } from "./intervals.ts";
import type { ReadExperiments, ReadRun } from "./read.ts";
import { comparedBaselines, type Method, methodsOf, type Pair, pairsOf } from "./methods.ts";
import type { ComparedMethods, Trial } from "./schema.ts";
import { type Verdict, verdict } from "./verdict.ts";

export interface ShownRun extends Omit<ReadRun, "experiment"> {
  /** For people, unlike those beside it: `LoRA r=8`. */
  name: string;
  macroF1Interval?: [number, number];
}

/** A setting in which runs differ, and its values by run; undefined where a run does not tell it. */
export interface Difference {
  name: string;
  values: (ShownRun["fields"]["hyperparameters"][string] | undefined)[];
}

/** The learning rates that were tried for a method. */
export interface Search {
  method: string;
  trials: Trial[];
}

/** Runs with the same test part. */
export interface Comparison {
  title: string;
  runs: ShownRun[];
  verdict: Verdict;
  /** Index of the best method's run; of several seeds' the one with the highest accuracy. */
  best: number;
  /** The runs by method, those of several seeds together. */
  methods: Method[];
  /** Of methods whose answers were kept, the better first. */
  pairs: Pair[];
  /** What no fine-tuned model should be below. */
  baselines: ComparedMethods["baselines"];
  searches: Search[];
  /** The accuracy of always answering the most frequent label. */
  baseline?: number;
  /** Hyperparameters in which the runs differ. */
  differences: Difference[];
  /** Sentences to keep in mind. */
  notes: string[];
}

export interface Report {
  title: string;
  comparisons: Comparison[];
  problems: string[];
}

/** Runs whose keys are equal were tested on the same sentences, as far as their files tell. */
function testKey({ experiment, fields: { dataset, hyperparameters } }: ReadRun): string {
  const { hash, split, max_samples } = dataset;
  const parts = split && [split.train, split.validation, split.test];
  const seed = split?.seed ?? hyperparameters.seed; // one seed did for split and training at first
  // An older file without a hash is comparable only within its experiment.
  return JSON.stringify([hash ?? [experiment], parts, max_samples, seed]);
}

const place = (method: string) => {
  const index = methodNames.findIndex((name) => name === method);
  return index < 0 ? methodNames.length : index;
};

function inOrder(a: ReadRun, b: ReadRun): number {
  return place(a.fields.method) - place(b.fields.method) ||
    a.fields.trainable_params - b.fields.trainable_params ||
    a.fields.run.localeCompare(b.fields.run) || a.folder.localeCompare(b.folder);
}

const isUnique = (names: readonly string[]) => new Set(names).size === names.length;

/** What folders have beside their common beginning. */
function endings(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => folder.split(/[\\/]+/));
  let same = 0;
  while (paths.every((path) => path.length > same + 1 && path[same] === paths[0][same])) same++;
  return paths.map((path) => path.slice(same).join("/"));
}

/** The shortest names that tell all runs apart, by what they are, what they differ in, or where they lie. */
function namesOf(runs: readonly ReadRun[], differences: readonly Difference[]): string[] {
  const labels = runs.map(({ fields: { label, config } }) =>
    config === "-" ? label : `${label} ${config}`
  );
  const settings = runs.map((_, index) =>
    differences.map(({ name, values }) => `${name} ${values[index] ?? "–"}`).join(", ")
  );
  const tries = [
    labels,
    runs.map(({ fields: { run } }) => run),
    ...(differences.length <= 2 ? [labels.map((name, at) => `${name}, ${settings[at]}`)] : []),
    labels.map((name, at) => `${name} in ${runs[at].experiment}`),
    endings(runs.map(({ folder }) => folder)),
  ];
  return tries.find(isUnique) ?? runs.map(({ folder }) => folder);
}

/** The share of the most frequent label in the test part. */
function baselineOf({ fields: { test } }: ReadRun): number | undefined {
  const supports = test.per_class.map(({ support }) => support);
  const count = supports.reduce((sum, support) => sum + support, 0);
  return count > 0 ? Math.max(...supports) / count : undefined;
}

/** The sentences of the test part, where the run's file tells. */
export function testCount(
  { fields: { test, dataset } }: Pick<ReadRun, "fields">,
): number | undefined {
  return test.count ?? dataset.split?.test;
}

function differencesOf(runs: readonly ReadRun[]): Difference[] {
  const names = new Set(runs.flatMap(({ fields }) => Object.keys(fields.hyperparameters)));
  const rows = [...names].map((name) => ({
    name,
    values: runs.map(({ fields }) => fields.hyperparameters[name]),
  }));
  return rows.filter(({ values }) => new Set(values).size > 1);
}

function notesOf(runs: readonly ShownRun[], differences: readonly Difference[]): string[] {
  const notes = [...new Set(runs.flatMap(({ fields }) => fields.notices))];
  const differing = differences.map(({ name }) => name);
  const others = differing.filter((name) => !["learning_rate", "seed"].includes(name));
  if (others.length > 0) {
    notes.push(`The runs were not trained alike: they differ in ${differing.join(", ")}.`);
  } else if (differing.includes("learning_rate")) {
    notes.push("The runs’ learning rates differ; see Settings.");
  }
  const models = new Set(runs.map(({ fields }) => fields.model.name));
  if (models.size > 1) notes.push(`The runs are of different models: ${[...models].join(", ")}.`);
  const adapters = new Set(runs.flatMap(({ fields }) => fields.adapter?.description ?? []));
  if (adapters.size > 1) notes.push(`Times are of different GPUs: ${[...adapters].join("; ")}.`);
  const slower = runs.filter(({ fields }) => fields.gradient_checkpointing);
  if (slower.length > 0 && slower.length < runs.length) {
    const names = slower.map(({ name }) => name).join(", ");
    notes.push(`Times of ${names} are with gradient checkpointing, which takes longer.`);
  }
  return notes;
}

/** The trials of each method whose learning rate was searched for; those that diverged are left out. */
function searchesOf(runs: readonly ReadRun[]): Search[] {
  const searches = new Map<string, Trial[]>();
  for (const { fields: { run, group = run, learning_rate_trials } } of runs) {
    const trials = learning_rate_trials.filter((trial): trial is Trial =>
      trial.macro_f1 !== undefined
    );
    if (trials.length > 0) searches.set(group, trials); // the same for all seeds
  }
  return [...searches].map(([method, trials]) => ({ method, trials }));
}

const accuracyOf = ({ fields: { test } }: ShownRun) => test.accuracy;

function compare(
  read: readonly ReadRun[],
  compared: ReadExperiments["compared"],
): Comparison {
  const sorted = read.toSorted(inOrder);
  const differences = differencesOf(sorted);
  const names = namesOf(sorted, differences);
  const runs = sorted.map((run, index): ShownRun => ({
    ...run,
    name: names[index],
    macroF1Interval: macroF1Interval(run.fields.test.confusion_matrix),
  }));
  const methods = methodsOf(runs, compared);
  const pairs = pairsOf(methods, compared, runs);
  const baseline = baselineOf(sorted[0]);
  const judged = verdict(methods, { count: testCount(sorted[0]), baseline, pairs });
  const { model, dataset } = sorted[0].fields;
  const models = new Set(sorted.map(({ fields }) => fields.model.name));
  return {
    title: `${models.size === 1 ? model.name : `${models.size} models`} on ${dataset.name}`,
    runs,
    verdict: judged,
    best: methods[judged.best].runs.reduce((best, index) =>
      accuracyOf(runs[index]) > accuracyOf(runs[best]) ? index : best
    ),
    methods,
    pairs,
    baselines: comparedBaselines(runs, compared),
    searches: searchesOf(sorted),
    baseline,
    differences,
    notes: notesOf(runs, differences),
  };
}

/** What the page shows of at least one run. */
export function reportOf({ runs, compared, problems }: ReadExperiments): Report {
  const groups = Map.groupBy(runs, testKey);
  const comparisons = [...groups.values()].map((group) => compare(group, compared))
    .sort((a, b) => b.runs.length - a.runs.length);
  const [first, ...others] = comparisons;
  return {
    title: others.length === 0 ? first.title : `${comparisons.length} comparisons`,
    comparisons,
    problems,
  };
}

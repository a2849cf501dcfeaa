/** The comparison of an experiment's runs: JSON, CSV, Markdown and the terminal's table. */
import { join } from "node:path";
import * as v from "valibot";
import { writeFileWhole } from "../../models/host/write.ts";
import { messageOf } from "../../models/errors.ts";
import { methodNames } from "../../models/peft/methods.ts";
import { formatCount, formatDuration, formatPercent, formatRate } from "../shared/format.ts";
import { type Column, renderMarkdown, renderTable } from "../shared/table.ts";

/** As text, that two runs' can be compared. */
const classWeights = v.pipe(
  v.union([v.string(), v.record(v.string(), v.number())]),
  v.transform((weights) =>
    typeof weights === "string"
      ? weights
      : JSON.stringify(Object.fromEntries(Object.entries(weights).sort()))
  ),
);

/** What the comparison reads of a `run.json`, its own or an earlier one's. */
const comparedRun = v.object({
  run: v.string(),
  method: v.picklist(methodNames),
  label: v.string(),
  config: v.string(),
  notices: v.array(v.string()),
  model: v.object({
    name: v.string(),
    /** Whether it is a run of an older version over its `mini`, which started at random. */
    random_start: v.optional(v.boolean(), false),
  }),
  dataset: v.object({
    name: v.string(),
    hash: v.string(),
    split: v.object({ train: v.number(), validation: v.number(), test: v.number() }),
  }),
  hyperparameters: v.objectWithRest({
    lr_scheduler: v.optional(v.string(), "linear"),
    frozen_dtype: v.optional(v.string(), "f32"),
    matmul_precision: v.optional(v.string(), "f32"),
    class_weights: v.optional(classWeights),
  }, v.number()),
  gradient_checkpointing: v.optional(v.boolean(), false),
  trainable_params: v.number(),
  total_params: v.number(),
  param_percent: v.number(),
  trainable_bytes: v.number(),
  exported_bytes: v.number(),
  test: v.object({
    accuracy: v.number(),
    accuracy_interval_95: v.tuple([v.number(), v.number()]),
    macro_f1: v.number(),
  }),
  accuracy_per_million: v.number(),
  macro_f1_per_million: v.number(),
  training_seconds: v.number(),
  adapter: v.object({ description: v.string() }),
});
export type ComparedRun = v.InferOutput<typeof comparedRun>;

export interface Comparison {
  model: string;
  dataset: string;
  notices: string[];
  /** Sentences on what to keep in mind, e.g. different learning rates. */
  notes: string[];
  runs: ComparedRun[];
  /** Runs of the folder that were trained on other data or with other hyperparameters. */
  leftOut: { run: string; reason: string }[];
}

/** Why two runs cannot stand in one table, or undefined; the learning rate may differ by method. */
function difference(run: ComparedRun, other: ComparedRun): string | undefined {
  if (run.model.name !== other.model.name) return `model ${other.model.name}`;
  if (run.model.random_start !== other.model.random_start) return "another start of the weights";
  if (run.dataset.hash !== other.dataset.hash) return `data set ${other.dataset.name}`;
  const { split } = run.dataset;
  const theirs = other.dataset.split;
  if ((["train", "validation", "test"] as const).some((part) => split[part] !== theirs[part])) {
    return `${theirs.train + theirs.validation + theirs.test} rows`;
  }
  const names = Object.keys({ ...run.hyperparameters, ...other.hyperparameters });
  const text = (name: string) =>
    name in other.hyperparameters ? `${name} ${other.hyperparameters[name]}` : `no ${name}`;
  const changed = names.filter((name) =>
    name !== "learning_rate" && run.hyperparameters[name] !== other.hyperparameters[name]
  );
  return changed.length === 0 ? undefined : changed.map(text).join(", ");
}

function byMethodAndSize(a: ComparedRun, b: ComparedRun): number {
  return methodNames.indexOf(a.method) - methodNames.indexOf(b.method) ||
    a.trainable_params - b.trainable_params || a.run.localeCompare(b.run);
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

/** The comparison of runs with those that `reference` (one of them) can be compared with. */
export function compareRuns(reference: ComparedRun, all: ComparedRun[]): Comparison {
  const runs: ComparedRun[] = [];
  const leftOut: Comparison["leftOut"] = [];
  for (const run of all.toSorted(byMethodAndSize)) {
    const reason = difference(reference, run);
    if (reason === undefined) runs.push(run);
    else leftOut.push({ run: run.run, reason });
  }
  const notes: string[] = [];
  if (new Set(runs.map(learningRate)).size > 1) notes.push(describeRates(runs));
  const adapters = new Set(runs.map((run) => run.adapter.description));
  if (adapters.size > 1) {
    notes.push(`Times are of different GPUs: ${[...adapters].join("; ")}.`);
  }
  const slower = runs.filter((run) => run.gradient_checkpointing);
  if (slower.length > 0 && slower.length < runs.length) {
    const names = slower.map(({ run }) => run).join(", ");
    notes.push(`Times of ${names} are with gradient checkpointing, which takes longer.`);
  }
  return {
    model: reference.model.name,
    dataset: reference.dataset.name,
    notices: [...new Set(runs.flatMap((run) => run.notices))],
    notes,
    runs,
    leftOut,
  };
}

/** Reads every finished run of an experiment's folder; `unreadable` are folders without one. */
export async function readRuns(
  folder: string,
): Promise<{ runs: ComparedRun[]; unreadable: { run: string; reason: string }[] }> {
  const runs: ComparedRun[] = [];
  const unreadable: { run: string; reason: string }[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (!entry.isDirectory || entry.name.startsWith(".")) continue;
    try {
      const json = JSON.parse(await Deno.readTextFile(join(folder, entry.name, "run.json")));
      runs.push(v.parse(comparedRun, json));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      unreadable.push({ run: entry.name, reason: `unreadable run.json: ${messageOf(error)}` });
    }
  }
  return { runs, unreadable };
}

/** The original's columns. */
const columns: Column[] = [
  { title: "Method" },
  { title: "Config", shrinks: true },
  { title: "Accuracy", right: true },
  { title: "F1 Score", right: true },
  { title: "Trainable Params", right: true },
  { title: "Param %", right: true },
  { title: "Training Time", right: true },
];

function readableRows(comparison: Comparison): string[][] {
  return comparison.runs.map((run) => [
    run.label,
    run.config,
    run.test.accuracy.toFixed(4),
    run.test.macro_f1.toFixed(4),
    formatCount(run.trainable_params),
    formatPercent(run.param_percent),
    formatDuration(run.training_seconds),
  ]);
}

function remarks(comparison: Comparison): string[] {
  return [
    ...comparison.notices,
    ...comparison.notes,
    ...comparison.leftOut.map(({ run, reason }) => `Not compared: ${run} (${reason}).`),
  ];
}

/** The table for a terminal of `width` columns, without the remarks. */
export function comparisonTable(comparison: Comparison, width: number): string[] {
  return renderTable(columns, readableRows(comparison), width);
}

/** The remarks under the table. */
export function comparisonRemarks(comparison: Comparison): string[] {
  return remarks(comparison);
}

function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Numbers in full: percent without its sign, training time in seconds. */
export function comparisonCsv(comparison: Comparison): string {
  const rows = comparison.runs.map((run) => [
    run.label,
    run.config,
    String(run.test.accuracy),
    String(run.test.macro_f1),
    String(run.trainable_params),
    String(run.param_percent),
    String(run.training_seconds),
  ]);
  const lines = [columns.map((column) => column.title), ...rows];
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\n`).join("");
}

export function comparisonMarkdown(comparison: Comparison): string {
  const lines = [
    `# ${comparison.model} on ${comparison.dataset}`,
    "",
    ...renderMarkdown(columns, readableRows(comparison)),
    "",
    "F1 Score is the macro average on the test part; Training Time is without evaluation.",
    ...remarks(comparison).flatMap((remark) => ["", `> ${remark}`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The content of `comparison.json`: rows under the table's names in snake_case, numbers in full. */
export function comparisonReport(comparison: Comparison) {
  return {
    model: comparison.model,
    dataset: comparison.dataset,
    notices: comparison.notices,
    notes: comparison.notes,
    rows: comparison.runs.map((run) => ({
      run: run.run,
      method: run.label,
      config: run.config,
      accuracy: run.test.accuracy,
      accuracy_interval_95: run.test.accuracy_interval_95,
      f1_score: run.test.macro_f1,
      trainable_params: run.trainable_params,
      param_percent: run.param_percent,
      training_time: run.training_seconds,
      learning_rate: run.hyperparameters.learning_rate,
      trainable_bytes: run.trainable_bytes,
      exported_bytes: run.exported_bytes,
      accuracy_per_million: run.accuracy_per_million,
      macro_f1_per_million: run.macro_f1_per_million,
    })),
    left_out: comparison.leftOut,
  };
}

/** Writes the three files of the comparison that contains run `name`; returns the comparison. */
export async function writeComparison(folder: string, name: string): Promise<Comparison> {
  const { runs, unreadable } = await readRuns(folder);
  const reference = runs.find((run) => run.run === name);
  if (reference === undefined) throw new Error(`${folder} has no readable run ${name}.`);
  const comparison = compareRuns(reference, runs);
  comparison.leftOut.push(...unreadable);
  const json = `${JSON.stringify(comparisonReport(comparison), null, 2)}\n`;
  await writeFileWhole(join(folder, "comparison.json"), json);
  await writeFileWhole(join(folder, "comparison.csv"), comparisonCsv(comparison));
  await writeFileWhole(join(folder, "comparison.md"), comparisonMarkdown(comparison));
  return comparison;
}

/** What a comparison reads of the runs of an experiment: `run.json`, those of earlier versions too, and the answers. */
import { join } from "node:path";
import * as v from "valibot";
import { textIfThere } from "../../../models/host/files.ts";
import { methodNames } from "../../../models/peft/methods.ts";
import { reasonOf } from "../../shared/issues.ts";

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
  /** What a run's repetitions under other seeds share; its own name in the files of earlier versions. */
  group: v.optional(v.string()),
  method: v.picklist(methodNames),
  label: v.string(),
  config: v.string(),
  notices: v.array(v.string()),
  model: v.object({
    name: v.string(),
    /** Whether it is a run of an older version over its `mini`, which started at random. */
    random_start: v.optional(v.boolean(), false),
    /** The adapter with which it went on. */
    continued_from: v.optional(v.string()),
  }),
  dataset: v.object({
    name: v.string(),
    hash: v.string(),
    split: v.object({
      train: v.number(),
      validation: v.number(),
      test: v.number(),
      seed: v.optional(v.number()),
    }),
  }),
  hyperparameters: v.objectWithRest({
    lr_scheduler: v.optional(v.string(), "linear"),
    frozen_dtype: v.optional(v.string(), "f32"),
    matmul_precision: v.optional(v.string(), "f32"),
    compute_dtype: v.optional(v.string(), "f32"),
    class_weights: v.optional(classWeights),
    learning_rate: v.number(),
    seed: v.optional(v.number()),
  }, v.number()),
  gradient_checkpointing: v.optional(v.boolean(), false),
  trainable_params: v.number(),
  total_params: v.number(),
  param_percent: v.number(),
  trainable_bytes: v.number(),
  exported_bytes: v.number(),
  test: v.object({
    count: v.number(),
    accuracy: v.number(),
    accuracy_interval_95: v.tuple([v.number(), v.number()]),
    macro_f1: v.number(),
    per_class: v.array(v.object({ label: v.string(), support: v.number() })),
  }),
  /** Where the learning rate was searched for. */
  learning_rate_trials: v.optional(v.array(v.unknown())),
  tokens_per_second: v.optional(v.number()),
  peak_gpu_bytes: v.optional(v.number()),
  seconds_per_thousand_predictions: v.optional(v.number()),
  accuracy_per_million: v.number(),
  macro_f1_per_million: v.number(),
  training_seconds: v.number(),
  adapter: v.object({ description: v.string() }),
});
/** A run as the comparison sees it, and where its files lie. */
export type ComparedRun = v.InferOutput<typeof comparedRun> & { folder: string };

/** The name of a run without its seed. */
export const groupOf = ({ run, group = run }: ComparedRun): string => group;

export const isTuned = ({ learning_rate_trials }: ComparedRun): boolean =>
  learning_rate_trials !== undefined;

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
      runs.push({ ...v.parse(comparedRun, json), folder: join(folder, entry.name) });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      unreadable.push({ run: entry.name, reason: `unreadable run.json: ${reasonOf(error)}` });
    }
  }
  return { runs, unreadable };
}

const predictedRow = v.object({ label: v.string(), predicted: v.string() });

/**
 * What a run answered on each row of its test part: indices of `labels`. Undefined where the run has no `predictions.jsonl`,
 * as those of earlier versions, or one of other rows.
 */
export async function readAnswers(
  { folder, test }: ComparedRun,
  labels: readonly string[],
): Promise<{ actual: number[]; predicted: number[] } | undefined> {
  const text = await textIfThere(join(folder, "predictions.jsonl"));
  if (text === undefined) return undefined;
  const index = new Map(labels.map((label, place) => [label, place]));
  const rows = text.split("\n").filter((line) => line !== "").map((line) =>
    v.safeParse(predictedRow, jsonOrUndefined(line))
  );
  const places = rows.map((row) =>
    row.success ? [index.get(row.output.label), index.get(row.output.predicted)] : []
  );
  if (places.length !== test.count || places.flat().length !== 2 * places.length) return undefined;
  if (places.flat().includes(undefined)) return undefined;
  return {
    actual: places.map(([label]) => label!),
    predicted: places.map(([, answer]) => answer!),
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

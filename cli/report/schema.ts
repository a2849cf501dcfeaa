/** What the report reads of the files of a run and of an experiment; what older files lack is left out of it. */
import * as v from "valibot";

/** Left out where it is missing or of another kind: a report is made of what there is. */
const maybe = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.fallback(v.optional(schema), undefined);

/** A list that is empty where it is missing or of another kind. */
const listOf = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.array(schema), []);

const interval = v.tuple([v.number(), v.number()]);

const squareMatrix = v.pipe(
  v.array(v.array(v.number())),
  v.check((rows) => rows.every((row) => row.length === rows.length)),
);

const perClass = v.object({
  label: v.string(),
  precision: v.number(),
  recall: v.number(),
  f1: v.number(),
  support: v.number(),
});

const metrics = v.object({
  count: maybe(v.number()),
  loss: maybe(v.number()),
  accuracy: v.number(),
  macro_f1: v.number(),
});

const setting = v.union([v.number(), v.string(), v.boolean(), v.null()]);

/** Lists as their members, objects as their JSON. */
const shownSetting = v.union([
  setting,
  v.pipe(v.array(setting), v.transform((values) => values.join("+"))),
  v.pipe(v.unknown(), v.transform((value) => JSON.stringify(value))),
]);

/** A learning rate that was tried, and validation's macro F1 after so many steps; none where training diverged. */
const trial = v.object({
  learning_rate: v.pipe(v.number(), v.gtValue(0)),
  steps: v.number(),
  macro_f1: maybe(v.number()),
});
export type Trial = Required<v.InferOutput<typeof trial>>;

export const runSchema = v.object({
  run: v.string(),
  /** The run's name without its seed. */
  group: maybe(v.string()),
  method: v.string(),
  label: v.string(),
  config: v.string(),
  trainable_params: v.number(),
  test: v.object({
    ...metrics.entries,
    accuracy_interval_95: interval,
    per_class: listOf(perClass),
    confusion_matrix: v.fallback(squareMatrix, []),
  }),
  notices: listOf(v.string()),
  warnings: listOf(v.string()),
  model: v.fallback(
    v.object({ name: v.string(), random_start: v.fallback(v.boolean(), false) }),
    { name: "a model that is not named", random_start: false },
  ),
  dataset: v.fallback(
    v.object({
      name: v.string(),
      hash: maybe(v.string()),
      examples: maybe(v.number()),
      duplicates: maybe(v.number()),
      conflicts: maybe(v.number()),
      max_samples: maybe(v.nullable(v.number())),
      split: maybe(
        v.object({
          train: v.number(),
          validation: v.number(),
          test: v.number(),
          seed: maybe(v.number()),
        }),
      ),
      label_counts: listOf(
        v.object({
          label: v.string(),
          train: v.number(),
          validation: v.number(),
          test: v.number(),
        }),
      ),
      words: maybe(v.object({
        median: v.number(),
        percentile_95: v.number(),
        longest: v.number(),
        histogram: v.array(v.object({ at_most: v.nullable(v.number()), rows: v.number() })),
      })),
    }),
    { name: "data that are not named", label_counts: [] },
  ),
  hyperparameters: v.fallback(v.record(v.string(), shownSetting), {}),
  settings: v.fallback(v.record(v.string(), shownSetting), {}),
  gradient_checkpointing: v.fallback(v.boolean(), false),
  total_params: maybe(v.number()),
  param_percent: maybe(v.number()),
  exported_bytes: maybe(v.number()),
  validation: listOf(metrics),
  validation_steps: listOf(v.number()),
  best_step: maybe(v.number()),
  best_epoch: maybe(v.number()),
  total_steps: maybe(v.number()),
  training_seconds: maybe(v.number()),
  total_seconds: maybe(v.number()),
  tokens_per_second: maybe(v.number()),
  peak_gpu_bytes: maybe(v.number()),
  ranks: maybe(v.object({ size: v.number(), hosts: v.number(), library: v.string() })),
  adapter: maybe(v.object({ description: v.string(), software: v.fallback(v.boolean(), false) })),
  versions: v.fallback(v.record(v.string(), v.string()), {}),
  learning_rate_trials: listOf(trial),
  command: listOf(v.string()),
  started: maybe(v.string()),
  finished: maybe(v.string()),
});
export type RunFields = v.InferOutput<typeof runSchema>;

/** What is drawn of a line of `steps.jsonl`. */
export const stepSchema = v.object({ step: v.number(), loss: v.number() });
export type Step = v.InferOutput<typeof stepSchema>;

/** A line of `predictions.jsonl`. */
export const predictionSchema = v.object({
  row: v.nullable(v.number()),
  label: v.string(),
  predicted: v.string(),
  probability: v.number(),
  confidence: v.number(),
  text: v.string(),
});
export type Predicted = v.InferOutput<typeof predictionSchema>;

/** What of `comparison.json` no run tells: methods over their seeds, pairs of them, and baselines. */
export const comparisonSchema = v.object({
  rows: listOf(v.object({
    run: v.string(),
    runs: v.array(v.string()),
    accuracy: v.number(),
    accuracy_deviation: v.nullable(v.number()),
    accuracy_interval_95: interval,
    f1_score: v.number(),
    f1_score_deviation: v.nullable(v.number()),
    f1_score_interval_95: v.nullable(interval),
  })),
  pairs: listOf(v.object({
    first: v.string(),
    second: v.string(),
    f1_score_difference: v.number(),
    f1_score_difference_interval_95: interval,
    mcnemar_p: v.number(),
    told_apart: v.boolean(),
  })),
  baselines: listOf(v.object({
    label: v.string(),
    config: v.string(),
    accuracy: v.number(),
    macro_f1: v.number(),
  })),
});
export type ComparedMethods = v.InferOutput<typeof comparisonSchema>;

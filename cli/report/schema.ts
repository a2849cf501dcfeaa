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

/** Learning rates that were tried for a method: `tuning` of `run.json` and `comparison.json`. */
export const tuningSchema = v.object({
  method: v.string(),
  trials: v.pipe(
    v.array(v.object({
      learning_rate: v.pipe(v.number(), v.gtValue(0)),
      budget_steps: v.number(),
      score: v.number(),
    })),
    v.nonEmpty(),
  ),
});
export type Tuning = v.InferOutput<typeof tuningSchema>;

export const runSchema = v.object({
  run: v.string(),
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
        v.object({ train: v.number(), validation: v.number(), test: v.number() }),
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
  adapter: maybe(v.object({ description: v.string(), software: v.fallback(v.boolean(), false) })),
  versions: v.fallback(v.record(v.string(), v.string()), {}),
  tuning: listOf(tuningSchema),
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

/** What of `comparison.json` no run tells. */
export const comparisonSchema = v.object({ tuning: listOf(tuningSchema) });

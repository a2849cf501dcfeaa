/** Experiments of any shape, written as training writes them, for tests of the report. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { main } from "../../cli/report.ts";
import { computeMetrics } from "../../models/training/metrics.ts";
import { metricsReport } from "../../cli/train/run_report.ts";
import { recorder } from "../cli/recorder.ts";

export interface FixtureRun {
  run: string;
  method?: string;
  label?: string;
  config?: string;
  trainable?: number;
  /** The share of the test part that is labelled right. */
  accuracy?: number;
  /** Replaces or, where undefined, takes away fields of run.json. */
  fields?: Record<string, unknown>;
}

export interface FixtureOptions {
  labels?: string[];
  /** Sentences of the test part. */
  test?: number;
  steps?: number;
  text?: string;
  hash?: string;
}

/** Test predictions of which so many are right; what is wrong goes to the next label. */
function predictionsOf(accuracy: number, classes: number, test: number) {
  const actual = Array.from({ length: test }, (_, index) => index % classes);
  const right = Math.round(accuracy * test);
  return { actual, predicted: actual.map((label, index) => (label + +(index >= right)) % classes) };
}

/** Writes a run's folder; returns its path. */
export async function writeRun(
  experiment: string,
  { run, trainable = 1000, accuracy = 0.5, ...given }: FixtureRun,
  { labels = ["anger", "joy"], test = 100, steps = 40, text = "a text", hash = "h" }:
    FixtureOptions = {},
): Promise<string> {
  const folder = join(experiment, run);
  await Deno.mkdir(folder, { recursive: true });
  const { actual, predicted } = predictionsOf(accuracy, labels.length, test);
  const metrics = metricsReport(computeMetrics(labels, actual, predicted, 1.5));
  const counted = labels.map((label) => ({ label, train: 80, validation: 10, test: 10 }));
  const report = {
    run,
    method: given.method ?? "lora",
    label: given.label ?? "LoRA",
    config: given.config ?? `r=${trainable}`,
    settings: { rank: 8, lora_target_modules: ["query", "value"], use_dora: false },
    notices: [],
    warnings: [],
    labels,
    model: { name: "mini", folder: "/nowhere", random_start: true },
    dataset: {
      name: "moods",
      hash,
      examples: 10 * test,
      max_samples: null,
      split: { train: 8 * test, validation: test, test },
      label_counts: counted,
      words: {
        median: 5,
        percentile_95: 12,
        longest: 30,
        histogram: [{ at_most: 2, rows: 1 }, { at_most: 8, rows: 9 }, { at_most: null, rows: 1 }],
      },
    },
    hyperparameters: { learning_rate: 1e-3, batch_size: 16, num_epochs: 2, seed: 42 },
    gradient_checkpointing: false,
    trainable_params: trainable,
    total_params: 100_000_000,
    param_percent: trainable / 1e6,
    exported_bytes: 4 * trainable,
    test: metrics,
    validation: [metrics, metrics],
    validation_steps: [steps / 2, steps],
    best_step: steps,
    best_epoch: 2,
    total_steps: steps,
    training_seconds: 12.5,
    total_seconds: 20,
    tokens_per_second: 1000,
    peak_gpu_bytes: 1e8,
    adapter: { description: "a test's GPU", software: false },
    versions: { project: "0.1.0", deno: "2.9.6", platform: "linux x86_64" },
    command: ["--model_name", "mini", "--use_sample"],
    started: "2026-01-01T00:00:00.000Z",
    finished: "2026-01-01T00:01:00.000Z",
    ...given.fields,
  };
  await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify(report));
  const lines = Array.from(
    { length: steps },
    (_, index) => JSON.stringify({ step: index + 1, loss: 2 / (1 + index / 9) + (index % 5) / 20 }),
  );
  await Deno.writeTextFile(join(folder, "steps.jsonl"), lines.map((line) => `${line}\n`).join(""));
  const predictions = actual.map((label, index) =>
    JSON.stringify({
      row: index + 1,
      label: labels[label],
      predicted: labels[predicted[index]],
      probability: label === predicted[index] ? 0.9 : index / test / 2,
      confidence: 0.9,
      text: `${text} ${index}`,
    })
  );
  const path = join(folder, "predictions.jsonl");
  await Deno.writeTextFile(path, predictions.map((line) => `${line}\n`).join(""));
  return folder;
}

/** A row of `comparison.json`. */
export const comparedRow = (run: string, runs: string[], accuracy: number) => ({
  run,
  runs,
  accuracy,
  accuracy_deviation: 0.02,
  accuracy_interval_95: [accuracy - 0.1, accuracy + 0.1],
  f1_score: accuracy,
  f1_score_deviation: 0.03,
  f1_score_interval_95: [accuracy - 0.1, accuracy + 0.1],
});

export async function report(args: string[]) {
  const [out, err] = [recorder(), recorder()];
  const code = await main(args, out, err);
  return { code, out: out.text, err: err.text };
}

/** The page of an experiment of these runs. */
export async function pageOf(folder: string, runs: FixtureRun[], options: FixtureOptions = {}) {
  for (const run of runs) await writeRun(folder, run, options);
  const { code, err } = await report([folder]);
  assert.deepEqual([code, err], [0, ""]);
  return await Deno.readTextFile(join(folder, "comparison.html"));
}

/** How often a piece is in a page. */
export const count = (page: string, piece: string) => page.split(piece).length - 1;

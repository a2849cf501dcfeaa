/** `run.json` and `steps.jsonl`: everything about one run, under the flags' snake_case names. */
import project from "../../deno.json" with { type: "json" };
import type { DeviceInfo } from "../../engine/adapter.ts";
import type { RefusedPlan, TunedPlans } from "../../engine/plans.ts";
import type { MatmulPlan } from "../../kernels/mod.ts";
import type { Dataset } from "../../models/data/load.ts";
import type { LabelCase } from "../../models/data/labels.ts";
import { partNames } from "../../models/data/part_names.ts";
import type { TableOptions } from "../../models/data/table.ts";
import type { Split } from "../../models/data/split.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import type { Hyperparameters, TrainingResult } from "../../models/training/events.ts";
import { hyperparameterReport } from "../../models/training/hyperparameter_report.ts";
import type { Metrics } from "../../models/training/metrics.ts";
import type { Trial } from "../../models/training/rate_search.ts";
import { inSnakeCase } from "../shared/format.ts";
import { standsWithin, wholeMatrix } from "../trained/confusion.ts";
import { dataReport } from "./data_report.ts";
import { configLabel, methodLabel } from "./plan.ts";

/** The processes that trained a run together. */
export interface RanksReport {
  size: number;
  /** On how many machines. */
  hosts: number;
  /** What connected them, as it says of itself. */
  library: string;
}

export interface RunContext {
  model: ResolvedModel;
  dataset: Dataset;
  split: Split;
  maxSamples: number | undefined;
  labelCase: LabelCase;
  /** The seed of the split, which runs of other seeds share. */
  splitSeed: number;
  gradientCheckpointing: boolean;
  /** Of a run that several processes trained together. */
  ranks: RanksReport | undefined;
  /** The GPU, as WebGPU names it. */
  adapter: DeviceInfo;
  /** Plans of matrix products: the adapter's fixed one, tuned ones by class of shapes, and what its driver refuses. */
  kernels: { fixed: MatmulPlan; tuned: TunedPlans; refused: readonly RefusedPlan[] };
  /** Sentences that the reader of the results must know, e.g. that mini stands in. */
  notices: string[];
  warnings: string[];
  /** What the checkpoint's reader noted, e.g. surplus tensors. */
  weightNotes: string[];
  /** The command's arguments. */
  command: readonly string[];
  /** Steps after which the run was stopped and went on. */
  resumedAtSteps: readonly number[];
  /** What the run's repetitions under other seeds share: its name without the seed. */
  group: string;
  /** Trainings that chose the learning rate, where that was searched for. */
  trials: readonly Trial[] | undefined;
}

/** `{ hiddenSize }` → `{ hidden_size }`: the files have one spelling throughout. */
const fieldsInSnakeCase = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [inSnakeCase(name), value]));

export function metricsReport(metrics: Metrics) {
  return {
    count: metrics.count,
    loss: metrics.loss,
    accuracy: metrics.accuracy,
    accuracy_interval_95: metrics.accuracyInterval,
    macro_precision: metrics.macroPrecision,
    macro_recall: metrics.macroRecall,
    macro_f1: metrics.macroF1,
    per_class: metrics.perClass,
    /** Of many classes it has a file of its own. */
    ...(standsWithin(metrics) && { confusion_matrix: wholeMatrix(metrics) }),
  };
}

/** What produced a run; Deno does not tell wgpu's version. */
export function versions() {
  return {
    project: project.version,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    typescript: Deno.version.typescript,
    wgpu: `the one inside Deno ${Deno.version.deno}`,
    platform: `${Deno.build.os} ${Deno.build.arch}`,
  };
}

/** How a data set's files were read, where that was asked for. */
export function readAs({ encoding, quoting }: TableOptions) {
  return {
    ...(encoding !== undefined && { encoding }),
    ...(quoting !== undefined && { quoting }),
  };
}

/** The content of `run.json`. Ratios are per million trainable parameters; sizes in bytes. */
export function runReport(
  context: RunContext,
  hyperparameters: Hyperparameters,
  result: TrainingResult,
  exported: { files: string[]; bytes: number },
  times: { started: Date; finished: Date },
) {
  const { model, dataset, split } = context;
  const millions = result.trainableParameters / 1e6;
  return {
    run: result.run,
    group: context.group,
    method: result.method.method,
    label: methodLabel(result.method),
    config: configLabel(result.method),
    settings: definitionOf(result.method).report(result.method, model.config),
    notices: context.notices,
    warnings: context.warnings,
    weight_notes: context.weightNotes,
    /** In the order of the classifier's rows; here too because PEFT's folder has no place for them. */
    labels: dataset.labels,
    model: {
      name: model.name,
      folder: model.folder,
      built_in: model.builtIn,
      ...(model.continuedFrom !== undefined && { continued_from: model.continuedFrom }),
      config: fieldsInSnakeCase(model.config),
    },
    dataset: {
      name: dataset.name,
      source: dataset.source,
      sample: dataset.sample,
      text_column: dataset.textColumn,
      label_column: dataset.labelColumn,
      label_case: context.labelCase,
      ...(dataset.labelNamesFrom && { label_names_from: dataset.labelNamesFrom }),
      ...readAs(dataset),
      rows_read: dataset.rowsRead,
      empty_rows: dataset.emptyRows,
      duplicates: dataset.duplicates,
      conflicts: dataset.conflicts,
      examples: dataset.examples.length,
      hash: dataset.hash,
      max_samples: context.maxSamples ?? null,
      split: {
        train: split.train.length,
        validation: split.validation.length,
        test: split.test.length,
        seed: context.splitSeed,
        /** Whether the data's own parts were used, and which they have. */
        by: dataset.given === undefined ? "ratio" : "given",
        ...(dataset.given && {
          given: partNames.filter((part) => part !== "train" && dataset.given![part] > 0),
        }),
      },
      ...dataReport(split, dataset.labels),
    },
    hyperparameters: hyperparameterReport(hyperparameters),
    ...(context.trials && { learning_rate_trials: context.trials.map(fieldsInSnakeCase) }),
    /** No hyperparameter: it changes time and memory only. */
    gradient_checkpointing: context.gradientCheckpointing,
    /** Nor are these; what is measured of time is all ranks', of memory and GPU the first one's. */
    ...(context.ranks && { ranks: context.ranks }),
    trainable_params: result.trainableParameters,
    total_params: result.totalParameters,
    param_percent: (100 * result.trainableParameters) / result.totalParameters,
    trainable_bytes: 4 * result.trainableParameters,
    exported_bytes: exported.bytes,
    exported_files: exported.files,
    test: metricsReport(result.test),
    validation: result.validation.map(metricsReport),
    /** The steps after which they came. */
    validation_steps: result.validationSteps,
    best_step: result.bestStep,
    best_epoch: result.bestEpoch,
    accuracy_per_million: result.test.accuracy / millions,
    macro_f1_per_million: result.test.macroF1 / millions,
    total_steps: result.totalSteps,
    stopped_early: result.stoppedEarly,
    training_seconds: result.trainingSeconds,
    total_seconds: result.totalSeconds,
    tokens_per_second: result.tokensPerSecond,
    seconds_per_thousand_predictions: 1000 * result.testSeconds / result.test.count,
    peak_gpu_bytes: result.peakGpuBytes,
    adapter: fieldsInSnakeCase(context.adapter),
    /** With other plans the last bits of the result differ. */
    matmul_plans: context.kernels,
    versions: versions(),
    command: context.command,
    resumed_at_steps: context.resumedAtSteps,
    started: times.started.toISOString(),
    finished: times.finished.toISOString(),
  };
}

export type RunReport = ReturnType<typeof runReport>;

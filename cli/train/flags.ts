/** The flags of `deno task train`: names, defaults, help; typed by what the parser returns. */
import { backendFlag } from "../shared/backend.ts";
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue, Parser } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { computeDtypes, matmulPrecisions } from "../../engine/precision.ts";
import { dtypes } from "../../engine/pack.ts";
import { schedulers } from "../../engine/schedule.ts";
import { labelCases } from "../../models/data/labels.ts";
import { splitBys } from "../../models/data/part_names.ts";
import type { Setting } from "../../models/peft/method.ts";
import { type MethodName, methodNames, methods } from "../../models/peft/methods.ts";
import { defaultHyperparameters as defaults } from "../../models/training/events.ts";
import {
  flag,
  parseCommand,
  type Parsed,
  switchOn,
  valueOf,
  whole,
} from "../shared/flag_parser.ts";
import {
  mostSeed,
  parseFactor,
  parseFolderName,
  parseLearningRates,
  parseNames,
  parseNotNegative,
  parseNumbers,
  parsePath,
  parseProbability,
  parseSeeds,
  parseSizes,
  parseText,
} from "../shared/flag_values.ts";
import { formatRate } from "../shared/format.ts";
import { tableFlags } from "../shared/table_flags.ts";

/** What was given for the methods' settings, by name: all that the methods' plans take, as each name is one method's. */
export type GivenSettings = Plan extends (given: infer Given) => unknown ? Given : never;
type Plan = (typeof methods)[MethodName]["plan"];

/** A setting's flag, by the kind of its value. */
function settingFlag([name, { kind, help, shown }]: [string, Setting]) {
  const flagName = `--${name}` as const;
  switch (kind) {
    case "switch":
      return switchOn(flagName, help);
    case "wholes":
      return flag(flagName, valueOf("LIST", parseSizes, []), help, shown);
    case "numbers":
      return flag(flagName, valueOf("LIST", parseNumbers, []), help, shown);
    case "names":
      return flag(flagName, valueOf("LIST", parseNames, []), help, shown);
    case "probability":
      return flag(flagName, valueOf("X", parseProbability, 0), help, shown);
    case "factor":
      return flag(flagName, valueOf("X", parseFactor, { kind: "value", value: 1 }), help, shown);
    default:
      return flag(flagName, choice(kind, { metavar: "KIND" }), help, shown);
  }
}

/** The flags of all methods' settings but some. TypeScript cannot follow the table's types through `fromEntries`. */
export function settingFlags(without: readonly string[] = []) {
  const settings = Object.values(methods).flatMap(({ settings }) =>
    Object.entries<Setting>(settings)
  ).filter(([name]) => !without.includes(name));
  const flags = settings.map((setting) => [setting[0], settingFlag(setting)]);
  return object(Object.fromEntries(flags)) as unknown as Parser<"sync", GivenSettings, unknown>;
}

const labels = methodNames.map((name) => methods[name].label);
const left = methodNames.filter((name) => !methods[name].compared);

const methodFlags = object({
  method: flag(
    "--method",
    choice(["all", ...methodNames], { metavar: "METHOD" }),
    `${methodNames.join(", ")}; all leaves ${left.join(" and ")} out`,
    "all",
  ),
  settings: settingFlags(),
});

export const dataFlags = object({
  modelName: flag(
    "--model_name",
    valueOf("NAME", parseText, ""),
    "Hub id, folder of a model or adapter, or mini",
    "bert-base-uncased",
  ),
  dataset: flag(
    "--dataset",
    valueOf("NAME", parseText, ""),
    "Hub id, folder or file: Parquet, CSV, JSON",
    "boltuix/emotions-dataset",
  ),
  textColumn: flag("--text_column", valueOf("NAME", parseText, ""), "Column of texts", "found"),
  labelColumn: flag("--label_column", valueOf("NAME", parseText, ""), "Column of labels", "found"),
  ...tableFlags,
  useSample: switchOn("--use_sample", "Train on the built-in sample sentences"),
  maxSamples: whole("--max_samples", "Use this many rows, classes in proportion", "all", 1),
  splitBy: flag(
    "--split_by",
    choice(splitBys, { metavar: "HOW" }),
    "given: use the data's own validation and test; ratio: 80/10/10",
    splitBys[0],
  ),
  labelCase: flag(
    "--label_case",
    choice(labelCases, { metavar: "HOW" }),
    "keep Joy and joy apart, or fold them into one",
    labelCases[0],
  ),
});

/** The flags of training; a sweep has lists in the place of some. */
export const trainingFields = {
  numEpochs: whole("--num_epochs", "Passes over the training part", `${defaults.epochs}`, 1),
  maxSteps: whole("--max_steps", "Optimiser steps, instead of epochs", "not used", 1),
  evalSteps: whole("--eval_steps", "Validate every so many steps", "each epoch", 1),
  earlyStoppingPatience: whole(
    "--early_stopping_patience",
    "End after so many validations with no better macro F1",
    "not used",
    1,
  ),
  batchSize: whole("--batch_size", "Sentences a batch", `${defaults.batchSize}`, 1),
  gradientAccumulationSteps: whole(
    "--gradient_accumulation_steps",
    "Batches an optimiser step",
    `${defaults.gradientAccumulationSteps}`,
    1,
  ),
  gradientCheckpointing: switchOn(
    "--gradient_checkpointing",
    "Take less memory and more time; same result",
  ),
  frozenDtype: flag(
    "--frozen_dtype",
    choice(dtypes, { metavar: "TYPE" }),
    "Frozen weights in memory: f32, bf16 or f16",
    defaults.frozenDtype,
  ),
  computeDtype: flag(
    "--compute_dtype",
    choice(computeDtypes, { metavar: "TYPE" }),
    "Activations and gradients in memory: f32 or f16",
    defaults.computeDtype,
  ),
  matmulPrecision: flag(
    "--matmul_precision",
    choice(matmulPrecisions, { metavar: "TYPE" }),
    "Products of f32 values, or of f16 on matrix units",
    defaults.matmulPrecision,
  ),
  ...backendFlag,
  noTune: switchOn("--no_tune", "Take fixed kernels instead of timing some once"),
  learningRate: flag(
    "--learning_rate",
    valueOf("RATE", parseLearningRates, { rates: {}, given: true, tuned: false }),
    "One for all, lora=5e-4,full=2e-5, tune, or shared,tune; mini has its own",
    formatRate(defaults.learningRate),
  ),
  lrScheduler: flag(
    "--lr_scheduler",
    choice(schedulers, { metavar: "KIND" }),
    "linear, cosine, constant, constant_with_warmup",
    defaults.scheduler,
  ),
  warmupSteps: whole(
    "--warmup_steps",
    "Steps until the full learning rate",
    `${defaults.warmupSteps}`,
    0,
  ),
  warmupRatio: flag(
    "--warmup_ratio",
    valueOf("X", parseProbability, 0),
    "The warm-up as a share of all steps",
    "not used",
  ),
  weightDecay: flag(
    "--weight_decay",
    valueOf("X", parseNotNegative, 0),
    "AdamW's decay",
    `${defaults.weightDecay}`,
  ),
  maxGradNorm: flag(
    "--max_grad_norm",
    valueOf("X", parseNotNegative, 0),
    "Clip gradients to this norm; 0 does not",
    `${defaults.maxGradNorm}`,
  ),
  labelSmoothing: flag(
    "--label_smoothing",
    valueOf("X", parseProbability, 0),
    "Share of each label spread over all classes",
    "0",
  ),
  classWeights: flag(
    "--class_weights",
    valueOf("FILE", parseText, ""),
    "balanced, or a JSON file with a number for each label",
    "all 1",
  ),
  maxLength: whole("--max_length", "Tokens a sentence is cut to", `${defaults.maxLength}`, 3),
  seed: whole("--seed", "Fixes split, order and new weights", `${defaults.seed}`, 0, mostSeed),
  baselines: switchOn("--baselines", "Compare with bags of words and of characters too"),
  seeds: flag(
    "--seeds",
    valueOf("LIST", parseSeeds, []),
    "Train each run with each, on the split of --seed",
    "that of --seed",
  ),
};

const outputFlags = object({
  outputDir: flag(
    "--output_dir",
    valueOf("FOLDER", parseText, ""),
    "Where results go",
    "results",
  ),
  experiment: flag(
    "--experiment",
    valueOf("NAME", parseFolderName, ""),
    "The results' folder name",
    "a new numbered one",
  ),
  resume: flag(
    "--resume",
    valueOf("FOLDER", (text) => text && parsePath(text), ""),
    "Go on with an experiment that was stopped",
    "the newest",
  ),
  checkpointSteps: whole(
    "--checkpoint_steps",
    "Optimiser steps between checkpoints",
    "only every epoch",
    1,
  ),
  keepCheckpoints: whole("--keep_checkpoints", "A run's newest so many are kept", "2", 1),
  overwrite: switchOn("--overwrite", "Replace runs that --experiment already has"),
  dryRun: switchOn("--dry_run", "Only count parameters; needs no GPU"),
  json: switchOn("--json", "Print one JSON document on stdout"),
});

export const parser = merge(
  group("Methods", methodFlags),
  group("Model and data", dataFlags),
  group("Training", object(trainingFields)),
  group("Results", outputFlags),
);

/** What the command line says; a flag that was not given is undefined (or false). */
export type Flags = InferValue<typeof parser>;

export type ParsedFlags = Parsed<Flags>;

/** `--resume` without a folder, which is the last argument or comes before a flag, gets an empty one. */
function withResumeValue(args: readonly string[]): string[] {
  const isBare = (index: number) =>
    args[index] === "--resume" && (args[index + 1] ?? "--").startsWith("-");
  return args.map((argument, index) => isBare(index) ? "--resume=" : argument);
}

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  return parseCommand(parser, withResumeValue(args), {
    command: "deno task train",
    brief: `Fine-tunes BERT and its like on WebGPU. Methods: ${labels.join(", ")}.`,
    examples: [
      "train --dry_run",
      "train --method adapter --size 64 --model_name mini --use_sample",
      "train --method lora --rank 8 --learning_rate 5e-4 --dataset mine.csv",
      "train --method ia3 --learning_rate 3e-3 --model_name roberta-base",
      "train --learning_rate full=2e-5,lora=5e-4,adapter=1e-4",
      "train --resume",
    ],
  });
}

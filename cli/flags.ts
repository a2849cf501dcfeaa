/** The flags of `deno task train`: names, defaults, help; typed by what the parser returns. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { matmulPrecisions } from "../engine/precision.ts";
import { dtypes } from "../engine/pack.ts";
import { placements } from "../models/peft/method.ts";
import { flag, parseCommand, type Parsed, switchOn, valueOf, whole } from "./flag_parser.ts";
import {
  parseAlpha,
  parseFolderName,
  parseLearningRates,
  parseNames,
  parseNotNegative,
  parseProbability,
  parseSizes,
  parseText,
} from "./flag_values.ts";

const methodFlags = object({
  method: flag(
    "--method",
    choice(["all", "full", "lora", "adapter"], { metavar: "METHOD" }),
    "What to train: all, full, lora or adapter",
    "all",
  ),
  rank: flag("--rank", valueOf("LIST", parseSizes, []), "LoRA ranks, one run each", "4,8,16"),
  size: flag(
    "--size",
    valueOf("LIST", parseSizes, []),
    "Adapter sizes, one run each",
    "64,128,256",
  ),
  adapterPlacement: flag(
    "--adapter_placement",
    choice(placements, { metavar: "PLACE" }),
    `${placements.slice(0, -1).join(", ")} or ${placements.at(-1)}`,
    "shared",
  ),
  loraAlpha: flag(
    "--lora_alpha",
    valueOf("X", parseAlpha, { kind: "value", value: 1 }),
    "A number, or a multiple of the rank",
    "2r",
  ),
  loraDropout: flag(
    "--lora_dropout",
    valueOf("X", parseProbability, 0),
    "Dropout on LoRA's input",
    "0.1",
  ),
  loraTargetModules: flag(
    "--lora_target_modules",
    valueOf("LIST", parseNames, []),
    "Layers that LoRA changes, by name",
    "query,value",
  ),
  useRslora: switchOn("--use_rslora", "Scale LoRA by alpha/sqrt(r), not alpha/r"),
});

const dataFlags = object({
  modelName: flag(
    "--model_name",
    valueOf("NAME", parseText, ""),
    "Hub id, folder or mini",
    "bert-base-uncased",
  ),
  dataset: flag(
    "--dataset",
    valueOf("NAME", parseText, ""),
    "Hub id or file: Parquet, CSV, TSV, JSONL",
    "boltuix/emotions-dataset",
  ),
  textColumn: flag("--text_column", valueOf("NAME", parseText, ""), "Column of texts", "found"),
  labelColumn: flag("--label_column", valueOf("NAME", parseText, ""), "Column of labels", "found"),
  useSample: switchOn("--use_sample", "Train on the built-in sample sentences"),
  maxSamples: whole("--max_samples", "Use this many rows, classes in proportion", "all", 1),
});

const trainingFlags = object({
  numEpochs: whole("--num_epochs", "Passes over the training part", "5", 1),
  batchSize: whole("--batch_size", "Sentences a batch", "16", 1),
  gradientAccumulationSteps: whole(
    "--gradient_accumulation_steps",
    "Batches an optimiser step",
    "1",
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
    "f32",
  ),
  matmulPrecision: flag(
    "--matmul_precision",
    choice(matmulPrecisions, { metavar: "TYPE" }),
    "Products of f32 values, or of f16 on matrix units",
    "f32",
  ),
  noTune: switchOn("--no_tune", "Take fixed kernels instead of timing some once"),
  learningRate: flag(
    "--learning_rate",
    valueOf("RATE", parseLearningRates, {}),
    "One for all, or per method: lora=5e-4,adapter=1e-4",
    "2e-5",
  ),
  warmupSteps: whole("--warmup_steps", "Steps until the full learning rate", "100", 0),
  weightDecay: flag("--weight_decay", valueOf("X", parseNotNegative, 0), "AdamW's decay", "0.01"),
  maxLength: whole("--max_length", "Tokens a sentence is cut to", "512", 3),
  seed: whole("--seed", "Fixes split, order and new weights", "42", 0, 2 ** 32 - 1),
});

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
  overwrite: switchOn("--overwrite", "Replace runs that --experiment already has"),
  dryRun: switchOn("--dry_run", "Only count parameters; needs no GPU"),
  json: switchOn("--json", "Print one JSON document on stdout"),
});

const parser = merge(
  group("Methods", methodFlags),
  group("Model and data", dataFlags),
  group("Training", trainingFlags),
  group("Results", outputFlags),
);

/** What the command line says; a flag that was not given is undefined (or false). */
export type Flags = InferValue<typeof parser>;

export type ParsedFlags = Parsed<Flags>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  return parseCommand(parser, args, {
    command: "deno task train",
    brief: "Fine-tunes BERT on WebGPU: fully, with LoRA, with adapters; compares them.",
    examples: [
      "train --dry_run",
      "train --method adapter --size 64 --model_name mini --use_sample",
      "train --method lora --rank 8 --learning_rate 5e-4 --dataset mine.csv",
      "train --learning_rate full=2e-5,lora=5e-4,adapter=1e-4",
    ],
  });
}

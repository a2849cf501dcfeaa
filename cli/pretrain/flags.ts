/** The flags of `deno task pretrain`: names, defaults, help; typed by what the parser returns. */
import { backendFlag } from "../shared/backend.ts";
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { dtypes } from "../../engine/pack.ts";
import { defaultSettings as defaults } from "../../models/pretraining/events.ts";
import { objectiveNames } from "../../models/pretraining/objective.ts";
import {
  flag,
  parseCommand,
  type Parsed,
  repeated,
  switchOn,
  valueOf,
  whole,
} from "../shared/flag_parser.ts";
import {
  parseNotNegative,
  parsePositive,
  parseProbability,
  parseText,
} from "../shared/flag_values.ts";
import { formatRate } from "../shared/format.ts";
import { tableFlags } from "../shared/table_flags.ts";

/** The sizes that a model has where none are given. */
export const defaultSizes = { layers: 4, hiddenSize: 128, vocabSize: 6000, dropout: 0.1 };

const textFlags = object({
  text: repeated(
    "--text",
    valueOf("FILE", parseText, ""),
    "Sentences: txt, one a line, or CSV, TSV, JSON, Parquet; again for more",
    "required",
  ),
  textColumn: flag("--text_column", valueOf("NAME", parseText, ""), "Column of texts", "found"),
  ...tableFlags,
  maxLength: whole("--max_length", "Tokens a sentence is cut to", `${defaults.maxLength}`, 3),
  vocab: flag(
    "--vocab",
    valueOf("FILE", parseText, ""),
    "A vocab.txt, lower case, instead of training one",
    "trained",
  ),
  vocabSize: whole("--vocab_size", "WordPieces to train", `${defaultSizes.vocabSize}`, 50),
});

const modelFlags = object({
  layers: whole("--layers", "Encoder layers", `${defaultSizes.layers}`, 1, 1000),
  hiddenSize: whole("--hidden_size", "Width, a multiple of 4", `${defaultSizes.hiddenSize}`, 4),
  heads: whole("--heads", "Attention heads", "one for each 32 of the width", 1),
  intermediateSize: whole("--intermediate_size", "Feed-forward's width", "4 times the width", 4),
  dropout: flag(
    "--dropout",
    valueOf("X", parseProbability, 0),
    "In the model's config; distil trains without",
    `${defaultSizes.dropout}`,
  ),
});

const trainingFlags = object({
  ...backendFlag,
  objective: flag(
    "--objective",
    choice(objectiveNames, { metavar: "KIND" }),
    "distil: give a teacher's vectors; mlm: tell masked words",
    "distil",
  ),
  teacher: flag(
    "--teacher",
    valueOf("NAME", parseText, ""),
    "Hub id or folder of the encoder to distil from",
    "required by distil",
  ),
  numEpochs: whole("--num_epochs", "Passes over the sentences", `${defaults.epochs}`, 1),
  maxSteps: whole("--max_steps", "Steps, instead of epochs", "not used", 1),
  batchSize: whole("--batch_size", "Sentences a step", `${defaults.batchSize}`, 1),
  learningRate: flag(
    "--learning_rate",
    valueOf("RATE", parsePositive, 1),
    "The highest; it falls to 0 linearly",
    formatRate(defaults.learningRate),
  ),
  warmupRatio: flag(
    "--warmup_ratio",
    valueOf("X", parseProbability, 0),
    "The warm-up as a share of all steps",
    `${defaults.warmupRatio}`,
  ),
  weightDecay: flag(
    "--weight_decay",
    valueOf("X", parseNotNegative, 0),
    "AdamW's decay",
    `${defaults.weightDecay}`,
  ),
  seed: whole("--seed", "Fixes weights, order, masks", `${defaults.seed}`, 0, 2 ** 32 - 1),
});

const outputFlags = object({
  output: flag("--output", valueOf("FOLDER", parseText, ""), "The model's folder", "required"),
  dtype: flag("--dtype", choice(dtypes, { metavar: "TYPE" }), "Of the saved weights", "f32"),
  checkpointSteps: whole(
    "--checkpoint_steps",
    "Steps between checkpoints",
    "only every epoch",
    1,
  ),
  resume: switchOn("--resume", "Go on with what was stopped in --output"),
  overwrite: switchOn("--overwrite", "Replace what --output holds"),
  json: switchOn("--json", "Print one JSON document on stdout"),
});

export const parser = merge(
  group("Text", textFlags),
  group("Model", modelFlags),
  group("Training", trainingFlags),
  group("Output", outputFlags),
);

/** What the command line says; a flag that was not given is undefined (or false, or an empty list). */
export type PretrainFlags = InferValue<typeof parser>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parsePretrainFlags(args: readonly string[]): Parsed<PretrainFlags> {
  return parseCommand(parser, args, {
    command: "deno task pretrain",
    brief:
      "Trains a BERT of any size from scratch on text files, by distillation from a sentence " +
      "encoder or by masked words, and writes it as a folder that train and transformers load.",
    examples: [
      "pretrain --text lines.txt --teacher sentence-transformers/all-MiniLM-L6-v2 --output small",
      "pretrain --text a.txt --text b.csv --objective mlm --layers 2 --output tiny",
      "pretrain --resume --output small",
      "train --model_name small --dataset mine.csv",
    ],
  });
}

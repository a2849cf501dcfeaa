/** The flags of `deno task train`: names, defaults, help; typed by what the parser returns. */
import { group, merge, object } from "@optique/core/constructs";
import { runParser } from "@optique/core/facade";
import { formatMessage, lineBreak, type Message, text } from "@optique/core/message";
import { withDefault } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { option } from "@optique/core/primitives";
import { choice, type ValueParser } from "@optique/core/valueparser";
import { placements } from "../models/peft/method.ts";
import { messageOf } from "../models/files/errors.ts";
import {
  parseAlpha,
  parseFolderName,
  parseLearningRates,
  parseNames,
  parseNotNegative,
  parseProbability,
  parseSizes,
  parseText,
  parseWhole,
} from "./flag_values.ts";

type FlagName = `--${string}`;
/** The longest term of the help page is `--adapter_placement PLACE`: 25 columns. */
type Metavar = "N" | "X" | "LIST" | "RATE" | "TEXT" | "NAME" | "FOLDER" | "PLACE" | "METHOD";

/** A value parser of Optique from a function that throws a sentence. */
function valueOf<T>(
  metavar: Metavar,
  parse: (text: string) => T,
  placeholder: T,
): ValueParser<"sync", T> {
  return {
    mode: "sync",
    metavar,
    placeholder,
    parse(input) {
      try {
        return { success: true, value: parse(input) };
      } catch (error) {
        return { success: false, error: [text(messageOf(error))] };
      }
    },
    format: String,
  };
}

/**
 * An option that is undefined where it was not given; `shown` is the default that the help shows,
 * in parentheses. Planning applies the defaults: it wants to know what was asked for explicitly.
 */
function flag<T>(name: FlagName, value: ValueParser<"sync", T>, help: string, shown: string) {
  const description = [text(`${help} (${shown})`)];
  return withDefault(option(name, value, { description }), undefined);
}

function whole(name: FlagName, help: string, shown: string, least: number, most?: number) {
  return flag(name, valueOf("N", (input) => parseWhole(input, least, most), least), help, shown);
}

function switchOn(name: FlagName, help: string) {
  return option(name, { description: [text(help)] });
}

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
  batchSize: whole("--batch_size", "Sentences a step", "16", 1),
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

export type ParsedFlags =
  | { kind: "flags"; flags: Flags }
  | { kind: "help"; text: string }
  | { kind: "error"; message: string };

const examples: Message = [
  "train --dry_run",
  "train --method adapter --size 64 --model_name mini --use_sample",
  "train --method lora --rank 8 --learning_rate 5e-4 --dataset mine.csv",
  "train --learning_rate full=2e-5,lora=5e-4,adapter=1e-4",
].flatMap((line) => [text(`deno task ${line}`), lineBreak()]).slice(0, -1);

/** `--batch-size=8` and `--batch_size=8` are the same flag. */
function toSnakeCase(argument: string): string {
  const [, name, rest] = /^--([a-z][\w-]*)(=.*)?$/is.exec(argument) ?? [];
  return name === undefined ? argument : `--${name.replaceAll("-", "_")}${rest ?? ""}`;
}

/** Carries the outcome out of Optique's callbacks, which are typed never to return. */
class Stop extends Error {
  constructor(readonly outcome: ParsedFlags) {
    super("The command line asks for no training.");
  }
}

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parseFlags(args: readonly string[]): ParsedFlags {
  const help: string[] = [];
  try {
    const flags = runParser(parser, "deno task train", args.map(toSnakeCase), {
      brief: [text("Fine-tunes BERT on WebGPU: fully, with LoRA, with adapters; compares them.")],
      help: {
        option: { names: ["--help", "-h"] },
        onShow: () => {
          throw new Stop({ kind: "help", text: help.join("\n") });
        },
      },
      usageLine: [{ type: "literal", value: "[flags]" }],
      examples,
      footer: [text("Flags may also be written with hyphens: --batch-size 8.")],
      maxWidth: 80,
      termWidth: 26,
      aboveError: "none",
      stdout: (line) => help.push(line),
      stderr: () => {},
      onError: (_exitCode, error) => {
        const sentence = formatMessage(error, { quotes: false }).replace(/\s+/g, " ").trim();
        throw new Stop({ kind: "error", message: sentence });
      },
    });
    return { kind: "flags", flags };
  } catch (error) {
    if (error instanceof Stop) return error.outcome;
    throw error;
  }
}

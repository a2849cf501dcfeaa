/** The flags of `deno task predict`. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import {
  flag,
  parseCommand,
  type Parsed,
  repeated,
  switchOn,
  texts,
  valueOf,
  whole,
} from "../shared/flag_parser.ts";
import { parseText } from "../shared/flag_values.ts";
import { tableFlags } from "../shared/table_flags.ts";
import { baseFlags, folder, sizeFlags } from "../trained/flags.ts";

export const parser = merge(
  group(
    "Run",
    object({
      run: repeated(
        "--run",
        folder,
        "A trained run's folder; again for more of one base",
        "required",
      ),
      ...baseFlags,
      ...sizeFlags,
    }),
  ),
  group(
    "Texts",
    object({
      texts: texts("To label; else --file, stdin's lines, or a prompt"),
      file: flag(
        "--file",
        valueOf("FILE", parseText, ""),
        "Texts of a file: Parquet, CSV, TSV, JSONL, txt",
        "none",
      ),
      textColumn: flag(
        "--text_column",
        valueOf("NAME", parseText, ""),
        "The file's column of texts",
        "found",
      ),
      ...tableFlags,
    }),
  ),
  group(
    "Output",
    object({
      topK: whole("--top_k", "Only the N best labels", "1; all with --json", 1),
      json: switchOn("--json", "Print one JSON object a line"),
    }),
  ),
);

/** What the command line says; a flag that was not given is undefined (or false). */
export type PredictFlags = InferValue<typeof parser>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parsePredictFlags(args: readonly string[]): Parsed<PredictFlags> {
  return parseCommand(parser, args, {
    command: "deno task predict",
    brief:
      "Labels texts with a run that deno task train, PEFT or AdapterHub has trained, or with " +
      "several that share one base.",
    operands: "[TEXT …]",
    examples: [
      'predict --run results/001-mini-sample/lora-r8 "I am so happy"',
      "predict --run results/001-mini-sample/full --file mine.csv --json",
      "predict --run results/001-mini-sample/lora-r8",
      "predict --run tried/lora-r4 --run tried/ia3 --file mine.csv",
      "predict --run my-lora --model_name roberta-base < lines.txt",
    ],
  });
}

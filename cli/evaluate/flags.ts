/** The flags of `deno task evaluate`. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { flag, parseCommand, type Parsed, switchOn, valueOf } from "../shared/flag_parser.ts";
import { parseText } from "../shared/flag_values.ts";
import { tableFlags } from "../shared/table_flags.ts";
import { baseFlags, runFlag, sizeFlags } from "../trained/flags.ts";
import { parts } from "./rows.ts";

const named = valueOf("NAME", parseText, "");

export const parser = merge(
  group(
    "Run",
    object({
      run: runFlag("A trained run's folder"),
      ...baseFlags,
      ...sizeFlags,
    }),
  ),
  group(
    "Data",
    object({
      split: flag(
        "--split",
        choice(parts, { metavar: "PART" }),
        "test, validation, train or all rows",
        "test",
      ),
      dataset: flag(
        "--dataset",
        named,
        "Other data: Hub id or file; its test part, or all",
        "the run's",
      ),
      textColumn: flag("--text_column", named, "Column of texts", "found"),
      labelColumn: flag("--label_column", named, "Column of labels", "found"),
      ...tableFlags,
      useSample: switchOn("--use_sample", "Evaluate on the built-in sample sentences"),
    }),
  ),
  group(
    "Output",
    object({
      json: switchOn("--json", "Print one JSON document on stdout"),
      noWrite: switchOn("--no_write", "Do not write evaluation.json into the run's folder"),
    }),
  ),
);

/** What the command line says; a flag that was not given is undefined (or false). */
export type EvaluateFlags = InferValue<typeof parser>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parseEvaluateFlags(args: readonly string[]): Parsed<EvaluateFlags> {
  return parseCommand(parser, args, {
    command: "deno task evaluate",
    brief: "Measures a trained run on its own data and split, or on other data. Products are of " +
      "f32 by the adapter's fixed plans: after training with --no_tune the test figures are " +
      "run.json's, after tuned plans last digits may differ, after f16 earlier ones.",
    examples: [
      "evaluate --run results/001-mini-sample/full",
      "evaluate --run results/001-mini-sample/full --split train",
      "evaluate --run my-lora --dataset mine.csv --label_column mood",
    ],
  });
}

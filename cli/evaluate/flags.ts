/** The flags of `deno task evaluate`. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { parts } from "./rows.ts";
import {
  flag,
  parseCommand,
  type Parsed,
  switchOn,
  valueOf,
  whole,
} from "../shared/flag_parser.ts";
import { parseText } from "../shared/flag_values.ts";

const named = valueOf("NAME", parseText, "");

export const parser = merge(
  group(
    "Run",
    object({
      run: flag("--run", valueOf("FOLDER", parseText, ""), "A trained run's folder", "required"),
      modelName: flag("--model_name", named, "Base model: Hub id, folder or mini", "the run's"),
      labels: flag(
        "--labels",
        valueOf("LIST", parseText, ""),
        "Classes' names: a,b,c or a file, one a line",
        "the run's",
      ),
      maxLength: whole("--max_length", "Tokens a text is cut to", "the run's", 3),
      batchSize: whole("--batch_size", "Texts a batch", "the run's", 1),
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
        "Other data: Hub id or file, taken whole",
        "the run's",
      ),
      textColumn: flag("--text_column", named, "Column of texts", "found"),
      labelColumn: flag("--label_column", named, "Column of labels", "found"),
      useSample: switchOn("--use_sample", "Evaluate on the built-in sample sentences"),
    }),
  ),
  group(
    "Output",
    object({
      json: switchOn("--json", "Print one JSON document"),
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

/** `run.json` of a run that a page trained, with the fields by which the commands know it again. */
import { partNames } from "../../models/data/part_names.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import { hyperparameterReport } from "../../models/training/hyperparameter_report.ts";
import type { Base } from "./base.ts";
import type { Trained } from "./trained.ts";

/** The content of `run.json`: the part of the command line's that a page can tell. */
export function runFacts(trained: Trained, base: Base): Record<string, unknown> {
  const { name, method, labels, hyperparameters, data, test, steps } = trained;
  return {
    run: name,
    method: method.method,
    label: definitionOf(method).label,
    config: definitionOf(method).configLabel(method),
    settings: definitionOf(method).report(method, base.config),
    labels,
    model: {
      name: base.name,
      built_in: base.origin === "built-in",
      ...(base.origin === "files" && { beside: true }),
    },
    trainable_params: trained.trainableParameters,
    hyperparameters: hyperparameters
      ? hyperparameterReport(hyperparameters)
      : { max_length: trained.maxLength },
    ...(data && {
      dataset: {
        name: data.name,
        sample: data.sample,
        text_column: data.textColumn,
        label_column: data.labelColumn,
        hash: data.hash,
        max_samples: null,
        split: {
          seed: data.seed,
          by: data.given === undefined ? "ratio" : "given",
          ...(data.given && {
            given: partNames.filter((part) => part !== "train" && data.given![part] > 0),
          }),
        },
      },
    }),
    ...(test && { test: { count: test.count, accuracy: test.accuracy, macro_f1: test.macroF1 } }),
    ...(steps !== undefined && { total_steps: steps }),
    made_by: "the page of `deno task web`",
  };
}

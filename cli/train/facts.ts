/** What an experiment is about, printed before its first run. */
import type { DeviceInfo } from "../../engine/adapter.ts";
import { conflictingTexts, droppedRows } from "../../models/data/clean.ts";
import type { Dataset } from "../../models/data/load.ts";
import { type PartName, partNames } from "../../models/data/part_names.ts";
import type { Split } from "../../models/data/split.ts";
import { quotedNames } from "../../models/errors.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import { countOf, formatAdapter, formatCount } from "../shared/format.ts";
import { harmless, type Output, paint, wrap } from "../shared/terminal.ts";

export type Fact = [label: string, text: string];

function describeData(dataset: Dataset): string {
  const { examples, labels } = dataset;
  const dropped = droppedRows(dataset);
  const conflicting = conflictingTexts(dataset);
  return `${dataset.name}: ${countOf(examples.length, "example")} of ` +
    countOf(labels.length, "class", "classes") +
    (dropped === undefined ? "" : ` (${dropped})`) +
    (conflicting === undefined ? "" : `; ${conflicting}`);
}

function describeColumns(
  { textColumn, labelColumn, labelNamesFrom, otherColumns }: Dataset,
): string {
  const others = quotedNames(otherColumns);
  return `texts from "${textColumn}", labels from "${labelColumn}"` +
    (labelNamesFrom === undefined ? "" : `, named by ${labelNamesFrom}`) +
    (others === "" ? "" : `; not used: ${others}`);
}

/** Where the parts come from: a part that was given is the data's own. */
function describeSplit({ given }: Dataset, split: Split, seed: number): string {
  const origin = (part: PartName) =>
    given === undefined
      ? ""
      : given[part] > 0
      ? part === "train" ? "" : " (given)"
      : " (a tenth of the training data)";
  const parts = partNames.map((part) =>
    `${formatCount(split[part].length)} ${part}${origin(part)}`
  );
  const drawn = given === undefined || partNames.some((part) => given[part] === 0);
  return `${parts.join(", ")}${drawn ? ` (seed ${seed})` : ""}`;
}

/** Model, data, split and adapter. */
export function factsOf(
  { model, dataset, split, seed, adapter }: {
    model: ResolvedModel;
    dataset: Dataset;
    split: Split;
    seed: number;
    adapter: DeviceInfo;
  },
): Fact[] {
  return [
    [
      "Model",
      model.name + (model.continuedFrom ? `, going on from ${model.continuedFrom}` : ""),
    ],
    ["Data", describeData(dataset)],
    ["Columns", describeColumns(dataset)],
    ["Split", describeSplit(dataset, split, seed)],
    ["GPU", formatAdapter(adapter)],
  ];
}

export function printFacts(facts: readonly Fact[], out: Output): void {
  const width = Math.max(30, Math.min(out.columns(), 100) - 10);
  for (const [label, text] of facts) {
    const [first, ...rest] = wrap(text, width).map(harmless);
    out.write(`${paint(out, "dim", label.padEnd(8))} ${first}\n`);
    for (const line of rest) out.write(`${" ".repeat(9)}${line}\n`);
  }
}

/** What an experiment is about, printed before its first run. */
import type { DeviceInfo } from "../../engine/device.ts";
import type { Dataset } from "../../models/data/load.ts";
import type { Split } from "../../models/data/split.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import { formatAdapter, formatCount } from "../shared/format.ts";
import { harmless, type Output, paint, wrap } from "../shared/terminal.ts";

export type Fact = [label: string, text: string];

function describeData(dataset: Dataset): string {
  const { examples, emptyRows, duplicates, conflicts, labels } = dataset;
  const dropped: string[] = [];
  if (emptyRows > 0) dropped.push(`${formatCount(emptyRows)} empty`);
  if (duplicates > 0) dropped.push(`${formatCount(duplicates)} duplicate`);
  return `${dataset.name}: ${formatCount(examples.length)} examples of ${labels.length} classes` +
    (dropped.length > 0 ? ` (${dropped.join(" and ")} rows dropped)` : "") +
    (conflicts > 0 ? `; ${formatCount(conflicts)} texts have more than one label` : "");
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
  const { train, validation, test } = split;
  return [
    [
      "Model",
      model.name + (model.continuedFrom ? `, going on from ${model.continuedFrom}` : ""),
    ],
    ["Data", describeData(dataset)],
    [
      "Split",
      `${formatCount(train.length)} train, ${formatCount(validation.length)} validation, ` +
      `${formatCount(test.length)} test (seed ${seed})`,
    ],
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

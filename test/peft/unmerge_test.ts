/** What merging folds into a base comes out of it again, and another model is told from the one that was merged. */
import assert from "node:assert/strict";
import { openWeights, randomWeights, trainedWeights } from "../../models/encoders/weights.ts";
import { hostFolder } from "../../models/host/files.ts";
import { mergeRun } from "../../models/peft/merge.ts";
import { methodParameters } from "../../models/peft/methods.ts";
import type { LoadedRun, NamedTensors } from "../../models/peft/run_files.ts";
import { unmergeRun } from "../../models/peft/unmerge.ts";
import { golden } from "../files/temporary.ts";
import { baseOf } from "../models/goldens.ts";
import { configOf, fails, labels, readRun } from "./folders.ts";

const classes = labels.length;

/** A golden run, merged; `back` takes a run out of the merged model, or of one that is given. */
async function merged(run: string) {
  const config = await configOf(run);
  const base = await openWeights(hostFolder(baseOf(run)), config, classes);
  const read = await readRun(golden(run, "peft"), config);
  const sourceOf = (weights: NamedTensors) => trainedWeights(weights, randomWeights("merged"));
  const model = await mergeRun(read, { config, classes, base });
  return {
    config,
    read,
    model,
    base,
    back: async (taken: Pick<LoadedRun, "method" | "weights"> = read, weights = model.weights) =>
      await unmergeRun(taken, { config, classes, base, merged: sourceOf(weights) }),
  };
}

for (
  const [run, count] of [
    ["lora", 4],
    ["lora-rslora-all", 12],
    ["lora-bias-all", 4],
    ["lora-pattern-regex", 4],
    ["lora-pooler", 4],
    ["dora", 4],
    ["ia3", 8],
    ["roberta-lora", 4],
    ["distilbert-ia3", 6],
  ] as const
) {
  Deno.test(`${run}: taken out of ${count} layers, it leaves the base`, async () => {
    const { config, base, back } = await merged(run);
    const { weights, layers, change, difference, tolerance, lost } = await back();
    assert.equal(layers.length, count);
    assert.deepEqual(lost, []);
    assert.ok(change > 1e-3, `it changed by no more than ${change}`);
    assert.ok(difference < 1e-6 && difference <= tolerance, `off by ${difference}`);
    const specs = methodParameters(config, { method: "full" }, classes);
    assert.deepEqual([...weights.keys()], specs.map(({ name }) => name));
    for (const spec of specs) {
      const before = await base.read(spec);
      if (!before) continue; // a classifier that the base lacks
      const { data } = weights.get(spec.name)!;
      const most = data.reduce((most, value, i) => Math.max(most, Math.abs(value - before[i])), 0);
      assert.ok(most < 1e-6, `${spec.name} is off by ${most}`);
    }
    base.close();
  });
}

Deno.test("another run's model, the base itself and a changed tensor are told, with the place", async () => {
  const [lora, dora] = [await merged("lora"), await merged("dora")];
  const other = await lora.back(dora.read);
  assert.ok(other.difference > 100 * other.tolerance, `${other.difference}`);
  assert.match(other.tensor, /classifier|query|value/);
  for (const name of ["bert.embeddings.LayerNorm.weight", "classifier.bias"]) {
    const weights = new Map(lora.model.weights);
    const { shape, data } = weights.get(name)!;
    weights.set(name, { shape, data: data.with(1, data[1] + 0.125) });
    const { difference, tensor, tolerance } = await lora.back(lora.read, weights);
    assert.deepEqual([tensor, Math.round(difference * 1e4) / 1e4], [name, 0.125]);
    assert.ok(difference > tolerance);
  }
  lora.base.close();
  dora.base.close();
});

for (const [run, ending] of [["dora", "lora_magnitude_vector"], ["ia3", "key.ia3_l"]]) {
  Deno.test(`${run}: rows that a factor of 0 wiped out are the base's, and are named`, async () => {
    const { config, read, base, back } = await merged(run);
    const weights = new Map(
      [...read.weights].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    );
    const name = [...weights.keys()].find((name) => name.endsWith(ending))!;
    weights.get(name)!.data.fill(0, 2, 5);
    const wiped = { ...read, weights };
    const model = await mergeRun(wiped, { config, classes, base });
    const { difference, lost } = await back(wiped, model.weights);
    assert.deepEqual(lost, [{ layer: name.slice(0, name.lastIndexOf(".")), count: 3 }]);
    assert.ok(difference < 1e-6, `off by ${difference}`);
    base.close();
  });
}

Deno.test("a model without a classifier for the run's classes is refused by its tensor", async () => {
  const { base, model, back, read } = await merged("ia3");
  const weights = new Map(model.weights);
  weights.delete("classifier.bias");
  await fails(back(read, weights), /^merged lacks "classifier\.bias" \[5\]/);
  base.close();
});

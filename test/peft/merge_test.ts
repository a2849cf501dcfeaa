/** A run that is merged into its base gives the logits that PEFT computes with both, and is a whole model. */
import assert from "node:assert/strict";
import { noGrad } from "../../engine/tape.ts";
import { openWeights, randomWeights, trainedWeights } from "../../models/encoders/weights.ts";
import { hostFolder } from "../../models/host/files.ts";
import { createModel } from "../../models/model.ts";
import { mergeRun } from "../../models/peft/merge.ts";
import type { Method } from "../../models/peft/methods.ts";
import { golden } from "../files/temporary.ts";
import { testDevice } from "../models/device.ts";
import { baseOf, openGolden, packGolden } from "../models/goldens.ts";
import { config, distinctWeights, fails, labels, readRun } from "./folders.ts";

const classes = labels.length;

for (
  const [run, count] of [
    ["lora", 4],
    ["lora-rslora-all", 12],
    ["lora-bias-all", 4],
    ["lora-pattern", 4],
    ["lora-pattern-regex", 4],
    ["lora-layers", 2],
    ["lora-pooler", 4],
    ["dora", 4],
    ["ia3", 8],
    ["roberta-lora", 4],
    ["roberta-ia3", 8],
    ["distilbert-ia3", 6],
  ] as const
) {
  Deno.test(`${run}: merged into ${count} layers, it gives the reference's logits`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const { config, numbers, batches } = source;
    const base = await openWeights(hostFolder(baseOf(run)), config, classes);
    const read = await readRun(golden(run, "peft"), config);
    const { weights, layers } = await mergeRun(read, { config, classes, base });
    base.close();
    assert.equal(layers.length, count);
    // Nothing but the merged tensors: what is missing would start at random.
    const built = await createModel(device, {
      config,
      method: { method: "full" },
      classes,
      weights: trainedWeights(weights, randomWeights("nothing")),
      seed: 1,
    });
    device.beginStep(0, 0);
    const batch = packGolden(device, source, batches[0]);
    const logits = await noGrad(() => built.model.logits(batch)).read();
    device.endStep();
    const errors = numbers.logits.flat().map((logit, i) => Math.abs(logit - logits[i]));
    const error = Math.max(...errors);
    assert.ok(error < 1e-4, `logits are off by ${error}`);
    built.destroy();
    source.close();
  });
}

Deno.test("an adapter and a whole model are refused, with the reason", async () => {
  const base = randomWeights("nothing");
  const adapter = { method: "adapter", size: 4, placement: "pfeiffer" } as const;
  for (
    const [method, message] of [
      [adapter, /^This run cannot be merged: an adapter has a nonlinearity /],
      [{ method: "full" }, /^This run cannot be merged: .* its folder is a whole model already\.$/],
    ] as const
  ) {
    const merged = mergeRun({ method, weights: new Map() }, { config, classes, base });
    await fails(merged, message);
  }
});

Deno.test("a layer that would hold no numbers is refused by name", async () => {
  const method: Method = { method: "ia3", targetModules: ["key"] };
  const weights = distinctWeights(method);
  const name = [...weights.keys()].find((name) => name.endsWith("ia3_l"))!;
  weights.get(name)!.data[3] = NaN;
  const merged = mergeRun({ method, weights }, { config, classes, base: randomWeights("none") });
  await fails(
    merged,
    /^bert\.encoder\.layer\.0\.attention\.self\.key would hold no finite numbers/,
  );
});

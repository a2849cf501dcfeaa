/** A folder that PEFT or AdapterHub wrote gives, over its base, the logits that they compute with it. */
import assert from "node:assert/strict";
import { noGrad } from "../../engine/tape.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { hostFolder } from "../../models/host/files.ts";
import { createModel } from "../../models/model.ts";
import { golden } from "../files/temporary.ts";
import { testDevice } from "../models/device.ts";
import { baseOf, distance, openGolden, packGolden } from "../models/goldens.ts";
import { labels, readRun } from "./folders.ts";

for (
  const [run, format] of [
    ["lora-bias-all", "peft"],
    ["lora-pattern-regex", "peft"],
    ["lora-pooler", "peft"],
    ["dora", "peft"],
    ["roberta-ia3", "peft"],
    ["distilbert-lora", "peft"],
    ["adapter-shared", "adapterhub"],
    ["roberta-adapter-parallel", "adapterhub"],
    ["distilbert-adapter-houlsby", "adapterhub"],
  ] as const
) {
  Deno.test(`${run}: the ${format} folder gives the reference's logits`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const { config, numbers, batches } = source;
    const { method, weights: trained } = await readRun(golden(run, format), config);
    const base = await openWeights(hostFolder(baseOf(run)), config, labels.length);
    const weights: typeof base = {
      ...base,
      read: async (wanted) => trained.get(wanted.name)?.data ?? await base.read(wanted),
    };
    const options = { config, method, classes: labels.length, weights, seed: 1 };
    const built = await createModel(device, options);
    device.beginStep(0, 0);
    const batch = packGolden(device, source, batches[0]);
    const logits = await noGrad(() => built.model.logits(batch)).read();
    device.endStep();
    const error = distance(logits, numbers.logits.flat());
    assert.ok(error < 1e-4, `logits are off by ${error}`);
    built.destroy();
    base.close();
    source.close();
  });
}

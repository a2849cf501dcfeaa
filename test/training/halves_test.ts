/** Between the halves of a step gradients and loss can be summed over machines: two replicas are one model. */
import assert from "node:assert/strict";
import { AdamW } from "../../engine/optimizer.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { createModel } from "../../models/model.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import { readWeights } from "../../models/training/state.ts";
import { applyUpdate, computeGradients, type Training } from "../../models/training/step.ts";
import { testDevice } from "../models/device.ts";
import { config } from "./small_task.ts";

const device = await testDevice();
const settings = { seed: 1, batchSize: 4, gradientAccumulationSteps: 1 };
const quiet = { ...config, hiddenDropout: 0, attentionDropout: 0, classifierDropout: 0 };
const batch = [[2, 5, 9, 3], [2, 8, 3], [2, 4, 4, 11, 3], [2, 30, 3]].map((ids, i) => ({
  ids,
  label: i % 3,
}));

async function replica(method: Method): Promise<Training> {
  const weights = randomWeights("a test");
  const options = { config: quiet, method, classes: 3, weights, seed: 1 };
  const built = await createModel(device, options);
  const optimizer = new AdamW(built.parameters, { weightDecay: 0.01, maxGradNorm: 1 });
  return { device, built, optimizer };
}

const slots = ({ built, optimizer }: Training) => [
  ...built.parameters.slabs.map(({ gradient }) => gradient),
  optimizer.loss,
];

/** The mean of what lies in the slabs of several machines, in each of them. */
async function reduce(machines: Training[]): Promise<void> {
  const values = await Promise.all(
    machines.map((machine) => Promise.all(slots(machine).map((tensor) => tensor.read()))),
  );
  for (const machine of machines) {
    slots(machine).forEach(({ storage, offset }, slot) => {
      const mean = values[0][slot].map((_, i) =>
        values.reduce((sum, slabs) => sum + slabs[slot][i], 0) / machines.length
      );
      device.write(storage, offset, mean);
    });
  }
}

const quietLora: Method = { ...loraDefaults(4), dropout: 0 };
for (const method of [{ method: "full" }, quietLora] satisfies Method[]) {
  Deno.test(`${method.method}: two machines with half a batch each make the step of one`, async () => {
    const [one, ...two] = await Promise.all([1, 2, 3].map(() => replica(method)));
    for (let step = 0; step < 3; step++) {
      computeGradients(one, batch, { ...settings, step });
      applyUpdate(one, 1e-2);
      for (const [i, machine] of two.entries()) {
        computeGradients(machine, batch.slice(2 * i, 2 * i + 2), { ...settings, step });
      }
      await reduce(two);
      for (const machine of two) applyUpdate(machine, 1e-2);
    }
    const read = async ({ built, optimizer }: Training) => ({
      weights: await readWeights(built.parameters, built.specs),
      losses: (await optimizer.readHistory()).map(({ loss }) => loss),
    });
    const [whole, first, second] = await Promise.all([one, ...two].map(read));
    assert.deepEqual(second, first);
    whole.losses.forEach((loss, i) => assert.ok(Math.abs(loss - first.losses[i]) < 1e-5));
    assert.ok(whole.losses[2] < whole.losses[0]);
    for (const [name, { data }] of whole.weights) {
      if (name.endsWith("key.bias")) continue; // softmax is blind to it: its gradient is rounding, which AdamW enlarges
      const other = first.weights.get(name)!.data;
      const apart = data.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i])), 0);
      assert.ok(apart < 2e-4, `${name}: ${apart}`); // a step moves a weight by up to 1e-2
    }
    for (const { built, optimizer } of [one, ...two]) {
      optimizer.destroy();
      built.destroy();
    }
  });
}

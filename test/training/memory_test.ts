/** What saves memory changes no result: gradient accumulation and gradient checkpointing. */
import assert from "node:assert/strict";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { StepEvent } from "../../models/training/events.ts";
import { bits, run } from "./small_task.ts";

const adapter = { method: "adapter", size: 8 } as const;

const numbers = (steps: StepEvent[]) =>
  steps.map((step) => [step.loss, step.gradientNorm, step.learningRate, step.tokens]);

const accumulated: Method[] = [
  { method: "full" },
  { ...loraDefaults(4), dropout: 0 },
  { ...adapter, placement: "houlsby" },
];
for (const method of accumulated) {
  Deno.test(`${method.method}: four batches of 4 are one of 16, in a ragged last step too`, async () => {
    const config = { hiddenDropout: 0, attentionDropout: 0, classifierDropout: 0 };
    const settings = { epochs: 1, learningRate: 1e-3 };
    const whole = await run(method, settings, { config });
    const inParts = { ...settings, batchSize: 4, gradientAccumulationSteps: 4 };
    const parts = await run(method, inParts, { config });
    assert.equal(parts.steps.length, 6, "90 sentences: 22 batches of 4 and one of 2");
    const expected = numbers(whole.steps).flat();
    numbers(parts.steps).flat().forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]) < 1e-5, `${value} for ${expected[i]}`);
    });
    for (const [name, { data }] of parts.result.weights) {
      if (name.endsWith("key.bias")) continue; // its gradient is rounding noise, which Adam blows up
      const values = whole.result.weights.get(name)!.data;
      const worst = Math.max(...data.map((value, i) => Math.abs(value - values[i])));
      assert.ok(worst < 1e-5, `${name} is off by ${worst}`);
    }
  });
}

Deno.test("every batch of a step drops out other values", async () => {
  const method = loraDefaults(4);
  // The first step's learning rate is 0: two steps of one batch see the weights that one step of two sees.
  const { steps: [first, second] } = await run(method, { epochs: 1, batchSize: 8 });
  const halves = { epochs: 1, batchSize: 8, gradientAccumulationSteps: 2 };
  const { steps: [both] } = await run(method, halves);
  assert.ok(Math.abs(both.loss - (first.loss + second.loss) / 2) < 1e-6);
  assert.equal(both.tokens, first.tokens + second.tokens);
});

const checkpointed: Method[] = [
  { method: "full" },
  loraDefaults(4),
  { ...adapter, placement: "houlsby" },
  { ...adapter, placement: "shared" },
  { ...adapter, placement: "output" }, // nothing trains in the layers
];
for (const method of checkpointed) {
  const name = "placement" in method ? method.placement : method.method;
  Deno.test(`${name}: checkpointing gives the same bits with less memory`, async () => {
    const settings = { epochs: 1, batchSize: 8, gradientAccumulationSteps: 2 };
    const config = { layers: 4 };
    const plain = await run(method, settings, { config });
    const saving = await run(method, settings, { config, gradientCheckpointing: true });
    assert.deepEqual(numbers(saving.steps), numbers(plain.steps));
    assert.deepEqual(bits(saving.result), bits(plain.result));
    const [bytes, less] = [plain, saving].map(({ result }) => result.peakGpuBytes);
    assert.ok(less < bytes, `${less} of ${bytes} bytes`);
  });
}

Deno.test("a thousand steps take no more memory than two epochs", async () => {
  const method = loraDefaults(4);
  const settings = { batchSize: 2, learningRate: 1e-4 }; // 45 steps an epoch, of many shapes
  const config = { layers: 1 };
  const short = await run(method, { ...settings, epochs: 2 }, { config });
  const long = await run(method, { ...settings, epochs: 23 }, { config });
  assert.equal(long.steps.length, 1035);
  assert.equal(long.result.peakGpuBytes, short.result.peakGpuBytes);
});

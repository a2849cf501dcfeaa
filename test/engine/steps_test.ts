/** Whole steps: memory that comes back, and the same bits for the same seed. */
import assert from "node:assert/strict";
import { rowIndex } from "../../engine/ops/embedding.ts";
import {
  add,
  attention,
  crossEntropy,
  dropout,
  embedding,
  gelu,
  layerNorm,
  linear,
  scale,
  silu,
} from "../../engine/ops/mod.ts";
import { noGrad, scope, withTape } from "../../engine/tape.ts";
import { clear, type Tensor, upload } from "../../engine/tensor.ts";
import { parameter, randomValues, tensorOf } from "./check.ts";
import { device, step } from "./step.ts";

Deno.test("what forward and backward no longer need is used again", () =>
  step(() => {
    const layers = 20;
    const bytes = 64 * 256 * 4;
    const x = tensorOf(device, [64, 256], randomValues(64 * 256, 1), true);
    device.trim();
    const held = device.memory.heldBytes;
    const { backward } = withTape(() => {
      let h: Tensor = x;
      for (let i = 0; i < layers; i++) h = silu(h);
      return h;
    });
    assert.equal(device.memory.heldBytes - held, layers * bytes);
    backward(); // a seed, one more gradient; later layers' buffers serve the earlier ones
    assert.ok(device.memory.heldBytes - held <= (layers + 3) * bytes);
    const afterwards = device.memory.heldBytes;
    noGrad(() => {
      let h: Tensor = x;
      for (let i = 0; i < 10 * layers; i++) h = scope(device, () => silu(scale(h, 1.1)));
    });
    // Each scope keeps its result, whose consumer is not known; its inside is given back.
    assert.ok(device.memory.heldBytes - afterwards <= (10 * layers + 1) * bytes);
    return Promise.resolve();
  }));

/** A small encoder with everything in it: its parameters, and a training step that makes gradients. */
function smallModel(hidden = 16) {
  const table = parameter(device, [30, hidden], 1);
  const weight = parameter(device, [3, hidden, hidden], 2);
  const bias = parameter(device, [3, hidden], 5);
  const gamma = parameter(device, [hidden], 8);
  const beta = parameter(device, [hidden], 9);
  const head = parameter(device, [3, hidden], 10);
  const headBias = parameter(device, [3], 11);
  const parameters = [table, weight, bias, gamma, beta, head, headBias];
  const sentences = Uint32Array.from([0, 3, 0, 3, 0, 3, 3, 8, 3, 8, 3, 8, 3, 8, 3, 8]);
  return {
    parameters,
    train(seed: number, step: number): void {
      for (const { gradient } of parameters) clear(gradient!);
      device.beginStep(seed, step);
      const { backward } = withTape(() => {
        const ids = rowIndex(device, Uint32Array.from([1, 9, 1, 4, 29, 1, 0, 4]));
        const x = dropout(layerNorm(embedding(table, ids), gamma, beta, 1e-12), 0.1);
        const mixed = attention(linear(x, { weight, bias }), {
          heads: 1,
          dropout: 0.1,
          sentences: upload(device, [8, 2], sentences),
        });
        const y = layerNorm(add(dropout(mixed, 0.1), x), gamma, beta, 1e-12);
        const first = embedding(y, rowIndex(device, Uint32Array.from([0, 3])));
        const logits = linear(gelu(first), { weight: head, bias: headBias });
        return crossEntropy(logits, upload(device, [2], Uint32Array.from([2, 0])));
      });
      backward();
      device.endStep();
    },
    async gradients(): Promise<string> {
      const values = await Promise.all(parameters.map(({ gradient }) => gradient!.read()));
      return values.map((gradient) => new Uint32Array(gradient.buffer).join()).join("\n");
    },
  };
}

Deno.test("the same seed and step make the same bits; another seed or step does not", async () => {
  const model = smallModel();
  const run = async (seed: number, step: number) => {
    model.train(seed, step);
    return await model.gradients();
  };
  const first = await run(5, 1);
  assert.notEqual(await run(6, 1), first);
  assert.notEqual(await run(5, 2), first);
  assert.equal(await run(5, 1), first);
});

Deno.test("50 equal steps take no more memory than two", async () => {
  const model = smallModel();
  model.train(1, 0);
  model.train(1, 1);
  const { heldBytes } = device.memory;
  for (let step = 2; step < 50; step++) model.train(1, step);
  await device.finish();
  assert.equal(device.memory.heldBytes, heldBytes);
});

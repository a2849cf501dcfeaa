/** The device whose commands go nowhere: it launches and counts what a real one does, and takes no memory. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { OutOfMemoryError } from "../../engine/errors.ts";
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
} from "../../engine/ops/mod.ts";
import { AdamW, setOrAdd } from "../../engine/optimizer.ts";
import { Parameters } from "../../engine/parameters.ts";
import { type Product, registerPlan } from "../../engine/plans.ts";
import { withTape } from "../../engine/tape.ts";
import { empty, upload } from "../../engine/tensor.ts";
import { traceDevice, traceProducts } from "../../engine/trace.ts";
import { leftBy } from "./live.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1, { textures: true }), attentionTextures: true },
});
const hidden = 64;
const tokens = 8;

/** A training step with every kind of product: stacked, with LoRA's, narrow, and one that no tile fits. */
function step(device: Device): void {
  const trainable = { trainable: true, decay: true };
  const square = [hidden, hidden];
  const parameters = new Parameters(device, [
    { name: "table", shape: [30, hidden], ...trainable },
    ...["q", "k", "v"].map((name) => ({ name, shape: square, stack: "weights", ...trainable })),
    ...["qb", "kb", "vb"].map((name) => ({ name, shape: [hidden], stack: "biases", ...trainable })),
    { name: "w", shape: square, ...trainable },
    { name: "frozen", shape: square, trainable: false, decay: true, packed: "bf16" },
    { name: "a", shape: [4, hidden], ...trainable },
    { name: "b", shape: [hidden, 4], ...trainable },
    { name: "head", shape: [3, hidden], ...trainable },
    ...["gamma", "beta", "bias"].map((name) => ({ name, shape: [hidden], ...trainable })),
    { name: "headBias", shape: [3], ...trainable },
  ]);
  const of = (name: string) => parameters.get(name);
  const optimizer = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 });
  const sentence = Uint32Array.from(new Array(tokens).fill([0, tokens]).flat());
  device.beginStep(1, 1);
  parameters.zeroGradients();
  const { output, backward } = withTape(() => {
    const ids = rowIndex(device, Uint32Array.from([1, 9, 1, 4, 29, 1, 0, 4]));
    const x = dropout(layerNorm(embedding(of("table"), ids), of("gamma"), of("beta"), 1e-12), 0.1);
    const stack = {
      weight: parameters.stack(["q", "k", "v"]),
      bias: parameters.stack(["qb", "kb", "vb"]),
    };
    const mixed = attention(linear(x, stack), {
      heads: 2,
      dropout: 0.1,
      sentences: upload(device, [tokens, 2], sentence),
    });
    const lora = { a: of("a"), b: of("b"), scale: 2, dropout: 0.1 };
    const y = add(linear(mixed, { weight: of("frozen"), bias: of("bias"), lora }), x);
    const first = embedding(
      gelu(linear(y, { weight: of("w"), bias: of("bias") })),
      rowIndex(device, Uint32Array.of(0)),
    );
    return crossEntropy(
      linear(first, { weight: of("head"), bias: of("headBias") }),
      upload(device, [1], Uint32Array.of(2)),
    );
  });
  backward();
  setOrAdd(optimizer.loss, output, true);
  optimizer.update(1e-3);
  device.endStep();
}

/** A device on the same GPU, whose memory and launches are counted from nothing. */
const fresh = () => new Device(device.gpu, device.info, device.kernels);

Deno.test("a trace has the products, the launches and the memory of the real step", async () => {
  const real = fresh();
  const expected: Product[] = [];
  real.onProduct = (product) => expected.push(product);
  step(real);
  await real.finish();
  assert.deepEqual(traceProducts(real, step), expected);
  const kinds = expected.map(({ transpose, dtype, stack }) => `${transpose} ${dtype} ${stack}`);
  for (const kind of ["NT f32 3", "NT bf16 1", "NN f32 1", "TN f32 1", "NN bf16 1"]) {
    assert.ok(kinds.includes(kind), `${kind} of ${kinds}`);
  }
  const traced = traceDevice(real);
  step(traced);
  assert.equal(traced.launcher.dispatches, real.launcher.dispatches);
  assert.equal(traced.memory.peakBytes, real.memory.peakBytes);
});

Deno.test("a trace takes nothing of the GPU, not even a submission", async () => {
  const real = fresh();
  const { queue } = real.gpu;
  let submissions = 0;
  const { submit } = queue;
  queue.submit = (...buffers) => {
    submissions++;
    submit.apply(queue, buffers);
  };
  const made = await leftBy(real.gpu, () => Promise.resolve(step(traceDevice(real))));
  queue.submit = submit;
  assert.deepEqual([made, submissions, real.memory.heldBytes], [0, 0, 0]);
  assert.equal(real.launcher.dispatches, 0);
});

Deno.test("a trace refuses what the device would, and reads zeros", async () => {
  const traced = traceDevice(device);
  const limit = device.gpu.limits.maxBufferSize;
  assert.throws(() => empty(traced, [limit]), OutOfMemoryError);
  assert.deepEqual([...await upload(traced, [3], Float32Array.of(1, 2, 3)).read()], [0, 0, 0]);
  await traced.finish();
  traced.trim();
  traced.destroy();
});

Deno.test("a trace goes by the tuned plans and kernels of its device", () => {
  const real = fresh();
  real.tunedPlans = { "NT f32 small": registerPlan(2, 1) };
  const traced = traceDevice(real);
  assert.equal(traced.tunedPlans, real.tunedPlans);
  assert.equal(traced.kernels, real.kernels);
  assert.equal(traced.info, real.info);
  assert.equal(traced.maxBindingBytes, real.maxBindingBytes);
});

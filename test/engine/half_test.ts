/** Activations and their gradients in 16 bits a value, in both ways that kernels have of writing them. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { convert, linear } from "../../engine/ops/mod.ts";
import { AdamW } from "../../engine/optimizer.ts";
import { Parameters } from "../../engine/parameters.ts";
import { plansAmong, registerPlan, shapeClass, workgroupPlan } from "../../engine/plans.ts";
import { empty, part } from "../../engine/tensor.ts";
import { traceProducts } from "../../engine/trace.ts";
import { checksFor, runChecks } from "../../gradcheck/mod.ts";
import { randomValues, tensorOf } from "./check.ts";

const half = await createDevice({
  computeDtype: "f16",
  kernels: { matmul: { ...registerPlan(1, 1), textures: true } }, // compiles fast
});
const { gpu, info, kernels } = half;
/** A GPU's kernels, with f16 in WGSL's own words where the adapter has them. */
const nativeF16 = gpu.features.has("shader-f16");
const native = new Device(gpu, info, {
  ...kernels,
  matmul: workgroupPlan(1, 1, { inner: 8, prefetch: true, workgroup: [4, 4] }),
  broadcastLanes: 0,
  rowLanes: 32,
  attentionTextures: false,
  nativeF16,
});
/** As if a binding had 4 kB. */
const pieces = new Device(gpu, info, kernels, 4096);

const ways = { "as the adapter takes them": half, "as a GPU does": native };
for (const [how, device] of Object.entries(ways)) {
  Deno.test(`f16 activations, ${how}: every operation's result and gradients`, async () => {
    const { matmul } = device.kernels;
    const checks = checksFor(device).filter((check) =>
      (check.kernels?.matmul ?? matmul) === matmul
    );
    for await (const row of runChecks(device, checks)) {
      assert.equal(row.status, "ok", JSON.stringify(row));
    }
  });

  Deno.test(`f16 activations, ${how}: values are rounded, and what does not fit is infinite`, async () => {
    device.beginStep(0, 0);
    const values = [1 + 2 ** -10, -1e-7, 6e-8, 0, 65504, -65504, 1 + 2 ** -11 + 2 ** -13];
    const beyond = [70000, -70000, 65536, 1e30, Infinity, -Infinity, NaN];
    const x = tensorOf(device, [14], [...values, ...beyond]);
    const y = [...await convert(x, "f16").read()];
    for (const [i, value] of values.entries()) {
      const exact = Math.f16round(value);
      const step = Math.max(2 ** -24, Math.abs(exact) * 2 ** -10); // some adapters cut instead of rounding
      assert.ok(Math.abs(y[i] - exact) <= step, `${value} becomes ${y[i]}`);
    }
    assert.ok(y.slice(values.length).every((value) => !Number.isFinite(value)), y.join(" "));
    device.endStep();
  });
}

Deno.test("f16 activations: values of two dtypes above the binding limit go in the same pieces", async () => {
  pieces.beginStep(0, 0);
  const values = randomValues(211 * 13, 1);
  const there = convert(tensorOf(pieces, [211, 13], values), "f16");
  assert.equal(there.binding.size, 2 * 2744);
  assert.deepEqual([...await there.read()], values.map(Math.f16round));
  assert.deepEqual([...await convert(there, "f32").read()], values.map(Math.f16round));
  pieces.endStep();
});

Deno.test("f16 activations: a part starts after half the bytes of f32", () => {
  const x = tensorOf(half, [2, 64, 4], randomValues(512, 1), false, "f16");
  assert.equal(part(x, 1).offset, 64 * 4 * 2);
  half.endStep();
});

Deno.test("f16 activations have tuned plans of their own", () => {
  const shape = { transpose: "NT", rows: 64, columns: 64, inner: 64, dtype: "f32" } as const;
  const [own, others] = [shapeClass({ ...shape, dtypeA: "f16" }), shapeClass(shape)];
  assert.deepEqual([own, others], ["NT f16×f32 small", "NT f32 small"]);
  const tuned = { [own]: kernels.matmul, "NT f16×f64 small": kernels.matmul };
  assert.deepEqual(plansAmong([kernels.matmul], tuned), { [own]: kernels.matmul });
  const traced = traceProducts(half, (device) => {
    const x = empty(device, [64, 64], "f16");
    linear(x, { weight: empty(device, [64, 64]) });
  });
  assert.deepEqual(traced.map(shapeClass), [own]);
});

/** An optimiser of one parameter [4] whose gradient, of the scaled loss, can be set. */
function optimizerOfOne() {
  const parameters = new Parameters(half, [
    { name: "w", shape: [4], decay: false, trainable: true },
  ]);
  const optimizer = new AdamW(parameters, { weightDecay: 0, maxGradNorm: 0 });
  const { gradient } = parameters.get("w");
  half.write(optimizer.loss.storage, 0, Float32Array.of(0.5));
  return {
    optimizer,
    value: () => parameters.get("w").read(),
    update(...values: number[]) {
      half.write(gradient!.storage, 0, Float32Array.from(values));
      optimizer.update(0.1);
    },
    destroy() {
      optimizer.destroy();
      parameters.destroy();
    },
  };
}

Deno.test("the loss scale: a gradient that is no number leaves the step out and halves it", async () => {
  const { optimizer, update, value, destroy } = optimizerOfOne();
  for (const bad of [Infinity, NaN]) {
    update(1024, 0, bad, 0);
    assert.deepEqual([...await value()], [0, 0, 0, 0]);
  }
  update(256 * 3, 0, 0, 256 * 4);
  assert.ok((await value())[0] < -0.01);
  const records = await optimizer.readHistory();
  assert.deepEqual(records.map(({ lossScale }) => lossScale), [1024, 512, 256]);
  assert.deepEqual(records.map(({ skipped }) => skipped), [true, true, false]);
  assert.deepEqual(records.map(({ gradientNorm }) => gradientNorm), [Infinity, Infinity, 5]);
  assert.deepEqual((await optimizer.capture()).lossScale, { factor: 256, steps: 1 });
  destroy();
});

Deno.test("the loss scale: it doubles after 200 good steps, and goes on from a state", async () => {
  const { optimizer, update, destroy } = optimizerOfOne();
  const state = await optimizer.capture();
  optimizer.restore({ ...state, lossScale: { factor: 32, steps: 198 } });
  update(1, 1, 1, 1);
  update(1, 1, 1, 1);
  update(1, 1, 1, 1);
  const records = await optimizer.readHistory();
  assert.deepEqual(records.map(({ lossScale }) => lossScale), [32, 32, 64]);
  optimizer.restore({ ...state, lossScale: { factor: 65536, steps: 199 } });
  update(1, 1, 1, 1);
  update(1, 1, 1, 1);
  const [, last] = await optimizer.readHistory();
  assert.equal(last.lossScale, 65536); // the most
  destroy();
});

Deno.test("the loss scale: where it is 1 already, the step is no skipped one", async () => {
  const { optimizer, update, destroy } = optimizerOfOne();
  optimizer.restore({ ...await optimizer.capture(), lossScale: { factor: 1, steps: 0 } });
  update(NaN, 0, 0, 0);
  const [{ skipped, gradientNorm }] = await optimizer.readHistory();
  assert.deepEqual([skipped, gradientNorm], [false, Infinity]);
  destroy();
});

Deno.test("a device of f32 has no loss scale", async () => {
  const device = await createDevice();
  const parameters = new Parameters(device, [
    { name: "w", shape: [4], decay: false, trainable: true },
  ]);
  assert.equal(new AdamW(parameters, { weightDecay: 0, maxGradNorm: 1 }).lossScale, undefined);
  device.destroy();
});

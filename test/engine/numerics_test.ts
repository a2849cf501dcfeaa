/** Extreme inputs stay finite and right, erf is good to 2e-7, and mistakes in shapes are named. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import {
  add,
  attention,
  crossEntropy,
  embedding,
  gelu,
  join,
  layerNorm,
  linear,
  loraRowNorms,
  relu,
  scaleColumns,
  silu,
  softmax,
  tanh,
} from "../../engine/ops/mod.ts";
import { rowIndex } from "../../engine/ops/embedding.ts";
import { withTape } from "../../engine/tape.ts";
import { part, type Tensor, upload } from "../../engine/tensor.ts";
import { crossEntropy as referenceLoss, erf, functions } from "../../gradcheck/reference.ts";
import { assertClose, tensorOf } from "./check.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});

/** Results and gradients for upstream gradients of 1. */
async function run(shape: number[], values: number[], operation: (x: Tensor) => Tensor) {
  device.beginStep(0, 0);
  const x = tensorOf(device, shape, values, true);
  const { output, backward } = withTape(() => operation(x));
  backward();
  const [y, dx] = await Promise.all([output.read(), x.gradient!.read()]);
  device.endStep();
  return { y, dx };
}

/** From the least that is no denormal number, which WGSL lets a driver take for zero (newer Mesa does). */
const extremes = [0, 2 ** -126, 1e-20, 1e-4, 3, 5, 9, 10.5, 30, 88, 89, 100, 1e4, 1e20]
  .flatMap((value) => [value, -value]).map(Math.fround);

for (const [name, operation] of Object.entries({ gelu, relu, silu, tanh })) {
  Deno.test(`${name} at extreme inputs is finite and right`, async () => {
    const { f, df } = functions[name as keyof typeof functions];
    const { y, dx } = await run([extremes.length], extremes, operation);
    extremes.forEach((x, i) => {
      if (x === 0 && name === "relu") return; // its kink: torch's gradient is 0 there
      for (const [actual, expected] of [[y[i], f(x)], [dx[i], df(x)]]) {
        assert.ok(
          Math.abs(actual - expected) <= 2e-6 * Math.abs(expected) + 2e-6,
          `${name} at ${x}: ${actual} for ${expected}`,
        );
      }
    });
  });
}

Deno.test("relu's gradient at 0 is 0, as torch's", async () => {
  assert.deepEqual([...(await run([2], [0, -0], relu)).dx], [0, 0]);
});

Deno.test("gelu's erf is within 2e-7", async () => {
  const xs = Array.from({ length: 4000 }, (_, i) => Math.fround((i - 2000) / 333 || 1e-3));
  const { y } = await run([xs.length], xs, gelu);
  let worst = 0;
  // y = x (1 + erf(x/√2))/2; rounding y itself to f32 is no error of erf's.
  xs.forEach((x, i) => {
    const rounding = Math.abs(y[i]) * 2 ** -23;
    const off = Math.abs(y[i] - x / 2 * (1 + erf(x / Math.SQRT2))) - rounding;
    worst = Math.max(worst, off * 2 / Math.abs(x));
  });
  assert.ok(worst <= 2e-7, `off by ${worst}`);
});

Deno.test("the reference's erf has the known values", () => {
  // Abramowitz and Stegun, table 7.1, and 1 - erfc(4) from DLMF 7.
  assertClose("erf", [0.5, 1, 2, 3, 4].map(erf), [
    0.5204998778130465,
    0.8427007929497149,
    0.9953222650189527,
    0.9999779095030014,
    0.9999999845827421,
  ], 1e-14);
  assert.equal(erf(-1), -erf(1));
});

Deno.test("softmax and cross-entropy at extreme inputs are finite and right", async () => {
  const rows = [[100, -100, 0], [-100, -100, -100], [1e4, 1e4, -1e4], [30, -30, 29], [
    -1e20,
    0,
    1e20,
  ]];
  const shape = [rows.length, 3];
  const labels = [1, 0, 2, 0, 2];
  const values = rows.flat().map(Math.fround);
  const { y } = await run(shape, values, softmax);
  assert.ok(y.every(Number.isFinite));
  for (let row = 0; row < rows.length; row++) {
    const sum = y[3 * row] + y[3 * row + 1] + y[3 * row + 2];
    assert.ok(Math.abs(sum - 1) < 1e-6, `row ${row} sums to ${sum}`);
  }
  const first = 3 * 4; // without the last row but one, whose loss f32 does not hold exactly
  const { y: loss, dx } = await run(
    [4, 3],
    values.slice(0, first),
    (logits) => crossEntropy(logits, upload(device, [4], Uint32Array.from(labels.slice(0, 4)))),
  );
  assert.ok(dx.every(Number.isFinite));
  // The reference's log(p) underflows at these logits: log Σ exp by hand.
  const losses = rows.slice(0, 4).map((row, i) => {
    const highest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0);
    return highest + Math.log(sum) - row[labels[i]];
  });
  assertClose("loss", loss, [losses.reduce((a, b) => a + b) / 4]);
  const { dlogits } = referenceLoss(values.slice(0, first), labels.slice(0, 4), 1);
  assertClose("gradient", dx, dlogits, 1e-5);
});

Deno.test("layerNorm of a constant row and of large offsets", async () => {
  device.beginStep(0, 0);
  const ones = tensorOf(device, [4], [1, 1, 1, 1]);
  const zeros = tensorOf(device, [4], [0, 0, 0, 0]);
  const x = tensorOf(device, [2, 4], [5, 5, 5, 5, 4097, 4098, 4099, 4100]);
  const y = await layerNorm(x, ones, zeros, 1e-12).read();
  device.endStep();
  const step = 1 / Math.sqrt(1.25);
  assertClose("rows", y, [0, 0, 0, 0, -1.5 * step, -0.5 * step, 0.5 * step, 1.5 * step]);
});

Deno.test("attention survives scores in the hundreds", async () => {
  device.beginStep(0, 0);
  const sentences = upload(device, [3, 2], Uint32Array.from([0, 3, 0, 3, 0, 3]));
  const fill = (values: number[]) =>
    values.flatMap((value) => Array.from({ length: 64 }, (_, i) => i % 63 === 0 ? value : 0));
  const projections = [[90, -90, 30], [90, 15, -90], [1, 2, 3]].flatMap(fill);
  const inputs = tensorOf(device, [3, 3, 64], projections, true);
  const { output, backward } = withTape(() =>
    attention(inputs, { heads: 1, dropout: 0, sentences })
  );
  backward();
  const [result, gradient] = await Promise.all([output.read(), inputs.gradient!.read()]);
  device.endStep();
  assertClose("output", result, fill([1, 3, 1]));
  assert.ok(gradient.every(Number.isFinite));
});

Deno.test("shapes that do not fit are refused with the shapes", () => {
  device.beginStep(0, 0);
  const of = (...shape: number[]) =>
    tensorOf(device, shape, new Array(shape.reduce((a, b) => a * b)).fill(1));
  const ids = rowIndex(device, Uint32Array.of(0, 1));
  const lora = (a: Tensor, b: Tensor, columns = 8) =>
    linear(of(3, columns), { weight: of(12, columns), lora: { a, b, scale: 1, dropout: 0 } });
  const settings = { scale: 1, dropout: 0 };
  const sentences = upload(device, [2, 2], Uint32Array.of(0, 2, 0, 2));
  const mistakes: [() => Tensor, RegExp][] = [
    [() => add(of(2, 3), of(3, 2)), /Cannot add \[3, 2\] to \[2, 3\]/],
    [() => join([of(4, 16), of(8, 8)]), /Cannot join \[8, 8\] to \[4, 16\]/],
    [() => join([of(2, 12), of(2, 12)]), /Part 1 of \[2, 2, 12\] starts at byte 96/],
    [() => scaleColumns(of(2, 8), of(6)), /columns of \[2, 8\] by \[6\] values: take 8/],
    [() => scaleColumns(of(2, 8), of(8), { divisor: of(1) }), /by \[8, 1\] values: take 8/],
    [
      () => loraRowNorms(of(12, 8), { a: of(4, 8), b: of(11, 4), scale: 1 }),
      /B \[11, 4\] do not fit 1 of the weight \[12, 8\]/,
    ],
    [() => linear(of(2, 8), { weight: of(5, 12) }), /\[2, 8\] by \[5, 12\]: inner sizes 8 and 12/],
    [
      () => linear(of(2, 8), { weight: of(5, 8), bias: of(6) }),
      /bias of 6 values does not fit 5 columns/,
    ],
    [() => layerNorm(of(2, 8), of(8), of(4), 1), /\[2, 8\] with γ \[8\] and β \[4\]/],
    [() => layerNorm(of(2, 6), of(6), of(6), 1), /multiple of 4/],
    [() => embedding(of(5, 6), ids), /\[5, 6\].*multiple of 4/],
    [() => crossEntropy(of(3, 5), upload(device, [2], Uint32Array.of(1, 2))), /2 labels .* 3 rows/],
    [
      () =>
        crossEntropy(of(2, 5), upload(device, [2], Uint32Array.of(1, 2)), {
          weights: of(4),
          smoothing: 0,
        }),
      /4 weights do not fit 5 classes/,
    ],
    [() => lora(of(4, 12), of(12, 4)), /A \[4, 12\] and B \[12, 4\] do not fit 1 of .*\[12, 8\]/],
    [
      () =>
        linear(of(3, 8), { weight: of(9, 4, 8), lora: { ...settings, a: of(4, 8), b: of(4, 4) } }),
      /LoRA in a stack of 9 layers: 8 are the most/,
    ],
    [
      () =>
        linear(of(3, 8), {
          weight: of(2, 4, 8),
          lora: { ...settings, a: of(4, 8), b: of(4, 4), layers: [2] },
        }),
      /LoRA on the layers 2 of a stack of 2: count from 0, ascending/,
    ],
    [() => lora(of(4, 8), of(12, 3)), /B \[12, 3\]/],
    [() => lora(of(4, 8), of(10, 4)), /B \[10, 4\]/],
    [() => lora(of(4, 6), of(12, 4), 6), /multiple of 4/],
    [
      () => attention(of(3, 32, 12), { heads: 5, dropout: 0, sentences }),
      /12 columns cannot be split among 5 heads/,
    ],
    [
      () => part(of(3, 2, 12), 1),
      /Part 1 of \[3, 2, 12\] starts at byte 96, no multiple of 256: pack .* 64 rows/,
    ],
  ];
  for (const [run, message] of mistakes) assert.throws(run, message);
  device.endStep();
});

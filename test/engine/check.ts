/**
 * Checks an operation against the float64 reference: `checkOp` makes an operation's test one line a
 * shape. Values and upstream gradients are random, never 0 and never 1, and each is seeded by the case.
 */
import assert from "node:assert/strict";
import { sizeOf } from "../../engine/shape.ts";
import type { Device } from "../../engine/device.ts";
import { add, scale, silu } from "../../engine/ops/mod.ts";
import { bytesPerValue, pack, type PackedDtype } from "../../engine/pack.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import { withTape } from "../../engine/tape.ts";
import { persistent, Tensor, upload } from "../../engine/tensor.ts";
import { functions, type Values } from "../reference.ts";

/** An operation on shapes: what the engine runs, and what must come out. */
export interface OpCase {
  /** The differentiable inputs, in the order in which `run` and `reference` take them. */
  shapes: number[][];
  run(inputs: Tensor[]): Tensor;
  /** The result, and the gradient of every input; `dy` is empty where only the result is wanted. */
  reference(inputs: Values[], dy: Values): { y: Values; gradients: Values[] };
}

/** The seed and step that `checkOp` sets before it runs an operation; dropout's site is 0. */
export const randomState = { seed: 7, step: 3 };

/** What dropout draws from where `checkOp` runs it. */
export const dropoutSite = (probability: number) => ({ ...randomState, site: 0, probability });

const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
const dot = (a: Values, b: Values) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Values of magnitude 0.1 to 1.5 with random signs, exact in f32. */
export function randomValues(count: number, seed: number): Values {
  const random = new HostRandom(seed, domains.sample, 99);
  return Array.from({ length: count }, () => {
    const magnitude = 0.1 + 1.4 * random.uniform();
    return Math.fround(random.uniform() < 0.5 ? -magnitude : magnitude);
  });
}

/** A tensor of the step arena with these values that wants a gradient, or not. */
export function tensorOf(
  device: Device,
  shape: readonly number[],
  values: Values,
  requiresGrad = false,
): Tensor {
  const tensor = upload(device, shape, Float32Array.from(values));
  tensor.requiresGrad = requiresGrad;
  return tensor;
}

/** The same, rounded to 16 bits a value. */
export function packedTensor(
  device: Device,
  shape: number[],
  values: Values,
  dtype: PackedDtype,
): Tensor {
  const storage = device.memory.acquire(values.length * bytesPerValue[dtype]);
  device.write(storage, 0, pack(Float32Array.from(values), dtype));
  return new Tensor(device, shape, storage, 0, dtype);
}

/** A trainable tensor that outlives the step, with an optimiser's gradient buffer or none. */
export function parameter(device: Device, shape: number[], seed: number, buffer = true): Tensor {
  const size = sizeOf(shape);
  const tensor = persistent(device, shape, Float32Array.from(randomValues(size, seed)));
  tensor.requiresGrad = true;
  if (buffer) tensor.gradient = persistent(device, shape);
  return tensor;
}

/** Asserts ‖actual − expected‖ ≤ relative · ‖expected‖ + absolute, and says where they differ most. */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: Values,
  relative = 1e-5,
  absolute = 0,
): void {
  assert.equal(actual.length, expected.length, `${what}: number of values`);
  const differences = expected.map((value, i) => actual[i] - value);
  const distance = norm(differences);
  const allowed = relative * norm(expected) + absolute;
  if (distance <= allowed) return; // false for NaN
  const worst = differences.reduce(
    (best, value, i) => Math.abs(value) <= Math.abs(differences[best]) ? best : i,
    0,
  );
  assert.fail(
    `${what}: off by ${distance} where ${allowed} is allowed; most at ${worst} of ` +
      `${expected.length}: ${actual[worst]} for ${expected[worst]}.`,
  );
}

/**
 * Checks a case: the reference's gradients by central differences; result and gradients, with all
 * inputs trainable and with each of them alone; and the operation in the middle of a graph.
 */
export async function checkOp(device: Device, name: string, op: OpCase): Promise<void> {
  const what = `${name} of ${op.shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`;
  const inputs = op.shapes.map((shape, i) => randomValues(sizeOf(shape), i + 1));
  checkReference(what, op, inputs);
  await compare(device, what, op, inputs);
  if (op.shapes.length > 1) {
    for (const only of op.shapes.keys()) {
      await compare(device, `${what}, input ${only} alone`, op, inputs, only);
    }
  }
  await compare(device, `${what}, in a graph`, inMiddle(op), inputs);
}

/** Runs a case on the device and compares. With `only`, no other input may get a gradient. */
async function compare(
  device: Device,
  what: string,
  op: OpCase,
  values: Values[],
  only?: number,
): Promise<void> {
  device.beginStep(randomState.seed, randomState.step);
  const inputs = values.map((input, i) =>
    tensorOf(device, op.shapes[i], input, only === undefined || only === i)
  );
  const { output, backward } = withTape(() => op.run(inputs));
  const dy = randomValues(output.size, 50);
  const expected = op.reference(values, dy);
  backward(tensorOf(device, output.shape, dy));
  const results = await Promise.all([output, ...inputs.map(({ gradient }) => gradient)]
    .map((tensor) => tensor?.read()));
  device.endStep();
  assertClose(what, results[0]!, expected.y);
  const all = norm(expected.gradients.map(norm));
  expected.gradients.forEach((gradient, i) => {
    const actual = results[i + 1];
    if (only !== undefined && only !== i) {
      assert.equal(actual, undefined, `${what}: a gradient for frozen input ${i}`);
      return;
    }
    assert.ok(actual, `${what}: no gradient for input ${i}`);
    assertClose(`${what}: gradient of input ${i}`, actual, gradient, 1e-4, 1e-6 * all);
  });
}

/**
 * The operation with two consumers of each of its inputs' sources before it, and two consumers after
 * it: x → h = x/2 + silu(x) → y = op(h) → 0.7 y + silu(y), and + h₀ where the shapes are equal.
 */
function inMiddle(op: OpCase): OpCase {
  const sourceFunction = (x: number) => x / 2 + functions.silu.f(x);
  const isResidual = ({ length }: { length: number }) => length === sizeOf(op.shapes[0]);
  return {
    shapes: op.shapes,
    run(inputs) {
      const h = inputs.map((x) => add(scale(x, 0.5), silu(x)));
      const y = op.run(h);
      const z = add(scale(y, 0.7), silu(y));
      return isResidual({ length: y.size }) ? add(z, h[0]) : z;
    },
    reference(inputs, dz) {
      const h = inputs.map((x) => x.map(sourceFunction));
      const { y } = op.reference(h, []);
      const z = y.map((value) => 0.7 * value + functions.silu.f(value));
      const dy = y.map((value, i) => (0.7 + functions.silu.df(value)) * dz[i]);
      const { gradients } = op.reference(h, dy);
      const residual = isResidual(y);
      return {
        y: residual ? z.map((value, i) => value + h[0][i]) : z,
        gradients: inputs.map((x, input) =>
          x.map((value, i) => {
            const dh = gradients[input][i] + (residual && input === 0 ? dz[i] : 0);
            return dh * (0.5 + functions.silu.df(value));
          })
        ),
      };
    },
  };
}

/** The reference's own gradients, along a random direction: (L(x + εv) − L(x − εv)) / 2ε = g·v. */
function checkReference(what: string, { reference }: OpCase, inputs: Values[]): void {
  const dy = randomValues(reference(inputs, []).y.length, 51);
  const { gradients } = reference(inputs, dy);
  inputs.forEach((input, i) => {
    const direction = randomValues(input.length, 60 + i);
    const lossAt = (step: number) => {
      const moved = inputs.map((x, other) =>
        other === i ? x.map((value, at) => value + step * direction[at]) : x
      );
      return dot(reference(moved, []).y, dy);
    };
    const difference = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5;
    const expected = dot(gradients[i], direction);
    const allowed = 1e-6 * norm(gradients[i]) * norm(direction) + 1e-9;
    assert.ok(
      Math.abs(difference - expected) <= allowed,
      `${what}: the reference's gradient of input ${i} is ${expected}, by differences ${difference}`,
    );
  });
}

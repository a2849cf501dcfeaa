/** Checks an operation against the float64 reference: `checkOp` makes an operation's test one line a shape. */
import assert from "node:assert/strict";
import type { Device } from "../../engine/device.ts";
import { sizeOf } from "../../engine/shape.ts";
import { persistent, type Tensor } from "../../engine/tensor.ts";
import { inMiddle, inputsOf, type OpCase, runOp } from "../../gradcheck/op_case.ts";
import type { Values } from "../../gradcheck/reference.ts";
import { norm, randomValues } from "../../gradcheck/values.ts";
export { packedTensor, randomValues, tensorOf } from "../../gradcheck/values.ts";

const dot = (a: Values, b: Values) => a.reduce((sum, value, i) => sum + value * b[i], 0);

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
  checkReference(what, op, inputsOf(op));
  await compare(device, what, op);
  if (op.shapes.length > 1) {
    for (const only of op.shapes.keys()) {
      await compare(device, `${what}, input ${only} alone`, op, only);
    }
  }
  await compare(device, `${what}, in a graph`, inMiddle(op));
}

/** Runs a case on the device and compares. With `only`, no other input may get a gradient. */
async function compare(device: Device, what: string, op: OpCase, only?: number): Promise<void> {
  const { y, gradients, expected } = await runOp(device, op, only);
  assertClose(what, y, expected.y);
  const all = norm(expected.gradients.map(norm));
  expected.gradients.forEach((gradient, i) => {
    const actual = gradients[i];
    if (only !== undefined && only !== i) {
      assert.equal(actual, undefined, `${what}: a gradient for frozen input ${i}`);
      return;
    }
    assert.ok(actual, `${what}: no gradient for input ${i}`);
    assertClose(`${what}: gradient of input ${i}`, actual, gradient, 1e-4, 1e-6 * all);
  });
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

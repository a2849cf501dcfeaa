/** A product of the matmul family, or a stack of three, beside what the float64 reference makes of it. */
import type { Device } from "../engine/device.ts";
import { matmul, tiles } from "../engine/matmul.ts";
import { dropoutParams } from "../engine/ops/dropout.ts";
import type { Dtype, PackedDtype } from "../engine/pack.ts";
import { activationDtype } from "../engine/tensor.ts";
import type { Transpose } from "../kernels/mod.ts";
import { elementFactors } from "./dropout_factors.ts";
import { dropoutSite } from "./op_case.ts";
import { functions, product, type Values } from "./reference.ts";
import { randomValues, rounded, tensorOf } from "./values.ts";

/** [rows, inner, columns] */
export type Shape = readonly [number, number, number];

export interface ProductOptions {
  bias?: boolean;
  accumulate?: boolean;
  /** Inner size of a second product. */
  second?: number;
  /** B of the first product in 16 bits; the reference takes the values that it is rounded to. */
  packB?: PackedDtype;
  gelu?: boolean;
  /** Probability. */
  dropout?: number;
  residual?: boolean;
}

export interface StackOptions {
  bias?: boolean;
  accumulate?: boolean;
  /** Which products of the stack have a second one. */
  layers?: number[];
}

/** What a device computed, and what it should have. */
export interface Outcome {
  actual: Float32Array;
  expected: Values;
}

/** Random operands of a product: values of f16 where the device rounds to them, so that sums compare. */
function randomOperand(device: Device, count: number, seed: number): Values {
  const { matmul: { kind }, activations } = device.kernels;
  const rounds = kind === "cooperative" || activations === "f16";
  return rounded(randomValues(count, seed), rounds ? "f16" : "f32");
}

/** The dtypes of a product of the sizes: of its operands, as layers have them, and of its result. */
function dtypesOf(device: Device, transpose: Transpose, [rows, inner, columns]: Shape) {
  const activations: Dtype = tiles(transpose, { rows, inner, columns })
    ? activationDtype(device, columns)
    : "f32";
  const sums: Dtype = "f32"; // a weight's gradient
  return transpose === "TN"
    ? { a: activations, b: activations, c: sums }
    : { a: activations, b: sums, c: activations };
}

/** Runs a product; `kept` is what a GELU was taken of, where there is one. */
export async function runProduct(
  device: Device,
  transpose: Transpose,
  [rows, inner, columns]: Shape,
  options: ProductOptions = {},
): Promise<{ result: Outcome; kept?: Outcome }> {
  const { bias = false, accumulate = false, second, packB, gelu, dropout = 0, residual } = options;
  const { seed, step } = dropoutSite(dropout);
  device.beginStep(seed, step);
  const dtypes = dtypesOf(device, transpose, [rows, inner, columns]);
  const operands = (size: number, seed: number, dtypeA: Dtype, dtype: Dtype) => {
    const shapeA = transpose === "TN" ? [size, rows] : [rows, size];
    const shapeB = transpose === "NT" ? [columns, size] : [size, columns];
    const a = randomOperand(device, rows * size, seed);
    const b = rounded(randomOperand(device, size * columns, seed + 1), dtype);
    return {
      tensors: {
        a: tensorOf(device, shapeA, a, false, dtypeA),
        b: tensorOf(device, shapeB, b, false, dtype),
      },
      product: product(a, b, [rows, size, columns], transpose),
    };
  };
  const first = operands(inner, 1, dtypes.a, packB ?? dtypes.b);
  const biasValues = bias ? randomValues(columns, 5) : new Array(columns).fill(0);
  const before = randomOperand(device, rows * columns, 6);
  const other = second === undefined ? undefined : operands(second, 3, "f32", "f32");
  const sums: Values = first.product.map((value, i) =>
    value + biasValues[i % columns] + (accumulate ? before[i] : 0) +
    (other?.product[i] ?? 0)
  );
  const added = randomOperand(device, rows * columns, 7);
  const factors = elementFactors(dropoutSite(dropout), sums.length);
  const expected = sums.map((value, i) =>
    (gelu ? functions.gelu.f(value) : value) * factors[i] + (residual ? added[i] : 0)
  );
  const result = (values: Values) => tensorOf(device, [rows, columns], values, false, dtypes.c);
  const [kept, c] = [result(before), result(before)];
  matmul(transpose, first.tensors.a, first.tensors.b, c, {
    bias: bias ? tensorOf(device, [columns], biasValues) : undefined,
    accumulate,
    second: other && { u: other.tensors.a, b: other.tensors.b },
    epilogue: {
      ...(gelu && { gelu: { kept } }),
      ...(dropout > 0 && { dropout: dropoutParams(c, dropout) }),
      ...(residual && { residual: result(added) }),
    },
  });
  const [actual, keptValues] = await Promise.all([c.read(), kept.read()]);
  device.endStep();
  return {
    result: { actual, expected },
    ...(gelu && { kept: { actual: keptValues, expected: sums } }),
  };
}

/** Runs a stack of three products by one launch; the reference makes one after the other. */
export async function runStack(
  device: Device,
  transpose: Transpose,
  [rows, inner, columns]: Shape,
  { bias = false, accumulate = false, layers = [] }: StackOptions = {},
): Promise<Outcome> {
  const stack = 3;
  const rank = 8;
  device.beginStep(0, 0);
  const count = { a: transpose === "NT" ? 1 : stack, b: transpose === "TN" ? 1 : stack };
  const shapeA = transpose === "TN" ? [inner, rows] : [rows, inner];
  const shapeB = transpose === "NT" ? [columns, inner] : [inner, columns];
  const a = randomOperand(device, count.a * rows * inner, 1);
  const b = randomOperand(device, count.b * inner * columns, 2);
  const biasValues = randomValues(stack * columns, 3);
  const results = transpose === "NN" ? 1 : stack;
  const before = randomOperand(device, results * rows * columns, 4);
  const dtypes = dtypesOf(device, transpose, [rows, inner, columns]);
  const used = layers.length;
  const u = randomOperand(device, used * rows * rank, 5);
  const v = randomOperand(device, used * columns * rank, 6);
  const part = (values: Values, size: number, z: number) => values.slice(z * size, (z + 1) * size);
  const expected = before.map((value) => accumulate ? value : 0);
  for (let z = 0; z < stack; z++) {
    const made = product(
      count.a > 1 ? part(a, rows * inner, z) : a,
      count.b > 1 ? part(b, inner * columns, z) : b,
      [rows, inner, columns],
      transpose,
    );
    const slot = layers.indexOf(z);
    const low = slot >= 0
      ? product(
        part(u, rows * rank, slot),
        part(v, columns * rank, slot),
        [rows, rank, columns],
        "NT",
      )
      : undefined;
    made.forEach((value, i) => {
      const at = (results > 1 ? z * made.length : 0) + i;
      expected[at] += value + (bias ? biasValues[z * columns + i % columns] : 0) + (low?.[i] ?? 0);
    });
  }
  const c = tensorOf(device, [results, rows, columns], before, false, dtypes.c);
  matmul(
    transpose,
    tensorOf(device, [count.a, ...shapeA], a, false, dtypes.a),
    tensorOf(device, [count.b, ...shapeB], b, false, dtypes.b),
    c,
    {
      stack,
      accumulate,
      ...(bias && { bias: tensorOf(device, [stack, columns], biasValues) }),
      ...(used > 0 && {
        second: {
          u: tensorOf(device, [used * rows, rank], u),
          b: tensorOf(device, [used * columns, rank], v),
          layers,
        },
      }),
    },
  );
  const actual = await c.read();
  device.endStep();
  return { actual, expected };
}

/** Every operation of the engine, forward and backward, against the float64 reference. */
import { createDevice, Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { rowIndex } from "../../engine/ops/embedding.ts";
import * as ops from "../../engine/ops/mod.ts";
import { gradientBuffer } from "../../engine/tape.ts";
import { part, type Tensor, upload } from "../../engine/tensor.ts";
import * as reference from "../reference.ts";
import type { Values } from "../reference.ts";
import { attentionCases } from "./attention_cases.ts";
import { checkOp, dropoutSite, type OpCase } from "./check.ts";
import { elementFactors } from "./dropout_factors.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});
const { gpu, info, kernels } = device;
/** The engine on the same GPU with the kernels that any GPU runs. */
const plain = new Device(gpu, info, { ...kernels, rowLanes: 32, broadcastLanes: 0 });
/** As if a binding had 4 kB. */
const pieces = new Device(gpu, info, kernels, 4096);

const elementwiseShapes = [[1, 4], [5, 13], [67, 12], [1, 1], [129, 36]];
const rowShapes = [[1, 12], [7, 4], [65, 20], [130, 44]];

function elementwise(name: keyof typeof reference.functions): OpCase[] {
  const { f, df } = reference.functions[name];
  return elementwiseShapes.map((shape) => ({
    shapes: [shape],
    run: ([x]) => ops[name](x),
    reference: ([x], dy) => ({ y: x.map(f), gradients: [dy.map((value, i) => value * df(x[i]))] }),
  }));
}

const split = (x: Values, count: number) =>
  Array.from(
    { length: count },
    (_, i) => x.slice(i * x.length / count, (i + 1) * x.length / count),
  );
const times = (x: Values, factors: Values) => x.map((value, i) => value * factors[i]);

function dropout([rows, columns]: number[], probability: number): OpCase {
  const factors = elementFactors(dropoutSite(probability), rows * columns);
  return {
    shapes: [[rows, columns]],
    run: ([x]) => ops.dropout(x, probability),
    reference: ([x], dy) => ({ y: times(x, factors), gradients: [times(dy, factors)] }),
  };
}

function crossEntropy(rows: number, classes: number): OpCase {
  const labels = Array.from({ length: rows }, (_, row) => (row * 5 + 2) % classes);
  return {
    shapes: [[rows, classes]],
    run: ([logits]) =>
      ops.crossEntropy(logits, upload(logits.device, [rows], Uint32Array.from(labels))),
    reference([logits], [dloss = 0]) {
      const { loss, dlogits } = reference.crossEntropy(logits, labels, dloss);
      return { y: [loss], gradients: [dlogits] };
    },
  };
}

function embedding(tableRows: number, columns: number, ids: number[]): OpCase {
  return {
    shapes: [[tableRows, columns]],
    run: ([table]) => ops.embedding(table, rowIndex(table.device, Uint32Array.from(ids))),
    reference: ([table], dy) => reference.embedding(table, ids, columns, dy),
  };
}

/** Ids that repeat, leave rows out, and touch the first row, the last row and every 64th. */
const repeated = (rows: number) => [
  ...Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % rows),
  ...[0, rows - 1, rows - 1, 0, 0, 63, 64, 127, 128].map((id) => id % rows),
];

function linear(rows: number, inputs: number, outputs: number): OpCase {
  return {
    shapes: [[rows, inputs], [outputs, inputs], [outputs]],
    run: ([x, weight, bias]) => ops.linear(x, weight, bias),
    reference: ([x, weight, bias], dy) =>
      withZeros(dy, rows * outputs, (dy) => reference.linear(x, weight, bias, dy)),
  };
}

/** A layer with what may follow it in its kernel; its last input is the residual, where there is one. */
function withEnd(
  layer: OpCase,
  size: [rows: number, columns: number],
  run: (inputs: Tensor[], end: ops.LinearEnd) => Tensor,
  { gelu = false, dropout = 0, residual = false },
): OpCase {
  const factors = elementFactors(dropoutSite(dropout), size[0] * size[1]);
  const count = layer.shapes.length;
  return {
    shapes: residual ? [...layer.shapes, size] : layer.shapes,
    run: (inputs) =>
      run(inputs.slice(0, count), { gelu, dropout, ...(residual && { residual: inputs[count] }) }),
    reference(inputs, dresult) {
      const own = inputs.slice(0, count);
      const { y: before } = layer.reference(own, []);
      const { f, df } = gelu ? reference.functions.gelu : { f: (x: number) => x, df: () => 1 };
      const y = before.map((value, i) => f(value) * factors[i] + (residual ? inputs[count][i] : 0));
      const dy = dresult.map((value, i) => value * factors[i] * df(before[i]));
      const { gradients } = layer.reference(own, dy);
      return { y, gradients: residual ? [...gradients, dresult] : gradients };
    },
  };
}

function linearEnd(
  [rows, inputs, outputs]: [number, number, number],
  end: { gelu?: boolean; dropout?: number; residual?: boolean },
): OpCase {
  const run = ([x, weight, bias]: Tensor[], made: ops.LinearEnd) =>
    ops.linear(x, weight, bias, made);
  return withEnd(linear(rows, inputs, outputs), [rows, outputs], run, end);
}

function loraEnd(
  [rows, inputs, outputs, rank]: [number, number, number, number],
  end: { gelu?: boolean; dropout?: number; residual?: boolean },
): OpCase {
  const run = ([x, weight, bias, a, b]: Tensor[], made: ops.LinearEnd) =>
    ops.loraLinear(x, weight, bias, { a, b, scale: 4 / rank, dropout: 0 }, made);
  return withEnd(lora(rows, inputs, outputs, rank, 0), [rows, outputs], run, end);
}

function lora(
  rows: number,
  inputs: number,
  outputs: number,
  rank: number,
  probability: number,
): OpCase {
  const scale = 16 / rank / 4;
  const factors = elementFactors(dropoutSite(probability), rows * inputs);
  return {
    shapes: [[rows, inputs], [outputs, inputs], [outputs], [rank, inputs], [outputs, rank]],
    run: ([x, weight, bias, a, b]) =>
      ops.loraLinear(x, weight, bias, { a, b, scale, dropout: probability }),
    reference: (inputs, dy) =>
      withZeros(
        dy,
        rows * outputs,
        (dy) => reference.loraLinear(inputs, { scale, factors }, dy),
      ),
  };
}

/** The parts of a joined parameter, as layers of their own that share its gradient. */
function members(joined: Tensor): Tensor[] {
  const gradient = joined.requiresGrad ? gradientBuffer(joined) : undefined;
  return Array.from({ length: joined.shape[0] }, (_, z) => {
    const member = part(joined, z);
    member.requiresGrad = joined.requiresGrad;
    if (gradient) member.gradient = part(gradient, z);
    return member;
  });
}

/** Three layers of one input; those of `adapted` have LoRA. With `joined` one launch computes all. */
function linearStack(
  [rows, inputs, outputs]: [number, number, number],
  { joined, adapted = [], rank = 4 }: { joined: boolean; adapted?: number[]; rank?: number },
): OpCase {
  const probability = 0.1;
  const scale = 0.7;
  const factors = adapted.map((_, slot) =>
    elementFactors({ ...dropoutSite(probability), site: slot }, rows * inputs)
  );
  const loraShapes = [[adapted.length, rank, inputs], [adapted.length, outputs, rank]];
  const shapes = [[rows, inputs], [3, outputs, inputs], [3, outputs]];
  return {
    shapes: adapted.length > 0 ? [...shapes, ...loraShapes] : shapes,
    run([x, weight, bias, loraA, loraB]) {
      const [weights, biases] = [members(weight), members(bias)];
      const [as, bs] = [loraA, loraB].map((each) => each ? members(each) : []);
      const layers = weights.map((each, z) => {
        const slot = adapted.indexOf(z);
        const made = { a: as[slot], b: bs[slot], scale, dropout: probability };
        return { weight: each, bias: biases[z], ...(slot >= 0 && { lora: made }) };
      });
      return ops.linearStack(x, {
        layers,
        ...(joined && { joined: { weight, bias, loraA, loraB } }),
      });
    },
    reference([x, weight, bias, loraA = [], loraB = []], dy) {
      const dys = split(dy.length > 0 ? dy : new Array(3 * rows * outputs).fill(0), 3);
      const [as, bs] = [loraA, loraB].map((each) => split(each, Math.max(1, adapted.length)));
      const results = dys.map((dz, z) => {
        const slot = adapted.indexOf(z);
        const own = [x, split(weight, 3)[z], split(bias, 3)[z]];
        return slot < 0 ? reference.linear(own[0], own[1], own[2], dz) : reference.loraLinear(
          [...own, as[slot], bs[slot]],
          { scale, factors: factors[slot] },
          dz,
        );
      });
      const of = (i: number) => results.map(({ gradients }) => gradients[i]);
      const dx = of(0).reduce((sum, each) => sum.map((value, i) => value + each[i]));
      const gradients = [dx, of(1).flat(), of(2).flat()];
      if (adapted.length > 0) {
        gradients.push(adapted.flatMap((z) => of(3)[z]), adapted.flatMap((z) => of(4)[z]));
      }
      return { y: results.flatMap(({ y }) => y), gradients };
    },
  };
}

function withZeros<T>(dy: Values, size: number, run: (dy: Values) => T): T {
  return run(dy.length > 0 ? dy : new Array(size).fill(0));
}

function layerNorm([rows, columns]: number[], eps: number): OpCase {
  return {
    shapes: [[rows, columns], [columns], [columns]],
    run: ([x, gamma, beta]) => ops.layerNorm(x, gamma, beta, eps),
    reference: ([x, gamma, beta], dy) =>
      withZeros(dy, rows * columns, (dy) => reference.layerNorm(x, gamma, beta, eps, dy)),
  };
}

/** A row for every operation: one without a row does not compile. */
const table = {
  add: elementwiseShapes.map((shape): OpCase => ({
    shapes: [shape, shape],
    run: ([a, b]) => ops.add(a, b),
    reference: ([a, b], dy) => ({ y: a.map((value, i) => value + b[i]), gradients: [dy, dy] }),
  })),
  attention: attentionCases,
  crossEntropy: [crossEntropy(1, 2), crossEntropy(7, 13), crossEntropy(130, 5)],
  dropout: [dropout([1, 4], 0.5), dropout([67, 13], 0.1), dropout([130, 20], 0.9)],
  embedding: [
    embedding(1, 4, [0]),
    embedding(30, 12, repeated(30)),
    embedding(150, 20, repeated(150)),
  ],
  gelu: elementwise("gelu"),
  layerNorm: [...rowShapes.map((shape) => layerNorm(shape, 1e-12)), layerNorm([3, 132], 0.5)],
  linear: [
    linear(1, 4, 13), // a classifier of one text
    linear(67, 12, 13),
    linear(1, 20, 36), // one row on the tiled kernel
    linear(65, 36, 44),
    linear(130, 7, 5), // nothing a multiple of 4
    linear(33, 68, 16),
    linearEnd([67, 12, 20], { gelu: true }),
    linearEnd([65, 20, 36], { dropout: 0.1, residual: true }),
    linearEnd([33, 20, 36], { residual: true }),
    linearEnd([66, 12, 44], { gelu: true, dropout: 0.3, residual: true }),
    linearEnd([9, 6, 13], { gelu: true, dropout: 0.1, residual: true }), // by operations of their own
  ],
  linearStack: [
    linearStack([48, 12, 64], { joined: true }),
    linearStack([67, 12, 64], { joined: false }),
    linearStack([48, 16, 64], { joined: true, adapted: [0, 2] }),
    linearStack([48, 16, 64], { joined: true, adapted: [1] }),
    linearStack([64, 32, 64], { joined: false, adapted: [0, 2], rank: 8 }),
    linearStack([64, 64, 64], { joined: true, adapted: [0, 1, 2], rank: 3 }), // no launch for all
  ],
  loraLinear: [
    lora(1, 20, 36, 1, 0),
    lora(67, 36, 44, 3, 0.1),
    lora(33, 12, 20, 4, 0),
    lora(65, 68, 36, 8, 0.1),
    lora(130, 20, 68, 16, 0.1),
    lora(19, 268, 12, 5, 0.1), // more vectors and tokens than a workgroup's invocations
    lora(9, 36, 20, 33, 0), // more ranks than one workgroup projects
    lora(5, 12, 13, 4, 0.1), // an output that the tiled product cannot make
    loraEnd([67, 12, 20, 4], { dropout: 0.1, residual: true }),
    loraEnd([65, 20, 36, 3], { gelu: true, residual: true }), // a rank that no epilogue fits
  ],
  relu: elementwise("relu"),
  scale: elementwiseShapes.map((shape): OpCase => ({
    shapes: [shape],
    run: ([x]) => ops.scale(x, -1.7),
    reference: ([x], dy) => ({
      y: x.map((value) => -1.7 * value),
      gradients: [dy.map((value) => -1.7 * value)],
    }),
  })),
  silu: elementwise("silu"),
  softmax: [[1, 2], [7, 13], [130, 5], [3, 70]].map(([rows, columns]): OpCase => ({
    shapes: [[rows, columns]],
    run: ([x]) => ops.softmax(x),
    reference([x], dy) {
      const { y, dx } = reference.softmax(x, columns, dy.length > 0 ? dy : undefined);
      return { y, gradients: [dx] };
    },
  })),
  tanh: elementwise("tanh"),
} satisfies Record<keyof typeof ops, OpCase[]>;

for (const [name, cases] of Object.entries(table)) {
  Deno.test(`${name}: result and gradients`, async () => {
    for (const op of cases) await checkOp(device, name, op);
  });
}

Deno.test("LoRA: sums shared by a workgroup, in place of ranks handed round", async () => {
  for (const name of ["loraLinear", "linearStack"] as const) {
    for (const op of table[name]) await checkOp(plain, `${name}, plain`, op);
  }
});

Deno.test("rows on the lanes of a GPU, more and fewer than a row has vectors", async () => {
  for (const op of table.layerNorm) await checkOp(plain, "layerNorm on 32 lanes", op);
  for (const op of table.softmax) await checkOp(plain, "softmax on 32 lanes", op);
});

Deno.test("a table above the binding limit is bound in pieces", async () => {
  await checkOp(pieces, "embedding in pieces", embedding(150, 12, repeated(150)));
  await checkOp(pieces, "embedding in pieces", embedding(192, 16, repeated(192)));
});

Deno.test("an elementwise operation above the binding limit runs in pieces", async () => {
  for (const name of ["gelu", "add"] as const) {
    await checkOp(pieces, `${name} in pieces`, {
      ...table[name][0],
      shapes: table[name][0].shapes.map(() => [211, 13]),
    });
  }
});

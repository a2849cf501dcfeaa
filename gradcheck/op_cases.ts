/** Every operation of the engine on shapes, with the float64 reference of each: what tests and gradcheck run. */
import * as ops from "../engine/ops/mod.ts";
import { pack, type PackedDtype, unpack } from "../engine/pack.ts";
import { upload } from "../engine/tensor.ts";
import { attentionCases } from "./attention_cases.ts";
import { elementFactors } from "./dropout_factors.ts";
import { linear, linearEnd } from "./linear_cases.ts";
import { dropoutSite, type OpCase } from "./op_case.ts";
import * as reference from "./reference.ts";
import type { Values } from "./reference.ts";
import { cosineLoss, embedding, meanPool, repeated, rowsOf } from "./row_cases.ts";
import { packedTensor, randomValues, split, tensorOf } from "./values.ts";

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

/** As a caller makes torch's mean of it: the weights are divided by the sum of the labels'. */
function weightedCrossEntropy(
  rows: number,
  { weights, smoothing }: { weights: Values; smoothing: number },
): OpCase {
  const classes = weights.length;
  const labels = Array.from({ length: rows }, (_, row) => (row * 5 + 2) % classes);
  const divisor = labels.reduce((sum, label) => sum + weights[label], 0);
  const shares = Float32Array.from(weights, (weight) => weight / divisor);
  return {
    shapes: [[rows, classes]],
    run: ([logits]) =>
      ops.crossEntropy(logits, upload(logits.device, [rows], Uint32Array.from(labels)), {
        weights: upload(logits.device, [classes], shares),
        smoothing,
      }),
    reference([logits], [dloss = 0]) {
      const how = { weights, smoothing };
      const { loss, dlogits } = reference.weightedCrossEntropy(logits, labels, how, dloss);
      return { y: [loss], gradients: [dlogits] };
    },
  };
}

function layerNorm([rows, columns]: number[], eps: number, bias = true): OpCase {
  return {
    shapes: [[rows, columns], [columns], ...(bias ? [[columns]] : [])],
    activations: [0],
    run: ([x, gamma, beta]) => ops.layerNorm(x, gamma, beta, eps),
    reference: ([x, gamma, beta = new Array(columns).fill(0)], dy) => {
      const upstream = dy.length > 0 ? dy : new Array(rows * columns).fill(0);
      const { y, gradients } = reference.layerNorm(x, gamma, beta, eps, upstream);
      return { y, gradients: gradients.slice(0, bias ? 3 : 2) };
    },
  };
}

function scaleColumns([rows, columns]: number[], divided: boolean, shifted: boolean): OpCase {
  const values = divided ? randomValues(columns, 9) : undefined;
  const ones = new Array(columns).fill(1);
  return {
    shapes: [[rows, columns], [columns], ...(shifted ? [[columns]] : [])],
    activations: [0],
    run: ([x, factor, shift]) => {
      const divisor = values && tensorOf(x.device, [columns], values);
      return ops.scaleColumns(x, factor, { divisor, shift });
    },
    reference: ([x, factor, shift], dy) =>
      reference.scaleColumns(x, factor, values ?? ones, dy, shift),
  };
}

/** The norms as the divisor of a scaling, as DoRA has them: they themselves have no gradient. */
function loraRowNorms([outputs, inputs, rank]: number[], dtype?: PackedDtype): OpCase {
  const rows = 3;
  const scale = 0.7;
  const exact = randomValues(outputs * inputs, 5);
  const weight = dtype ? [...unpack(pack(Float32Array.from(exact), dtype), dtype)] : exact;
  const [a, b] = [randomValues(rank * inputs, 6), randomValues(outputs * rank, 7)];
  const norms = reference.loraRowNorms(weight, a, b, rank, scale);
  return {
    shapes: [[rows, outputs], [outputs]],
    activations: [0],
    run([x, factor]) {
      const { device } = x;
      const lora = {
        a: tensorOf(device, [rank, inputs], a, true),
        b: tensorOf(device, [outputs, rank], b, true),
        scale,
      };
      const own = dtype
        ? packedTensor(device, [outputs, inputs], weight, dtype)
        : tensorOf(device, [outputs, inputs], weight);
      return ops.scaleColumns(x, factor, { divisor: ops.loraRowNorms(own, lora) });
    },
    reference: ([x, factor], dy) => reference.scaleColumns(x, factor, norms, dy),
  };
}

function join(count: number, shape: number[]): OpCase {
  return {
    shapes: new Array(count).fill(shape),
    run: (parts) => ops.join(parts),
    reference: (parts, dy) => ({ y: parts.flat(), gradients: split(dy, count) }),
  };
}

const plainLinears = [
  linear([1, 4, 13]), // a classifier of one text
  linear([67, 12, 13]),
  linear([1, 20, 36]), // one row on the tiled kernel
  linear([65, 36, 44]),
  linear([130, 7, 5]), // nothing a multiple of 4
  linear([33, 68, 16]),
  linear([65, 36, 44], { bias: false }),
  linear([19, 7, 5], { bias: false }),
  linear([48, 12, 64], { stack: 3 }),
  linear([67, 12, 64], { stack: 3, bias: false }),
  linear([30, 12, 13], { stack: 2 }), // parts that no binding could start at
  linear([9, 7, 20], { stack: 4, bias: false }),
  linear([5, 8, 12], { stack: 1 }),
  linearEnd([67, 12, 20], { gelu: true }),
  linearEnd([65, 20, 36], { dropout: 0.1, residual: true }),
  linearEnd([33, 20, 36], { residual: true }, { bias: false }),
  linearEnd([66, 12, 44], { gelu: true, dropout: 0.3, residual: true }),
  linearEnd([9, 6, 13], { gelu: true, dropout: 0.1, residual: true }), // by operations of their own
  linearEnd([33, 12, 20], { gelu: true, dropout: 0.1, residual: true }, { stack: 2 }),
];

export const loraLinears = [
  linear([1, 20, 36], { lora: { rank: 1 } }),
  linear([67, 36, 44], { lora: { rank: 3, dropout: 0.1 } }),
  linear([33, 12, 20], { lora: { rank: 4 } }),
  linear([65, 68, 36], { lora: { rank: 8, dropout: 0.1 } }),
  linear([130, 20, 68], { lora: { rank: 16, dropout: 0.1 } }),
  linear([19, 268, 12], { lora: { rank: 5, dropout: 0.1 } }), // more vectors and tokens than a workgroup's invocations
  linear([9, 36, 20], { lora: { rank: 33 } }), // more ranks than one workgroup projects
  linear([5, 12, 13], { lora: { rank: 4, dropout: 0.1 } }), // an output that the tiled product cannot make
  linear([33, 12, 20], { lora: { rank: 4 }, bias: false }),
  linear([48, 16, 64], { stack: 3, lora: { rank: 4, layers: [0, 2], dropout: 0.1 } }),
  linear([48, 16, 64], { stack: 3, lora: { rank: 4, layers: [1], dropout: 0.1 } }),
  linear([67, 32, 20], { stack: 3, lora: { rank: 8, layers: [0, 1, 2], dropout: 0.1 } }),
  linear([17, 12, 8], { stack: 4, lora: { rank: 4, layers: [0, 1, 2, 3], dropout: 0.1 } }),
  linear([9, 8, 8], { stack: 8, lora: { rank: 4, layers: [0, 1, 2, 3, 4, 5, 6, 7] } }),
  linear([9, 8, 8], { stack: 8, lora: { rank: 4, layers: [2, 7] } }),
  linear([50, 64, 36], { stack: 3, lora: { rank: 3, layers: [1, 2], dropout: 0.1 } }), // a rank that no tile fits
  linear([21, 12, 13], { stack: 3, lora: { rank: 4, layers: [0, 2], dropout: 0.1 } }), // nor such outputs
  linearEnd([67, 12, 20], { dropout: 0.1, residual: true }, { lora: { rank: 4 } }),
  linearEnd([65, 20, 36], { gelu: true, residual: true }, { lora: { rank: 3 } }),
];

/** A row for every operation: one without a row does not compile. */
export const opCases = {
  add: [undefined, -1, 0.7].flatMap((factor) =>
    elementwiseShapes.map((shape): OpCase => ({
      shapes: [shape, shape],
      run: ([a, b]) => ops.add(a, b, factor),
      reference: ([a, b], dy) => ({
        y: a.map((value, i) => value + (factor ?? 1) * b[i]),
        gradients: [dy, dy.map((value) => (factor ?? 1) * value)],
      }),
    }))
  ),
  attention: attentionCases,
  convert: elementwiseShapes.flatMap((shape) =>
    (["f32", "f16"] as const).map((dtype): OpCase => ({
      shapes: [shape],
      activations: dtype === "f16" ? [] : [0],
      run: ([x]) => ops.convert(x, x.device.kernels.activations === "f16" ? dtype : "f32"),
      reference: ([x], dy) => ({ y: x, gradients: [dy] }),
    }))
  ),
  cosineLoss: [cosineLoss(1, 3), cosineLoss(7, 13), cosineLoss(130, 20)],
  crossEntropy: [
    crossEntropy(1, 2),
    crossEntropy(7, 13),
    crossEntropy(130, 5),
    weightedCrossEntropy(7, { weights: [1, 1, 1, 1], smoothing: 0.3 }),
    weightedCrossEntropy(130, { weights: [0.2, 3, 1, 7, 0.5], smoothing: 0 }),
    weightedCrossEntropy(9, { weights: [2, 0.25, 1], smoothing: 0.1 }),
    weightedCrossEntropy(3, { weights: [1, 4], smoothing: 1 }),
  ],
  dropout: [dropout([1, 4], 0.5), dropout([67, 13], 0.1), dropout([130, 20], 0.9)],
  embedding: [
    embedding(1, 4, [0]),
    embedding(30, 12, repeated(30)),
    embedding(150, 20, repeated(150)),
    rowsOf(150, 20, repeated(150)),
  ],
  gelu: elementwise("gelu"),
  join: [join(3, [1, 128]), join(2, [32, 6]), join(4, [32, 12])],
  layerNorm: [
    ...rowShapes.map((shape) => layerNorm(shape, 1e-12)),
    layerNorm([3, 132], 0.5),
    layerNorm([65, 20], 1e-5, false),
  ],
  linear: [...plainLinears, ...loraLinears],
  loraRowNorms: [
    loraRowNorms([5, 12, 3]),
    loraRowNorms([67, 36, 8]),
    loraRowNorms([20, 268, 1]), // more vectors than a workgroup's invocations
    loraRowNorms([20, 36, 8], "bf16"),
    loraRowNorms([13, 20, 4], "f16"),
  ],
  meanPool: [meanPool([1], 1, 4), meanPool([3, 1, 60], 64, 12), meanPool([5, 17, 2, 9], 64, 132)],
  relu: elementwise("relu"),
  scale: elementwiseShapes.map((shape): OpCase => ({
    shapes: [shape],
    run: ([x]) => ops.scale(x, -1.7),
    reference: ([x], dy) => ({
      y: x.map((value) => -1.7 * value),
      gradients: [dy.map((value) => -1.7 * value)],
    }),
  })),
  scaleColumns: [[false, false], [false, true], [true, false], [true, true]].flatMap((parts) =>
    [[1, 1], [7, 4], [67, 13], [130, 72], [33, 20]].map((shape) =>
      scaleColumns(shape, parts[0], parts[1])
    )
  ),
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

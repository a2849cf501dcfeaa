/**
 * The float64 reference: every operation of the engine on the CPU, forward and backward, written from
 * the formulas and without regard to speed. Matrices are row-major arrays of numbers.
 */

export type Values = number[];

/** erf to double precision: its power series where that converges fast, else its continued fraction. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -a * a / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = (n / 2) / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

const cumulative = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
const density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Elementwise functions with their derivatives. */
export const functions = {
  gelu: { f: (x: number) => x * cumulative(x), df: (x: number) => cumulative(x) + x * density(x) },
  relu: { f: (x: number) => Math.max(x, 0), df: (x: number) => x > 0 ? 1 : 0 },
  silu: {
    f: (x: number) => x * sigmoid(x),
    df: (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  },
  tanh: { f: Math.tanh, df: (x: number) => 1 - Math.tanh(x) ** 2 },
};

/** op(A) op(B) with A [rows, inner] and B [inner, columns] after the transposes. */
export function product(
  a: Values,
  b: Values,
  [rows, inner, columns]: readonly [number, number, number],
  transpose: "NT" | "NN" | "TN" = "NN",
): Values {
  const result: Values = new Array(rows * columns).fill(0);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum += a[transpose === "TN" ? k * rows + i : i * inner + k] *
          b[transpose === "NT" ? j * inner + k : k * columns + j];
      }
      result[i * columns + j] = sum;
    }
  }
  return result;
}

/** Sum over rows. */
export function columnSums(x: Values, columns: number): Values {
  const sums: Values = new Array(columns).fill(0);
  x.forEach((value, index) => sums[index % columns] += value);
  return sums;
}

/** LayerNorm and its three gradients. */
export function layerNorm(x: Values, gamma: Values, beta: Values, eps: number, dy: Values) {
  const columns = gamma.length;
  const y: Values = [];
  const dx: Values = [];
  const dgamma: Values = new Array(columns).fill(0);
  for (let start = 0; start < x.length; start += columns) {
    const row = x.slice(start, start + columns);
    const mean = row.reduce((a, b) => a + b) / columns;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / columns;
    const rstd = 1 / Math.sqrt(variance + eps);
    const normalised = row.map((value) => (value - mean) * rstd);
    const g = normalised.map((_, i) => dy[start + i] * gamma[i]);
    const meanG = g.reduce((a, b) => a + b) / columns;
    const meanGx = g.reduce((sum, value, i) => sum + value * normalised[i], 0) / columns;
    normalised.forEach((value, i) => {
      y.push(value * gamma[i] + beta[i]);
      dx.push(rstd * (g[i] - meanG - value * meanGx));
      dgamma[i] += dy[start + i] * value;
    });
  }
  return { y, gradients: [dx, dgamma, columnSums(dy, columns)] };
}

/** Softmax over rows of `columns`, with its gradient. */
export function softmax(x: Values, columns: number, dy?: Values) {
  const y: Values = [];
  const dx: Values = [];
  for (let start = 0; start < x.length; start += columns) {
    const row = x.slice(start, start + columns);
    const highest = Math.max(...row);
    const exps = row.map((value) => Math.exp(value - highest));
    const sum = exps.reduce((a, b) => a + b);
    const p = exps.map((value) => value / sum);
    const inner = dy ? p.reduce((total, value, i) => total + value * dy[start + i], 0) : 0;
    p.forEach((value, i) => {
      y.push(value);
      if (dy) dx.push(value * (dy[start + i] - inner));
    });
  }
  return { y, dx };
}

/** Mean cross-entropy of logits and labels, and its gradient times `dloss`. */
export function crossEntropy(logits: Values, labels: number[], dloss: number) {
  const classes = logits.length / labels.length;
  const p = softmax(logits, classes).y;
  const loss = labels.reduce((sum, label, row) => sum - Math.log(p[row * classes + label]), 0);
  const dlogits = p.map((value, i) => {
    const expected = i % classes === labels[Math.floor(i / classes)] ? 1 : 0;
    return dloss * (value - expected) / labels.length;
  });
  return { loss: loss / labels.length, dlogits };
}

/**
 * torch's CrossEntropyLoss with weights of the classes and label smoothing, by its definition: each row's target is
 * a distribution, (1 - smoothing) on the label and smoothing / classes on every class; a class's part of it counts
 * by the class's weight; the sum is divided by that of the labels' weights.
 */
export function weightedCrossEntropy(
  logits: Values,
  labels: number[],
  { weights, smoothing }: { weights: Values; smoothing: number },
  dloss: number,
) {
  const classes = weights.length;
  const p = softmax(logits, classes).y;
  const divisor = labels.reduce((sum, label) => sum + weights[label], 0);
  const target = (i: number) => {
    const onLabel = i % classes === labels[Math.floor(i / classes)] ? 1 - smoothing : 0;
    return weights[i % classes] * (onLabel + smoothing / classes) / divisor;
  };
  const loss = p.reduce((sum, value, i) => sum - target(i) * Math.log(value), 0);
  const dlogits = p.map((value, i) => {
    const first = i - i % classes;
    let counted = 0;
    for (let j = first; j < first + classes; j++) counted += target(j);
    return dloss * (value * counted - target(i));
  });
  return { loss, dlogits };
}

export interface AttentionShape {
  /** Length of every sentence, in order. */
  lengths: number[];
  heads: number;
  headSize: number;
  /** Rows in all; those beyond the sentences are filling. */
  rows: number;
}

/**
 * Attention within packed sentences, with its gradients. `factor(row, head, j)` is dropout's factor on the
 * weight of the sentence's j-th key.
 */
export function attention(
  query: Values,
  key: Values,
  value: Values,
  { lengths, heads, headSize, rows }: AttentionShape,
  doutput: Values,
  factor: (row: number, head: number, j: number) => number = () => 1,
) {
  const width = heads * headSize;
  const output: Values = new Array(rows * width).fill(0);
  const gradients = [0, 1, 2].map((): Values => new Array(rows * width).fill(0));
  const [dquery, dkey, dvalue] = gradients;
  const scale = 1 / Math.sqrt(headSize);
  let first = 0;
  for (const length of lengths) {
    for (let head = 0; head < heads; head++) {
      const at = (row: number, d: number) => row * width + head * headSize + d;
      for (let i = first; i < first + length; i++) {
        const scores: Values = [];
        for (let j = first; j < first + length; j++) {
          let score = 0;
          for (let d = 0; d < headSize; d++) score += query[at(i, d)] * key[at(j, d)];
          scores.push(score * scale);
        }
        const p = softmax(scores, length).y;
        const factors = p.map((_, j) => factor(i, head, j));
        const dp: Values = p.map((_, j) => {
          let sum = 0;
          for (let d = 0; d < headSize; d++) {
            output[at(i, d)] += p[j] * factors[j] * value[at(first + j, d)];
            dvalue[at(first + j, d)] += p[j] * factors[j] * doutput[at(i, d)];
            sum += doutput[at(i, d)] * value[at(first + j, d)];
          }
          return sum * factors[j];
        });
        const ds = softmax(scores, length, dp).dx;
        ds.forEach((dscore, j) => {
          for (let d = 0; d < headSize; d++) {
            dquery[at(i, d)] += scale * dscore * key[at(first + j, d)];
            dkey[at(first + j, d)] += scale * dscore * query[at(i, d)];
          }
        });
      }
    }
    first += length;
  }
  return { output, gradients };
}

/** x Wᵀ + b with its three gradients: x [rows, in], W [out, in]. */
export function linear(x: Values, weight: Values, bias: Values, dy: Values) {
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const rows = x.length / inputs;
  const y = product(x, weight, [rows, inputs, outputs], "NT").map((value, i) =>
    value + bias[i % outputs]
  );
  const dx = product(dy, weight, [rows, outputs, inputs]);
  const dweight = product(dy, x, [outputs, rows, inputs], "TN");
  return { y, gradients: [dx, dweight, columnSums(dy, outputs)] };
}

/**
 * x Wᵀ + b + scale (m ⊙ x Aᵀ) Bᵀ with its five gradients: A [rank, in], B [out, rank], and dropout's
 * factors m of x's shape.
 */
export function loraLinear(
  [x, weight, bias, a, b]: Values[],
  { scale, factors }: { scale: number; factors: Values },
  dy: Values,
) {
  const outputs = bias.length;
  const inputs = weight.length / outputs;
  const rows = x.length / inputs;
  const rank = a.length / inputs;
  const dropped = x.map((value, i) => value * factors[i]);
  const { y, gradients } = linear(x, weight, bias, dy);
  const reduced = product(dropped, a, [rows, inputs, rank], "NT");
  const update = product(reduced, b, [rows, rank, outputs], "NT");
  const dreduced = product(dy, b, [rows, outputs, rank]).map((value) => scale * value);
  const ddropped = product(dreduced, a, [rows, rank, inputs]);
  return {
    y: y.map((value, i) => value + scale * update[i]),
    gradients: [
      gradients[0].map((value, i) => value + ddropped[i] * factors[i]),
      gradients[1],
      gradients[2],
      product(dreduced, dropped, [rank, rows, inputs], "TN"),
      product(dy, reduced, [outputs, rows, rank], "TN").map((value) => scale * value),
    ],
  };
}

/** table[ids], and the gradient of the table. */
export function embedding(table: Values, ids: number[], columns: number, dy: Values) {
  const dtable: Values = new Array(table.length).fill(0);
  dy.forEach((value, i) => dtable[ids[Math.floor(i / columns)] * columns + i % columns] += value);
  const y = ids.flatMap((id) => table.slice(id * columns, (id + 1) * columns));
  return { y, gradients: [dtable] };
}

/** x ⊙ factor / divisor + shift over rows, and the gradients of x, factor and, where it is given, shift. */
export function scaleColumns(
  x: Values,
  factor: Values,
  divisor: Values,
  dy: Values,
  shift?: Values,
) {
  const columns = factor.length;
  const by = factor.map((value, column) => value / divisor[column]);
  const scaled = (values: Values) => values.map((value, i) => value * by[i % columns]);
  const products = dy.map((value, i) => value * x[i] / divisor[i % columns]);
  const y = scaled(x).map((value, i) => value + (shift?.[i % columns] ?? 0));
  const gradients = [scaled(dy), columnSums(products, columns)];
  return { y, gradients: shift ? [...gradients, columnSums(dy, columns)] : gradients };
}

/** ‖W + s·BA‖ of each row of W [out, in]: A [rank, in], B [out, rank]. */
export function loraRowNorms(weight: Values, a: Values, b: Values, rank: number, scale: number) {
  const inputs = a.length / rank;
  const outputs = b.length / rank;
  const update = product(b, a, [outputs, rank, inputs]);
  const sums = weight.map((value, i) => value + scale * update[i]);
  return Array.from(
    { length: outputs },
    (_, row) => Math.hypot(...sums.slice(row * inputs, (row + 1) * inputs)),
  );
}

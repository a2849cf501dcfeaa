/**
 * Every operation of the engine at BERT's shapes, and what each kernel that it launches must do at least.
 * The operations themselves run, so that kernels are timed as the engine launches them.
 */
import { AdamW } from "../engine/optimizer.ts";
import {
  add,
  attention,
  convert,
  dropout,
  embedding,
  gelu,
  layerNorm,
  relu,
  scale,
  silu,
  softmax,
  tanh,
} from "../engine/ops/mod.ts";
import { rowIndex } from "../engine/ops/embedding.ts";
import { padHeads } from "../engine/ops/pad_heads.ts";
import { Parameters } from "../engine/parameters.ts";
import { columnSumCase, elementwise, scaleColumnsCase, unary } from "./elementwise_cases.ts";
import type { Maker } from "./maker.ts";
import { classifier, lora, product, rowNorms } from "./product_cases.ts";
import type { Cost } from "./roofline.ts";
import {
  classes,
  cosineLossCase,
  crossEntropyCase,
  meanPoolCase,
  sentences,
} from "./sentence_cases.ts";
import type { Shape } from "./shapes.ts";

/** One line of the table: the kernel of that name, as often as the operation launches it in a row. */
export interface Row extends Cost {
  kernel: string;
  /** The kernel that takes its place on some adapters. */
  or?: string;
  /** What distinguishes it from other uses of the kernel. */
  note?: string;
  shape: string;
}

export interface Case {
  /** In the order in which the operation launches them; a kernel may stand here more than once. */
  rows: Row[];
  run(make: Maker): void;
}

/** Sizes that BERT's operations have. */
export interface Sizes {
  /** Packed rows of a batch. */
  tokens: number;
  hidden: number;
  vocabulary: number;
}

const bottleneck = 64;
/** Bytes of an f32 or u32. */
const word = 4;

/** The cases of a shape: BERT's operations, or one product in its three transposes. */
export function casesOf(shape: Shape): Case[] {
  if (shape.kind === "bert") return bertCases(shape);
  const { rows, columns, inner } = shape;
  return (["NT", "NN", "TN"] as const).map((transpose) => product(transpose, rows, columns, inner));
}

/** The operations of a step at these sizes. */
export function bertCases(sizes: Sizes): Case[] {
  const { tokens, hidden } = sizes;
  const wide = 4 * hidden;
  return [
    product("NT", tokens, hidden, hidden),
    product("NT", tokens, wide, hidden),
    product("NT", tokens, hidden, wide),
    product("NN", tokens, hidden, hidden),
    product("NN", tokens, hidden, wide),
    product("NN", tokens, wide, hidden),
    product("TN", hidden, hidden, tokens),
    product("TN", wide, hidden, tokens),
    product("TN", hidden, wide, tokens),
    classifier(sentences, classes, hidden),
    lora(tokens, hidden),
    attentionCase(tokens, hidden, Math.min(24, tokens)),
    attentionCase(tokens, hidden, Math.min(512, tokens)),
    ...(tokens < 512 ? [attentionCase(512, hidden, 512)] : []), // BERT's longest
    layerNormCase(tokens, hidden),
    softmaxCase(tokens, hidden),
    unary("gelu", gelu, tokens, wide, { forward: 22, backward: 26, reads: 2 }),
    unary("relu", relu, tokens, bottleneck, { forward: 1, backward: 1, reads: 2 }),
    unary("silu", silu, tokens, bottleneck, { forward: 5, backward: 8, reads: 2 }),
    unary("tanh", tanh, sentences, hidden, { forward: 6, backward: 3, reads: 2 }),
    elementwise(
      "add.forward",
      tokens,
      hidden,
      3,
      (make, shape) => void add(make.tensor(shape), make.tensor(shape)),
    ),
    elementwise(
      "scale.main",
      tokens,
      hidden,
      2,
      (make, shape) => void scale(make.tensor(shape), 4),
    ),
    elementwise(
      "convert.main",
      tokens,
      hidden,
      1.5, // half of what is written
      (make, shape) => void convert(make.tensor(shape), "f16"),
      0,
    ),
    elementwise(
      "pad_heads.main",
      tokens,
      hidden,
      3,
      (make, shape) => void padHeads(make.tensor(shape), 2, 4),
      0,
    ),
    // Threefry: 20 rounds of 3 operations, once for a vec4
    elementwise(
      "dropout.main",
      tokens,
      hidden,
      2,
      (make, shape) => void dropout(make.tensor(shape), 0.1),
      20,
    ),
    columnSumCase(tokens, hidden),
    scaleColumnsCase(tokens, hidden),
    rowNorms(hidden),
    embeddingCase(sizes),
    crossEntropyCase(),
    cosineLossCase(hidden),
    meanPoolCase(tokens, hidden),
    optimizerCase(hidden),
  ];
}

function attentionCase(tokens: number, hidden: number, length: number): Case {
  const heads = hidden / (hidden % 64 === 0 && hidden > 128 ? 64 : 32);
  const count = Math.floor(tokens / length);
  const shape = `${count}×${length}, ${heads} heads`;
  const values = count * length * hidden;
  // A product of every query with every key of its sentence, or of weights with values.
  const product = 2 * values * length;
  return {
    rows: [
      { kernel: "attention.forward", shape, flops: 2 * product, bytes: 4 * values * word },
      { kernel: "attention.backward_query", shape, flops: 3 * product, bytes: 6 * values * word },
      {
        kernel: "attention.backward_key_value",
        shape,
        flops: 4 * product,
        bytes: 6 * values * word,
      },
    ],
    run(make) {
      const bounds = Array.from({ length: tokens }, (_, row) => {
        const first = row - row % length;
        return first + length <= tokens ? [first, first + length] : [tokens, tokens];
      });
      const projections = make.input([3, tokens, hidden]);
      const ranges = make.indices([tokens, 2], Uint32Array.from(bounds.flat()));
      make.backward(() => attention(projections, { heads, dropout: 0.1, sentences: ranges }));
    },
  };
}

function layerNormCase(tokens: number, hidden: number): Case {
  const shape = `${tokens}×${hidden}`;
  const values = tokens * hidden;
  return {
    rows: [
      { kernel: "layer_norm.forward", shape, flops: 8 * values, bytes: 2 * values * word },
      { kernel: "layer_norm.gradient", shape, flops: 5 * values, bytes: 2 * values * word },
      { kernel: "layer_norm.backward", shape, flops: 14 * values, bytes: 3 * values * word },
    ],
    run(make) {
      const x = make.input([tokens, hidden]);
      const [gamma, beta] = [make.weight([hidden]), make.weight([hidden])];
      make.backward(() => layerNorm(x, gamma, beta, 1e-12));
    },
  };
}

function softmaxCase(tokens: number, hidden: number): Case {
  const shape = `${tokens}×${hidden}`;
  const values = tokens * hidden;
  return {
    rows: [
      { kernel: "softmax.forward", shape, flops: 5 * values, bytes: 2 * values * word },
      { kernel: "softmax.backward", shape, flops: 4 * values, bytes: 3 * values * word },
    ],
    run(make) {
      const x = make.input([tokens, hidden]);
      make.backward(() => softmax(x));
    },
  };
}

function embeddingCase({ tokens, hidden, vocabulary }: Sizes): Case {
  const shape = `${tokens} of ${vocabulary}×${hidden}`;
  const values = tokens * hidden;
  return {
    rows: [
      { kernel: "embedding.forward", shape, flops: 0, bytes: 2 * values * word },
      { kernel: "embedding.backward", shape, flops: values, bytes: 3 * values * word },
    ],
    run(make) {
      const table = make.weight([vocabulary, hidden]);
      const ids = Uint32Array.from({ length: tokens }, (_, i) => (i * 7919) % vocabulary);
      const index = rowIndex(make.device, ids);
      make.backward(() => embedding(table, index));
    },
  };
}

/** One encoder layer's weights, 12 hidden². */
function optimizerCase(hidden: number): Case {
  const count = 12 * hidden * hidden;
  const shape = `${count} parameters`;
  return {
    rows: [
      { kernel: "gradient_norm.partial", shape, flops: 2 * count, bytes: count * word },
      { kernel: "gradient_norm.finish", shape: "256 sums", flops: 256, bytes: 256 * word },
      { kernel: "adamw.main", shape, flops: 18 * count, bytes: 7 * count * word },
    ],
    run(make) {
      const info = { name: "weights", shape: [count], decay: true, trainable: true };
      const parameters = new Parameters(make.device, [info]);
      const optimizer = new AdamW(parameters, { weightDecay: 0.01, maxGradNorm: 1 });
      make.later(() => optimizer.destroy());
      make.later(() => parameters.destroy());
      optimizer.update(1e-4);
    },
  };
}

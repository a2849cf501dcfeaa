/** The catalogue of kernels: WGSL text, entry point, and the names that a launch binds. */
import adamwSource from "./adamw.wgsl" with { type: "text" };
import addSource from "./add.wgsl" with { type: "text" };
import attentionSource from "./attention.wgsl" with { type: "text" };
import columnSumSource from "./column_sum.wgsl" with { type: "text" };
import crossEntropySource from "./cross_entropy.wgsl" with { type: "text" };
import dropoutSource from "./dropout.wgsl" with { type: "text" };
import embeddingSource from "./embedding.wgsl" with { type: "text" };
import { expand } from "./expand.ts";
import geluSource from "./gelu.wgsl" with { type: "text" };
import gradientNormSource from "./gradient_norm.wgsl" with { type: "text" };
import layerNormSource from "./layer_norm.wgsl" with { type: "text" };
import loraSource from "./lora.wgsl" with { type: "text" };
import matmulSource from "./matmul.wgsl" with { type: "text" };
import matmulStridedSource from "./matmul_strided.wgsl" with { type: "text" };
import randomSource from "./random.wgsl" with { type: "text" };
import reluSource from "./relu.wgsl" with { type: "text" };
import scaleSource from "./scale.wgsl" with { type: "text" };
import siluSource from "./silu.wgsl" with { type: "text" };
import softmaxSource from "./softmax.wgsl" with { type: "text" };
import tanhSource from "./tanh.wgsl" with { type: "text" };

/** A compute kernel, as text. The engine compiles it when it is first launched. */
export interface Kernel {
  /** File and entry point, e.g. `gelu.forward`; errors and timings carry it. */
  readonly name: string;
  readonly source: string;
  readonly entryPoint: string;
  /** WGSL variable → binding number. */
  readonly bindings: ReadonlyMap<string, number>;
  /** The fields of `struct Params`, in order, all 32-bit scalars. */
  readonly params: readonly { name: string; type: "u32" | "f32" }[];
  /** Values for the source's `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
}

/** Reads a kernel's interface off its text, so that the text is the only place that states it. */
function kernel(
  file: string,
  source: string,
  entryPoint: string,
  constants: Record<string, number> = {},
): Kernel {
  const bindings = new Map<string, number>();
  for (
    const [, number, name] of source.matchAll(/@binding\((\d+)\)\s+var(?:<[^>]*>)?\s+(\w+)\s*:/g)
  ) {
    bindings.set(name, Number(number));
  }
  const struct = /struct Params \{([^}]*)\}/.exec(source)?.[1] ?? "";
  const params = [...struct.matchAll(/^\s*(\w+): (u32|f32),/gm)].map(([, name, type]) => ({
    name,
    type: type as "u32" | "f32",
  }));
  return { name: `${file}.${entryPoint}`, source, entryPoint, bindings, params, constants };
}

const withDropout = (source: string) => `${randomSource}\n${source}`;

export const add = { forward: kernel("add", addSource, "forward") };
export const scale = { main: kernel("scale", scaleSource, "main") };
export const dropout = { main: kernel("dropout", withDropout(dropoutSource), "main") };
export const columnSum = { main: kernel("column_sum", columnSumSource, "main") };
export const adamw = { main: kernel("adamw", adamwSource, "main") };

const forwardAndBackward = (file: string, source: string) => ({
  forward: kernel(file, source, "forward"),
  backward: kernel(file, source, "backward"),
});

export const gelu = forwardAndBackward("gelu", geluSource);
export const relu = forwardAndBackward("relu", reluSource);
export const silu = forwardAndBackward("silu", siluSource);
export const tanh = forwardAndBackward("tanh", tanhSource);
export const softmax = forwardAndBackward("softmax", softmaxSource);
export const embedding = forwardAndBackward("embedding", embeddingSource);
export const crossEntropy = {
  ...forwardAndBackward("cross_entropy", crossEntropySource),
  mean: kernel("cross_entropy", crossEntropySource, "mean"),
};
export const gradientNorm = {
  partial: kernel("gradient_norm", gradientNormSource, "partial"),
  finish: kernel("gradient_norm", gradientNormSource, "finish"),
};
/** LayerNorm's kernels for a number of invocations a row. */
export const layerNorm = cached((lanes: number) => ({
  forward: kernel("layer_norm", layerNormSource, "forward", { LANES: lanes }),
  backward: kernel("layer_norm", layerNormSource, "backward", { LANES: lanes }),
  gradient: kernel("layer_norm", layerNormSource, "gradient"),
}));

/** Attention's kernels for a head size and, where rows are handed round, a subgroup size (else 0). */
export const attention = cached(
  ({ headSize, subgroup }: { headSize: number; subgroup: number }) => {
    const vectors = headSize / 4;
    const broadcast = subgroup > 0 && vectors % subgroup === 0;
    const lanes = broadcast ? subgroup : vectors;
    const source = withDropout(expand(attentionSource, {
      D: vectors,
      LANES: lanes,
      GROUPS: vectors / lanes,
      BROADCAST: Number(broadcast),
      WORKGROUP: broadcast ? subgroup : 64,
    }));
    return {
      forward: kernel("attention", source, "forward"),
      backwardQuery: kernel("attention", source, "backward_query"),
      backwardKeyValue: kernel("attention", source, "backward_key_value"),
      rowsPerWorkgroup: broadcast ? subgroup : 64,
    };
  },
);

/** LoRA's kernels; where ranks are handed round, for a subgroup size (else 0). */
export const lora = cached((subgroup: number) => {
  const ranks = subgroup || 4;
  const workgroup = subgroup || 64;
  const source = withDropout(expand(loraSource, {
    RANKS: ranks,
    BROADCAST: Number(subgroup > 0),
    WORKGROUP: workgroup,
  }));
  return {
    project: kernel("lora", source, "project"),
    inputGradient: kernel("lora", source, "input_gradient"),
    gradient: kernel("lora", source, "gradient"),
    /** Ranks that one invocation makes, and invocations of a workgroup. */
    ranks,
    workgroup,
  };
});

/** Which transposes a product reads: see matmul.wgsl. */
export type Transpose = "NT" | "NN" | "TN";

/** The register tile of one invocation, and how invocations share. */
export interface MatmulTile {
  /** Rows of the tile: groups · lanes · 4. With `broadcast`, lanes is the subgroup size. */
  groups: number;
  lanes: number;
  /** Columns of the tile, in vec4s. */
  columns: number;
  /** Rows of A handed round by `subgroupBroadcast`; one workgroup is then one subgroup. */
  broadcast: boolean;
  /** Invocations of a workgroup along n and m: [lanes, 1] with `broadcast`, else [8, 8] unless given. */
  workgroup?: readonly [number, number];
}

export interface MatmulVariant extends MatmulTile {
  transpose: Transpose;
  bias: boolean;
  accumulate: boolean;
  /** A second product, added: LoRA's (s·u) Bᵀ. */
  second: boolean;
  /** Whether A and B are read from textures. */
  textureA: boolean;
  textureB: boolean;
  /** How B's values lie in memory. */
  packB: "f32" | "bf16" | "f16";
}

/** Rows and columns of C that one workgroup of a tile makes. */
export function workgroupTile(tile: MatmulTile): { rows: number; columns: number } {
  const [x, y] = workgroupShape(tile);
  return { rows: tile.groups * tile.lanes * 4 * y, columns: tile.columns * 4 * x };
}

function workgroupShape({ broadcast, lanes, workgroup }: MatmulTile): readonly [number, number] {
  return broadcast ? [lanes, 1] : workgroup ?? [8, 8];
}

/** The matrix product for a variant; unrolled text, made once. */
export const matmul = cached((variant: MatmulVariant) => {
  const [x, y] = workgroupShape(variant);
  const source = expand(matmulSource, {
    X: x,
    Y: y,
    GROUPS: variant.groups,
    LANES: variant.lanes,
    COLUMNS: variant.columns,
    BROADCAST: Number(variant.broadcast),
    NT: Number(variant.transpose === "NT"),
    TN: Number(variant.transpose === "TN"),
    BIAS: Number(variant.bias),
    ACCUMULATE: Number(variant.accumulate),
    SECOND: Number(variant.second),
    TEXTURE_A: Number(variant.textureA),
    TEXTURE_B: Number(variant.textureB),
    PACKED_B: Number(variant.packB !== "f32"),
    BF16_B: Number(variant.packB === "bf16"),
    PARTS: variant.second ? 2 : 1,
  });
  return kernel(`matmul.${variant.transpose}`, source, "main");
});

/** Free strides, one value an invocation. */
export const matmulStrided = { main: kernel("matmul_strided", matmulStridedSource, "main") };

function cached<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<string, Value>();
  return (key) => {
    const text = JSON.stringify(key);
    let value = made.get(text);
    if (value === undefined) made.set(text, value = make(key));
    return value;
  };
}

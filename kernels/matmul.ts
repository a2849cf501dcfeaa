/** The matmul family: its kernels' texts, for a variant of the product and a plan of how to compute it. */
import { expand } from "./expand.ts";
import { cached, type Kernel, kernel, type MatrixExtension, withDropout } from "./kernel.ts";
import cooperativeSource from "./matmul_cooperative.wgsl" with { type: "text" };
import interfaceSource from "./matmul_interface.wgsl" with { type: "text" };
import registersSource from "./matmul_registers.wgsl" with { type: "text" };
import stridedSource from "./matmul_strided.wgsl" with { type: "text" };
import workgroupSource from "./matmul_workgroup.wgsl" with { type: "text" };
import normalSource from "./normal.wgsl" with { type: "text" };
import { fromTextures } from "./texture.ts";
import { type Format, formats, valuesText } from "./values.ts";

/** Which transposes a product reads: see matmul_interface.wgsl. */
export type Transpose = "NT" | "NN" | "TN";

/** A register tile for each invocation: matmul_registers.wgsl. */
export interface RegisterPlan {
  kind: "registers";
  /** Rows of the tile: groups · lanes · 4. */
  groups: number;
  lanes: number;
  /** Columns of the tile, in vec4s. */
  columns: number;
  /** Rows of A handed round by `subgroupBroadcast` among `lanes` invocations: a subgroup's least size. */
  broadcast: boolean;
  /** Invocations of a workgroup along n and m; with `broadcast` one along m. */
  workgroup: readonly [number, number];
  /** Whether operands are read from textures, into which they are copied first. */
  textures: boolean;
}

/** Tiles in workgroup memory: matmul_workgroup.wgsl. */
export interface WorkgroupPlan {
  kind: "workgroup";
  /** Rows and columns of one invocation, in vec4s. */
  rows: number;
  columns: number;
  /** Values of k that are loaded at a time, a multiple of 4. */
  inner: number;
  /** Whether the next values are loaded before these are multiplied. */
  prefetch: boolean;
  /** Invocations of a workgroup along n and m. */
  workgroup: readonly [number, number];
}

/** What a matrix unit multiplies at once: [m, n, k], rows and columns of its result, and inner values. */
export type Fragment = readonly [m: number, n: number, k: number];

/** Fragments for the GPU's matrix units, from operands rounded to f16: matmul_cooperative.wgsl. */
export interface CooperativePlan {
  kind: "cooperative";
  /** The extension of WGSL that the text is written in. */
  extension: MatrixExtension;
  /** What the GPU offers; wgpu's extension has 8 × 8 × 8 and 16 × 16 × 16 only. */
  fragment: Fragment;
  /** Fragments of a subgroup along m and n. */
  rows: number;
  columns: number;
  /** Values of k that are loaded at a time, a multiple of the fragment's. */
  inner: number;
  /** The most invocations that a subgroup has. */
  lanes: number;
  /** Invocations of a workgroup along n, a multiple of `lanes`, and m. */
  workgroup: readonly [number, number];
}

/** How a product is computed; which plan is fastest depends on adapter and shape. */
export type MatmulPlan = RegisterPlan | WorkgroupPlan | CooperativePlan;

/** What is computed. */
export interface MatmulVariant {
  transpose: Transpose;
  bias: boolean;
  accumulate: boolean;
  /** A second product, added: LoRA's (s·u) Bᵀ. */
  second: boolean;
  /** GELU of the result; `keep` writes what it is taken of, for the backward pass. */
  gelu: boolean;
  keep: boolean;
  dropout: boolean;
  residual: boolean;
  /** Whether A and B are read from textures. */
  textureA: boolean;
  textureB: boolean;
  /** How the operands' values lie in memory; of C also those of the residual, and what is kept. */
  formatA: Format;
  formatB: Format;
  formatC: Format;
}

/** Rows and columns of C that one workgroup makes. */
export function workgroupTile(plan: MatmulPlan): { rows: number; columns: number } {
  const [x, y] = plan.workgroup;
  if (plan.kind === "cooperative") {
    const { fragment: [m, n], lanes } = plan;
    return { rows: plan.rows * m * y, columns: plan.columns * n * x / lanes };
  }
  const rows = plan.kind === "registers" ? plan.groups * plan.lanes : plan.rows;
  return { rows: rows * 4 * y, columns: plan.columns * 4 * x };
}

const flags = [
  "bias",
  "accumulate",
  "second",
  "gelu",
  "keep",
  "dropout",
  "residual",
  "textureA",
  "textureB",
] as const;
const transposes = ["NT", "NN", "TN"];
const formatNames = ["formatA", "formatB", "formatC"] as const;
const kernels = new WeakMap<MatmulPlan, Map<number, Kernel>>();

/**
 * The kernel for a plan and a variant; unrolled text, made once. The variant is found by a number: as JSON, those
 * of a step would take a millisecond.
 */
export function matmul(plan: MatmulPlan, variant: MatmulVariant): Kernel {
  let key = transposes.indexOf(variant.transpose);
  for (const name of formatNames) key = formats.length * key + formats.indexOf(variant[name]);
  for (const flag of flags) key = 2 * key + Number(variant[flag]);
  let known = kernels.get(plan);
  if (!known) kernels.set(plan, known = new Map());
  let kernel = known.get(key);
  if (!kernel) known.set(key, kernel = tiledKernel({ variant, plan }));
  return kernel;
}

const tiledKernel = cached(
  ({ variant, plan }: { variant: MatmulVariant; plan: MatmulPlan }): Kernel => {
    const [x, y] = plan.workgroup;
    const values = {
      X: x,
      Y: y,
      COLUMNS: plan.columns,
      NT: Number(variant.transpose === "NT"),
      NN: Number(variant.transpose === "NN"),
      TN: Number(variant.transpose === "TN"),
      BIAS: Number(variant.bias),
      ACCUMULATE: Number(variant.accumulate),
      SECOND: Number(variant.second),
      PARTS: variant.second ? 2 : 1,
      GELU: Number(variant.gelu),
      KEEP: Number(variant.keep),
      DROPOUT: Number(variant.dropout),
      RESIDUAL: Number(variant.residual),
      SMALL_A: Number(variant.transpose !== "NT" && variant.formatA === "f32"),
      ...planValues(plan, variant.transpose),
    };
    const product = expand(`${interfaceSource}\n${mainSources[plan.kind]}`, values);
    const vectors = (["A", "B", "C"] as const)
      .map((name) => valuesText(variant[`format${name}`], `Vector${name}`));
    const textures = [...(variant.textureA ? ["a0"] : []), ...(variant.textureB ? ["b0"] : [])];
    const text = fromTextures([product, ...vectors].join("\n"), textures);
    const withNormal = variant.gelu ? `${normalSource}\n${text}` : text;
    const source = variant.dropout ? withDropout(withNormal) : withNormal;
    return kernel(`matmul.${variant.transpose}`, source, "main");
  },
);

const mainSources = {
  registers: registersSource,
  workgroup: workgroupSource,
  cooperative: cooperativeSource,
};

function planValues(plan: MatmulPlan, transpose: Transpose) {
  if (plan.kind === "registers") return registerValues(plan);
  return plan.kind === "workgroup"
    ? workgroupValues(plan, transpose)
    : cooperativeValues(plan, transpose);
}

function registerValues({ groups, lanes, broadcast }: RegisterPlan) {
  return { GROUPS: groups, LANES: lanes, BROADCAST: Number(broadcast) };
}

function workgroupValues(plan: WorkgroupPlan, transpose: Transpose) {
  const { rows, columns, inner, prefetch, workgroup: [x, y] } = plan;
  const widthA = rows * y;
  const widthB = columns * x;
  // What an invocation loads at a time: a vec4, or four of them where k runs along the operand's rows.
  const loads = (width: number, turned: boolean) =>
    Math.ceil((width * inner) / (turned ? 4 : 1) / (x * y));
  return {
    ROWS: rows,
    INNER: inner,
    AWIDTH: widthA,
    BWIDTH: widthB,
    APITCH: widthA + 1,
    BPITCH: widthB + 1,
    ATILE: inner * (widthA + 1),
    BTILE: inner * (widthB + 1),
    PREFETCH: Number(prefetch),
    AHEAD: prefetch ? inner : 0,
    ALOADS: loads(widthA, transpose !== "TN"),
    BLOADS: loads(widthB, transpose === "NT"),
  };
}

/** More than a row of a tile in workgroup memory takes: two vec4s of f16, 16 bytes. */
const cooperativePadding = 2;

function cooperativeValues(plan: CooperativePlan, transpose: Transpose) {
  const { extension, fragment: [m, n, k], columns, inner, lanes, workgroup: [x, y] } = plan;
  const tile = workgroupTile(plan);
  const threads = x * y;
  const subgroups = threads / lanes;
  const deep = inner / 4;
  const [linesA, widthA] = transpose === "TN" ? [inner, tile.rows / 4] : [tile.rows, deep];
  const [linesB, widthB] = transpose === "NT" ? [tile.columns, deep] : [inner, tile.columns / 4];
  const widthC = columns * n / 4;
  return {
    X: x / lanes,
    TINT: Number(extension === "chromium_experimental_subgroup_matrix"),
    HEIGHT: m,
    WIDTH: n,
    DEPTH: k,
    LARGE: Number(m === 16),
    ROWS: plan.rows,
    INNER: inner,
    STEPS: inner / k,
    SUBGROUPS: subgroups,
    THREADS: threads,
    TILEROWS: tile.rows,
    TILECOLUMNS: tile.columns,
    ALINES: linesA,
    AWIDTH: widthA,
    APITCH: widthA + cooperativePadding,
    ALOADS: Math.ceil(linesA * widthA / threads),
    BLINES: linesB,
    BWIDTH: widthB,
    BPITCH: widthB + cooperativePadding,
    BLOADS: Math.ceil(linesB * widthB / threads),
    CWIDTH: widthC,
    CPITCH: widthC + 1,
    CSTORES: Math.ceil(subgroups * m * widthC / threads),
  };
}

/** Bytes of workgroup memory that a plan takes. */
export function workgroupBytes(plan: MatmulPlan): number {
  if (plan.kind === "registers") return 0;
  if (plan.kind === "cooperative") {
    return Math.max(...(["NT", "NN", "TN"] as const).map((transpose) => {
      const v = cooperativeValues(plan, transpose);
      return 8 * (v.ALINES * v.APITCH + v.BLINES * v.BPITCH) +
        16 * v.SUBGROUPS * v.HEIGHT * v.CPITCH;
    }));
  }
  const { rows, columns, inner, workgroup: [x, y] } = plan;
  return 16 * inner * (rows * y + 1 + columns * x + 1);
}

/** The texts that plans are made from: what was timed with others is out of date. */
export const matmulSources = [
  interfaceSource,
  ...formats.map((format) => valuesText(format)),
  ...Object.values(mainSources),
];

/** Free strides: for shapes that the tiled kernels cannot read. */
const stridedText = expand(stridedSource, {});
export const matmulStrided = {
  /** One value an invocation, 8 × 8 a workgroup. */
  main: kernel("matmul_strided", stridedText, "main"),
  /** A row and 8 columns a workgroup, which shares the sums; A's rows lie along k. */
  split: kernel("matmul_strided", stridedText, "split"),
};

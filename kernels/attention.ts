/** The attention kernels' texts, for a head size and a way to share the rows that many tokens need. */
import interfaceSource from "./attention_interface.wgsl" with { type: "text" };
import subgroupSource from "./attention_subgroup.wgsl" with { type: "text" };
import workgroupSource from "./attention_workgroup.wgsl" with { type: "text" };
import { expand } from "./expand.ts";
import { cached, type Kernel, kernel, withDropout } from "./kernel.ts";
import { fromTextures } from "./texture.ts";
import { type Format, valuesText } from "./values.ts";

/** What attention is made for. */
export interface AttentionVariant {
  /** A multiple of 4. */
  headSize: number;
  /** Subgroup size by which rows are handed round where the head size allows it; 0 to use workgroup memory. */
  lanes: number;
  /** Whether what is handed round may come from textures. */
  textures: boolean;
  /** Of queries, keys, values, results and their gradients. */
  format: Format;
}

export interface AttentionKernels {
  forward: Kernel;
  backwardQuery: Kernel;
  backwardKeyValue: Kernel;
  /** Tokens of a workgroup. */
  rows: number;
}

/** Tokens of an invocation in attention_subgroup.wgsl: on llvmpipe 4 lose in short sentences, 1 in long ones. */
const subgroupRows = 2;
/** The largest head that it is unrolled for: its text grows with it. */
const largestShared = 128;

/** What attention reads, which may come from textures where it is handed round. */
const matrices = ["projections", "doutput", "result"];

/** The most invocations of a workgroup in attention_workgroup.wgsl. */
const invocations = 128;
/** The most vectors of an invocation there, of each of k, v, dk and dv: more, and GPUs keep them in memory. */
const mostVectors = 4;
/** Parts that a token has at least where they are of two vectors: short batches have few tokens for a GPU. */
const fewestParts = 4;
/** Bytes of workgroup memory that WebGPU promises everywhere. */
const memory = 16384;

/**
 * The head size that attention's kernels compute a head of any size in: itself where it is a multiple of 4, else
 * padded, where rows may be handed round to what they can be handed round in.
 */
export function paddedHeadSize(headSize: number, lanes: number): number {
  if (headSize % 4 === 0) return headSize;
  const padded = (multiple: number) => Math.ceil(headSize / multiple) * multiple;
  const shared = padded(4 * Math.max(1, lanes));
  return shared <= largestShared ? shared : padded(4);
}

/** Attention's kernels for a variant; unrolled text, made once. Throws where the head size is too large. */
export const attention = cached((variant: AttentionVariant): AttentionKernels => {
  const { headSize, lanes } = variant;
  const vectors = headSize / 4;
  const shared = lanes > 0 && vectors % lanes === 0 && headSize <= largestShared;
  const sizes = shared
    ? { LANES: lanes, GROUPS: vectors / lanes, ROWS: subgroupRows }
    : workgroupSizes(headSize);
  const expanded = expand(
    `${valuesText(variant.format)}\n${interfaceSource}\n${
      shared ? subgroupSource : workgroupSource
    }`,
    { D: vectors, ...sizes },
  );
  const text = fromTextures(expanded, shared && variant.textures ? matrices : []);
  const [common, ...entryPoints] = text.split(/^(?=@compute)/m);
  // Each kernel gets its own entry point only: naga reads the whole text for each, 100 KB in 0.1 s.
  const kernelOf = (entryPoint: string) => {
    const own = entryPoints.find((each) => each.includes(`fn ${entryPoint}(`));
    return kernel("attention", withDropout(`${common}${own}`), entryPoint);
  };
  return {
    forward: kernelOf("forward"),
    backwardQuery: kernelOf("backward_query"),
    backwardKeyValue: kernelOf("backward_key_value"),
    rows: shared ? subgroupRows * lanes : sizes.ROWS,
  };
});

/** How attention_workgroup.wgsl is cut: into parts that its registers hold, then as many rows in a tile as fit. */
export function workgroupSizes(headSize: number) {
  const vectors = headSize / 4;
  let parts = Math.ceil(Math.max(vectors / mostVectors, Math.min(fewestParts, vectors / 2)));
  while (vectors % parts !== 0) parts++;
  const rows = Math.max(1, Math.floor(invocations / parts));
  const bytes = (tile: number) =>
    32 * tile * (vectors + 1) + 8 * tile * rows * parts + 8 * tile + 4 * rows * parts;
  const tile = [16, 8, 4].find((tile) => bytes(tile) <= memory);
  if (tile === undefined) {
    throw new Error(
      `A head size of ${headSize} does not fit into ${memory} bytes of workgroup memory.`,
    );
  }
  return {
    WORKGROUP: rows * parts,
    PARTS: parts,
    PART: vectors / parts,
    ROWS: rows,
    TILE: tile,
    CHUNK: Math.ceil(tile / parts),
  };
}

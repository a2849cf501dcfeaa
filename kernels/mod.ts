/** The catalogue of kernels: WGSL text, entry point, and the names that a launch binds. */
import adamwSource from "./adamw.wgsl" with { type: "text" };
import addSource from "./add.wgsl" with { type: "text" };
import columnSumSource from "./column_sum.wgsl" with { type: "text" };
import crossEntropySource from "./cross_entropy.wgsl" with { type: "text" };
import dropoutSource from "./dropout.wgsl" with { type: "text" };
import embeddingSource from "./embedding.wgsl" with { type: "text" };
import { expand } from "./expand.ts";
import geluSource from "./gelu.wgsl" with { type: "text" };
import gradientNormSource from "./gradient_norm.wgsl" with { type: "text" };
import { cached, kernel, withDropout } from "./kernel.ts";
import layerNormSource from "./layer_norm.wgsl" with { type: "text" };
import loraASource from "./lora_a.wgsl" with { type: "text" };
import loraBSource from "./lora_b.wgsl" with { type: "text" };
import loraInterfaceSource from "./lora_interface.wgsl" with { type: "text" };
import normalSource from "./normal.wgsl" with { type: "text" };
import reluSource from "./relu.wgsl" with { type: "text" };
import scaleSource from "./scale.wgsl" with { type: "text" };
import siluSource from "./silu.wgsl" with { type: "text" };
import softmaxSource from "./softmax.wgsl" with { type: "text" };
import tanhSource from "./tanh.wgsl" with { type: "text" };

export * from "./attention.ts";
export type { Kernel } from "./kernel.ts";
export * from "./matmul.ts";

export const add = { forward: kernel("add", addSource, "forward") };
export const scale = { main: kernel("scale", scaleSource, "main") };
export const dropout = { main: kernel("dropout", withDropout(dropoutSource), "main") };
export const columnSum = { main: kernel("column_sum", columnSumSource, "main") };
export const adamw = { main: kernel("adamw", adamwSource, "main") };

const forwardAndBackward = (file: string, source: string) => ({
  forward: kernel(file, source, "forward"),
  backward: kernel(file, source, "backward"),
});

export const gelu = forwardAndBackward("gelu", `${normalSource}\n${geluSource}`);
export const relu = forwardAndBackward("relu", reluSource);
export const silu = forwardAndBackward("silu", siluSource);
export const tanh = forwardAndBackward("tanh", tanhSource);
export const embedding = forwardAndBackward("embedding", embeddingSource);
export const crossEntropy = {
  ...forwardAndBackward("cross_entropy", crossEntropySource),
  mean: kernel("cross_entropy", crossEntropySource, "mean"),
};
export const gradientNorm = {
  partial: kernel("gradient_norm", gradientNormSource, "partial"),
  finish: kernel("gradient_norm", gradientNormSource, "finish"),
};
/** Softmax's kernels for a number of invocations a row. */
export const softmax = cached((lanes: number) => ({
  forward: kernel("softmax", softmaxSource, "forward", { LANES: lanes }),
  backward: kernel("softmax", softmaxSource, "backward", { LANES: lanes }),
}));

/** LayerNorm's kernels for a number of invocations a row. */
export const layerNorm = cached((lanes: number) => ({
  forward: kernel("layer_norm", layerNormSource, "forward", { LANES: lanes }),
  backward: kernel("layer_norm", layerNormSource, "backward", { LANES: lanes }),
  gradient: kernel("layer_norm", layerNormSource, "gradient"),
}));

/** How LoRA's kernels are cut: where ranks are handed round, for a subgroup size (else 0). */
const loraSizes = (subgroup: number) => ({
  /** Ranks that an invocation makes. */
  ranks: subgroup || 4,
  /** Tokens of a workgroup in project and output_gradient. */
  tokens: subgroup || 1,
  /** Vectors of a workgroup along A's or B's longer side. */
  gradientVectors: subgroup || 16,
  inputGradientVectors: subgroup || 64,
});

const loraText = (source: string, subgroup: number) => {
  const { ranks, inputGradientVectors } = loraSizes(subgroup);
  return expand(`${source}\n${loraInterfaceSource}`, {
    RANKS: ranks,
    LANES: inputGradientVectors,
    BROADCAST: Number(subgroup > 0),
  });
};

/** LoRA's kernels that read A, and how both files' are cut. */
export const loraA = cached((subgroup: number) => {
  const source = withDropout(loraText(loraASource, subgroup));
  return {
    project: kernel("lora_a", source, "project"),
    inputGradient: kernel("lora_a", source, "input_gradient"),
    gradient: kernel("lora_a", source, "gradient"),
    ...loraSizes(subgroup),
  };
});

/** Those that read B. */
export const loraB = cached((subgroup: number) => {
  const source = loraText(loraBSource, subgroup);
  return {
    outputGradient: kernel("lora_b", source, "output_gradient"),
    gradient: kernel("lora_b", source, "gradient"),
  };
});

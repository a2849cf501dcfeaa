/** The catalogue of kernels: WGSL text, entry point, and the names that a launch binds. */
import adamwSource from "./adamw.wgsl" with { type: "text" };
import addSource from "./add.wgsl" with { type: "text" };
import columnSumSource from "./column_sum.wgsl" with { type: "text" };
import cosineLossSource from "./cosine_loss.wgsl" with { type: "text" };
import crossEntropySource from "./cross_entropy.wgsl" with { type: "text" };
import dropoutSource from "./dropout.wgsl" with { type: "text" };
import embeddingSource from "./embedding.wgsl" with { type: "text" };
import geluSource from "./gelu.wgsl" with { type: "text" };
import gradientNormSource from "./gradient_norm.wgsl" with { type: "text" };
import { expand } from "./expand.ts";
import { cached, kernel, withDropout } from "./kernel.ts";
import layerNormSource from "./layer_norm.wgsl" with { type: "text" };
import loraRowNormsSource from "./lora_row_norms.wgsl" with { type: "text" };
import meanPoolSource from "./mean_pool.wgsl" with { type: "text" };
import normalSource from "./normal.wgsl" with { type: "text" };
import padHeadsSource from "./pad_heads.wgsl" with { type: "text" };
import reluSource from "./relu.wgsl" with { type: "text" };
import scaleSource from "./scale.wgsl" with { type: "text" };
import scaleColumnsSource from "./scale_columns.wgsl" with { type: "text" };
import siluSource from "./silu.wgsl" with { type: "text" };
import softmaxSource from "./softmax.wgsl" with { type: "text" };
import tanhSource from "./tanh.wgsl" with { type: "text" };
import { type Packing, unpackText } from "./unpack.ts";

export * from "./attention.ts";
export type { Extension, Kernel, MatrixExtension } from "./kernel.ts";
export * from "./lora.ts";
export * from "./matmul.ts";

export const add = { forward: kernel("add", addSource, "forward") };
export const scale = { main: kernel("scale", scaleSource, "main") };
export const dropout = { main: kernel("dropout", withDropout(dropoutSource), "main") };
export const columnSum = { main: kernel("column_sum", columnSumSource, "main") };
export const padHeads = { main: kernel("pad_heads", padHeadsSource, "main") };
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
export const meanPool = forwardAndBackward("mean_pool", meanPoolSource);
export const cosineLoss = {
  ...forwardAndBackward("cosine_loss", cosineLossSource),
  mean: kernel("cosine_loss", cosineLossSource, "mean"),
};
const crossEntropyWith = (values: { WEIGHTED: number }) => {
  const source = expand(crossEntropySource, values);
  return {
    ...forwardAndBackward("cross_entropy", source),
    mean: kernel("cross_entropy", source, "mean"),
  };
};
export const crossEntropy = crossEntropyWith({ WEIGHTED: 0 });
export const weightedCrossEntropy = crossEntropyWith({ WEIGHTED: 1 });
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

/** The kernels of scaled columns: four at a time where they are `vectors`, with or without divisor and shift. */
export const scaleColumns = cached(
  (variant: { vectors: boolean; divided: boolean; shifted: boolean }) => {
    const source = expand(scaleColumnsSource, {
      VECTORS: Number(variant.vectors),
      DIVIDED: Number(variant.divided),
      SHIFTED: Number(variant.shifted),
    });
    return {
      main: kernel("scale_columns", source, "main"),
      gradient: kernel("scale_columns", source, "gradient"),
    };
  },
);

/** The norms of a weight's rows with LoRA's part, for how the weight is packed. */
export const loraRowNorms = cached((packing: Packing) => {
  const source = expand(loraRowNormsSource, { PACKED: Number(packing !== "f32") });
  return kernel("lora_row_norms", unpackText(packing) + source, "main");
});

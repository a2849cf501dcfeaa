/** The catalogue of kernels: WGSL text, entry point, and the names that a launch binds. */
import adamwSource from "./adamw.wgsl" with { type: "text" };
import addSource from "./add.wgsl" with { type: "text" };
import columnSumSource from "./column_sum.wgsl" with { type: "text" };
import convertSource from "./convert.wgsl" with { type: "text" };
import cosineLossSource from "./cosine_loss.wgsl" with { type: "text" };
import crossEntropySource from "./cross_entropy.wgsl" with { type: "text" };
import dropoutSource from "./dropout.wgsl" with { type: "text" };
import embeddingSource from "./embedding.wgsl" with { type: "text" };
import geluSource from "./gelu.wgsl" with { type: "text" };
import gradientNormSource from "./gradient_norm.wgsl" with { type: "text" };
import { expand } from "./expand.ts";
import { cached, type Kernel, kernel, withDropout } from "./kernel.ts";
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
import { type Format, valuesText } from "./values.ts";

export * from "./attention.ts";
export type { Extension, Kernel, MatrixExtension } from "./kernel.ts";
export * from "./lora.ts";
export * from "./matmul.ts";
export type { Format } from "./values.ts";

/** A text for values of each format. */
const inFormat = (source: string) => (format: Format) => `${valuesText(format)}\n${source}`;

/** The kernels of one entry point, for a format. */
const single = <Name extends string>(file: string, source: string, name: Name) =>
  cached((format: Format) =>
    ({ [name]: kernel(file, inFormat(source)(format), name) }) as Record<Name, Kernel>
  );

export const add = single("add", addSource, "forward");
export const scale = single("scale", scaleSource, "main");
export const dropout = single("dropout", withDropout(dropoutSource), "main");
export const padHeads = { main: kernel("pad_heads", padHeadsSource, "main") };
export const adamw = { main: kernel("adamw", expand(adamwSource, { SCALED: 0 }), "main") };
export const scaledAdamw = { main: kernel("adamw", expand(adamwSource, { SCALED: 1 }), "main") };

/** Values of one format in another. */
export const convert = cached(({ from, to }: { from: Format; to: Format }) => {
  const source = [valuesText(from, "VectorX"), valuesText(to, "VectorY"), convertSource].join("\n");
  return kernel("convert", source, "main");
});

/** Sums over rows, one column an invocation, or four where values have 16 bits. */
export const columnSum = cached((format: Format) => {
  const vectors = format !== "f32";
  const source = expand(columnSumSource, { VECTORS: Number(vectors) });
  return {
    main: kernel("column_sum", vectors ? inFormat(source)(format) : source, "main"),
    /** Columns of an invocation. */
    width: vectors ? 4 : 1,
  };
});

const forwardAndBackward = (file: string, source: string) => ({
  forward: kernel(file, source, "forward"),
  backward: kernel(file, source, "backward"),
});

const activation = (file: string, source: string) =>
  cached((format: Format) => forwardAndBackward(file, inFormat(source)(format)));

export const gelu = activation("gelu", `${normalSource}\n${geluSource}`);
export const relu = activation("relu", reluSource);
export const silu = activation("silu", siluSource);
export const tanh = activation("tanh", tanhSource);
/** Rows of a table of one format in another. */
export const embedding = cached(({ table, rows }: { table: Format; rows: Format }) =>
  forwardAndBackward(
    "embedding",
    [valuesText(table, "TableVector"), valuesText(rows), embeddingSource].join("\n"),
  )
);
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
/** The least loss scale: a step that is no number with it is not the scale's fault. */
export const leastLossScale = 1;
const gradientNormWith = (values: { SCALED: number }) => {
  const source = expand(gradientNormSource, { ...values, LEAST: leastLossScale });
  return {
    partial: kernel("gradient_norm", source, "partial"),
    finish: kernel("gradient_norm", source, "finish"),
  };
};
export const gradientNorm = gradientNormWith({ SCALED: 0 });
export const scaledGradientNorm = gradientNormWith({ SCALED: 1 });
/** Softmax's kernels for a number of invocations a row. */
export const softmax = cached((lanes: number) => ({
  forward: kernel("softmax", softmaxSource, "forward", { LANES: lanes }),
  backward: kernel("softmax", softmaxSource, "backward", { LANES: lanes }),
}));

/** LayerNorm's kernels for a number of invocations a row, and values of a format. */
export const layerNorm = cached(({ lanes, format }: { lanes: number; format: Format }) => {
  const source = inFormat(layerNormSource)(format);
  return {
    forward: kernel("layer_norm", source, "forward", { LANES: lanes }),
    backward: kernel("layer_norm", source, "backward", { LANES: lanes }),
    gradient: kernel("layer_norm", source, "gradient"),
  };
});

/** The kernels of scaled columns: four at a time where they are `vectors`, else f32, with or without divisor and shift. */
export const scaleColumns = cached(
  (variant: { vectors: boolean; divided: boolean; shifted: boolean; format: Format }) => {
    const expanded = expand(scaleColumnsSource, {
      VECTORS: Number(variant.vectors),
      DIVIDED: Number(variant.divided),
      SHIFTED: Number(variant.shifted),
    });
    const source = variant.vectors ? inFormat(expanded)(variant.format) : expanded;
    return {
      main: kernel("scale_columns", source, "main"),
      gradient: kernel("scale_columns", source, "gradient"),
    };
  },
);

/** The norms of a weight's rows with LoRA's part, for how the weight is packed. */
export const loraRowNorms = cached((format: Format) =>
  kernel("lora_row_norms", inFormat(loraRowNormsSource)(format), "main")
);

/** The operations, forward and backward. `test/ops` has a row for each; a missing row does not compile. */
export { add } from "./add.ts";
export { attention } from "./attention.ts";
export { crossEntropy, type LossWeights } from "./cross_entropy.ts";
export { dropout } from "./dropout.ts";
export { embedding } from "./embedding.ts";
export { gelu } from "./gelu.ts";
export { layerNorm } from "./layer_norm.ts";
export { join } from "./join.ts";
export type { LinearEnd } from "../linear_end.ts";
export { linear, type LinearWeights } from "./linear.ts";
export type { Lora } from "./lora_weights.ts";
export { loraRowNorms } from "./lora_row_norms.ts";
export { relu } from "./relu.ts";
export { scale } from "./scale.ts";
export { scaleColumns } from "./scale_columns.ts";
export { silu } from "./silu.ts";
export { softmax } from "./softmax.ts";
export { tanh } from "./tanh.ts";

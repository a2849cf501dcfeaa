import { columnSum } from "../column_sum.ts";
import { inSteps, isPlain, type LinearEnd, prepareEnd } from "../linear_end.ts";
import { matmul, tiles } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { lowRank } from "./lora.ts";
import type { Lora } from "./lora_weights.ts";

/** Weights of linear layers of one input and equal shape that lie together, such as query, key and value. */
export interface LinearWeights {
  /** [out, in] of one layer, [layers, out, in] of a stack. */
  weight: Tensor;
  /** [out] or [layers, out]; none for layers without bias. */
  bias?: Tensor;
  lora?: Lora;
}

/**
 * y = x Wᵀ + b, as torch.nn.Linear, and LoRA's part of it (lora.ts); then what `end` says, in the same kernel:
 * x [rows, in], y [rows, out], or of a stack [layers, rows, out].
 *
 * Backward, with dy of the product: dx = Σ_layers dy W, dW += dyᵀ x, db += Σ_rows dy, each only where it is
 * wanted, and LoRA's. y has x's dtype.
 */
export function linear(x: Tensor, weights: LinearWeights, end: LinearEnd = {}): Tensor {
  const { weight, bias, lora } = weights;
  const { device, rows } = x;
  const [inner, outputs, stack = 1] = weight.shape.toReversed();
  const rank = lora?.b.columns ?? 0;
  const fits = tiles("NT", { rows, columns: outputs, inner }) && rank % 4 === 0;
  if (!fits && !isPlain(x, end)) return inSteps(x, end, (input) => linear(input, weights));
  const low = lora && lowRank(x, weight, lora);
  const inputs = [x, end.residual, weight, bias, lora?.a, lora?.b].filter((t) => t !== undefined);
  const y = empty(device, [...weight.shape.slice(0, -2), rows, outputs], x.dtype);
  const { epilogue, saved, backward } = prepareEnd(y, inputs, end);
  matmul("NT", x, weight, y, { bias, stack, second: low, epilogue });
  return record(inputs, y, (dresult, target) => {
    const dy = backward(dresult);
    if (weight.requiresGrad) {
      matmul("TN", dy, x, gradientBuffer(weight), { stack, accumulate: true });
    }
    if (bias?.requiresGrad) columnSum(dy, gradientBuffer(bias), stack);
    const dx = target(0);
    if (dx) matmul("NN", dy, weight, dx.tensor, { ...dx, stack });
    low?.backward(dy, dx?.tensor);
    if (dy !== dresult) device.memory.release(dy.storage);
    return [dx?.tensor, end.residual && dresult];
  }, low ? [low.u, ...saved] : saved);
}

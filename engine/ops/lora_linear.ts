import { columnSum } from "../column_sum.ts";
import { applyEnd, isEmpty, type LinearEnd, prepareEnd } from "../linear_end.ts";
import { checkLora, type LoraWeights, lowRank } from "../low_rank.ts";
import { matmul, tiles } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/**
 * y = x Wᵀ + b + s · (dropout(x) Aᵀ) Bᵀ (Hu et al. 2021): x [rows, in], W [out, in]. ΔW = BA is never
 * made: u = s · dropout(x) Aᵀ is a narrow product, kept for the backward pass, and u Bᵀ joins W's product.
 * Then follows what `end` says, in the same kernel.
 *
 * Backward, with dy of the product: as a linear layer, and through A and B as engine/low_rank.ts.
 */
export function loraLinear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  lora: LoraWeights,
  end: LinearEnd = {},
): Tensor {
  const { device, rows, columns } = x;
  const { a, b } = lora;
  const rank = a.rows;
  checkLora(x, weight, lora);
  const fits = rank % 4 === 0 && tiles("NT", { rows, columns: weight.rows, inner: columns });
  if (!isEmpty(end) && !fits) return applyEnd(loraLinear(x, weight, bias, lora), end);
  const u = empty(device, [rows, rank]);
  const lowRankBackward = lowRank(x, { layers: [lora], slots: [0] }, u);
  const inputs = [x, weight, bias, a, b, ...(end.residual ? [end.residual] : [])];
  const y = empty(device, [rows, weight.rows]);
  const { epilogue, saved, backward } = prepareEnd(y, inputs, end);
  matmul("NT", x, weight, y, { bias, second: { a: u, b }, epilogue });
  return record(inputs, y, (dresult, target) => {
    const dy = backward(dresult);
    if (weight.requiresGrad) matmul("TN", dy, x, gradientBuffer(weight), { accumulate: true });
    if (bias.requiresGrad) columnSum(dy, gradientBuffer(bias));
    const dx = target(0);
    if (dx) matmul("NN", dy, weight, dx.tensor, dx);
    lowRankBackward(dy, dx?.tensor);
    if (dy !== dresult) device.memory.release(dy.storage);
    return [
      dx?.tensor,
      undefined,
      undefined,
      undefined,
      undefined,
      ...(end.residual ? [dresult] : []),
    ];
  }, [u, ...saved]);
}

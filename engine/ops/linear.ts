import { columnSum } from "../column_sum.ts";
import { applyEnd, isEmpty, type LinearEnd, prepareEnd } from "../linear_end.ts";
import { matmul, tiles } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/**
 * y = x Wᵀ + b: x [rows, in], W [out, in], b [out], y [rows, out], as torch.nn.Linear; then what `end`
 * says, in the same kernel.
 * Backward, with dy of the product: dx = dy W, dW += dyᵀ x, db += Σ_rows dy, each only where it is wanted.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor, end: LinearEnd = {}): Tensor {
  const { device, rows, columns: inner } = x;
  if (!isEmpty(end) && !tiles("NT", { rows, columns: weight.rows, inner })) {
    return applyEnd(linear(x, weight, bias), end);
  }
  const inputs = [x, weight, bias, ...(end.residual ? [end.residual] : [])];
  const y = empty(device, [rows, weight.rows]);
  const { epilogue, saved, backward } = prepareEnd(y, inputs, end);
  matmul("NT", x, weight, y, { bias, epilogue });
  return record(inputs, y, (dresult, target) => {
    const dy = backward(dresult);
    if (weight.requiresGrad) {
      matmul("TN", dy, x, gradientBuffer(weight), { accumulate: true });
    }
    if (bias.requiresGrad) columnSum(dy, gradientBuffer(bias));
    const dx = target(0);
    if (dx) matmul("NN", dy, weight, dx.tensor, dx);
    if (dy !== dresult) device.memory.release(dy.storage);
    return [dx?.tensor, undefined, undefined, ...(end.residual ? [dresult] : [])];
  }, saved);
}

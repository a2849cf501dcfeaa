import { columnSum } from "../column_sum.ts";
import { matmul } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/**
 * y = x Wᵀ + b: x [rows, in], W [out, in], b [out], y [rows, out], as torch.nn.Linear.
 * Backward: dx = dy W, dW += dyᵀ x, db += Σ_rows dy, each only where it is wanted.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const y = empty(x.device, [x.rows, weight.rows]);
  matmul("NT", x, weight, y, { bias });
  return record([x, weight, bias], y, (dy) => {
    if (weight.requiresGrad) {
      matmul("TN", dy, x, gradientBuffer(weight), { accumulate: true });
    }
    if (bias.requiresGrad) columnSum(dy, gradientBuffer(bias));
    if (!x.requiresGrad) return [];
    const dx = empty(x.device, x.shape);
    matmul("NN", dy, weight, dx);
    return [dx];
  });
}

import { lora as loraKernels } from "../../kernels/mod.ts";
import { columnSum } from "../column_sum.ts";
import { applyEnd, isEmpty, type LinearEnd, prepareEnd } from "../linear_end.ts";
import { matmul, tiles } from "../matmul.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { dropoutParams } from "./dropout.ts";

export interface LoraWeights {
  /** [rank, in] */
  a: Tensor;
  /** [out, rank] */
  b: Tensor;
  /** α/r or α/√r */
  scale: number;
  /** Dropout probability on LoRA's input. */
  dropout: number;
}

/**
 * y = x Wᵀ + b + s · (dropout(x) Aᵀ) Bᵀ (Hu et al. 2021): x [rows, in], W [out, in]. ΔW = BA is never
 * made: u = s · dropout(x) Aᵀ is a narrow product, kept for the backward pass, and u Bᵀ joins W's product.
 * Then follows what `end` says, in the same kernel.
 *
 * Backward, with du = dy B:  dB += dyᵀ u,  dA += s · duᵀ dropout(x),  dx = dy W + s · dropout'(du A).
 */
export function loraLinear(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  lora: LoraWeights,
  end: LinearEnd = {},
): Tensor {
  const { device, rows, columns } = x;
  const { a, b, scale } = lora;
  const rank = a.rows;
  if (columns % 4 !== 0 || a.columns !== columns || b.columns !== rank || b.rows !== weight.rows) {
    throw new Error(
      `LoRA's A [${a.shape.join(", ")}] and B [${b.shape.join(", ")}] do not fit the weight ` +
        `[${weight.shape.join(", ")}], or its columns are not a multiple of 4.`,
    );
  }
  const fits = rank % 4 === 0 && tiles("NT", { rows, columns: weight.rows, inner: columns });
  if (!isEmpty(end) && !fits) return applyEnd(loraLinear(x, weight, bias, lora), end);
  const { random, launcher } = device;
  const kernels = loraKernels(device.kernels.broadcastLanes);
  const { ranks, workgroup } = kernels;
  const params = { rows, columns: columns / 4, rank, scale, ...dropoutParams(x, lora.dropout) };
  const u = empty(device, [rows, rank]);
  launcher.launch(
    kernels.project,
    { x: x.binding, loraA: a.binding, u: u.binding, random },
    params,
    [Math.ceil(rows / workgroup), Math.ceil(rank / ranks)],
  );
  const inputs = [x, weight, bias, a, b, ...(end.residual ? [end.residual] : [])];
  const y = empty(device, [rows, weight.rows]);
  const { epilogue, saved, backward } = prepareEnd(y, inputs, end);
  matmul("NT", x, weight, y, { bias, second: { a: u, b }, epilogue });
  return record(inputs, y, (dresult) => {
    const dy = backward(dresult);
    const du = empty(device, [rows, rank]);
    matmul("NN", dy, b, du);
    if (b.requiresGrad) matmul("TN", dy, u, gradientBuffer(b), { accumulate: true });
    if (a.requiresGrad) {
      launcher.launch(
        kernels.gradient,
        { x: x.binding, du: du.binding, dloraA: gradientBuffer(a).binding, random },
        params,
        [Math.ceil(columns / 4 / workgroup), Math.ceil(rank / ranks)],
      );
    }
    if (weight.requiresGrad) matmul("TN", dy, x, gradientBuffer(weight), { accumulate: true });
    if (bias.requiresGrad) columnSum(dy, gradientBuffer(bias));
    let dx: Tensor | undefined;
    if (x.requiresGrad) {
      dx = empty(device, x.shape);
      launcher.launch(
        kernels.inputGradient,
        { loraA: a.binding, du: du.binding, dx: dx.binding, random },
        params,
        [Math.ceil(columns / 4 / workgroup), Math.ceil(rows / 4)],
      );
      matmul("NN", dy, weight, dx, { accumulate: true });
    }
    device.memory.release(du.storage);
    if (dy !== dresult) device.memory.release(dy.storage);
    return [dx, undefined, undefined, undefined, undefined, ...(end.residual ? [dresult] : [])];
  }, [u, ...saved]);
}

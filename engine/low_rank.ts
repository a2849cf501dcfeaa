/** LoRA's part of a linear layer: u = s · dropout(x) Aᵀ forward, and the gradients that go through it. */
import { lora as loraKernels } from "../kernels/mod.ts";
import { matmul } from "./matmul.ts";
import { dropoutParams } from "./ops/dropout.ts";
import { gradientBuffer } from "./tape.ts";
import { empty, type Tensor } from "./tensor.ts";

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

/** Carries the gradient dy of the layer's result to A, to B and, where `dx` is given, adds x's to it. */
export type LowRankBackward = (dy: Tensor, dx?: Tensor) => void;

/** Throws where A [rank, in] or B [out, rank] does not fit x [rows, in] and the weight [out, in]. */
export function checkLora(x: Tensor, weight: Tensor, { a, b }: LoraWeights): void {
  const { columns } = x;
  if (
    columns % 4 !== 0 || a.columns !== columns || b.columns !== a.rows || b.rows !== weight.rows
  ) {
    throw new Error(
      `LoRA's A [${a.shape.join(", ")}] and B [${b.shape.join(", ")}] do not fit the weight ` +
        `[${weight.shape.join(", ")}], or its columns are not a multiple of 4.`,
    );
  }
}

/**
 * Writes u [rows, rank], from which the layer's product makes u Bᵀ, and returns the way back: with du = dy B,
 * dB += dyᵀ u,  dA += s · duᵀ dropout(x),  dx += s · dropout'(du A).
 */
export function lowRank(x: Tensor, lora: LoraWeights, u: Tensor): LowRankBackward {
  const { device, rows, columns } = x;
  const { launcher, random } = device;
  const { a, b, scale } = lora;
  const rank = a.rows;
  const kernels = loraKernels(device.kernels.broadcastLanes);
  const { ranks, workgroup } = kernels;
  const params = { rows, columns: columns / 4, rank, scale, ...dropoutParams(x, lora.dropout) };
  launcher.launch(
    kernels.project,
    { x: x.binding, loraA: a.binding, u: u.binding, random },
    params,
    [Math.ceil(rows / workgroup), Math.ceil(rank / ranks)],
  );
  return (dy, dx) => {
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
    if (dx) {
      launcher.launch(
        kernels.inputGradient,
        { loraA: a.binding, du: du.binding, dx: dx.binding, random },
        params,
        [Math.ceil(columns / 4 / workgroup), Math.ceil(rows / 4)],
      );
    }
    device.memory.release(du.storage);
  };
}

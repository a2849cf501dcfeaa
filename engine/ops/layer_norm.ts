import { layerNorm as kernels } from "../../kernels/mod.ts";
import { columnSum } from "../column_sum.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** Rows that one invocation sums for the gradient of γ. */
const rowsPerBlock = 64;

/**
 * LayerNorm over the last dimension: x [rows, columns], γ and β [columns]; columns a multiple of 4.
 * γ's and β's gradients are computed only where they train. Formulas in kernels/layer_norm.wgsl.
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: number): Tensor {
  const { device, rows, columns } = x;
  if (gamma.size !== columns || beta.size !== columns || columns % 4 !== 0) {
    throw new Error(
      `Cannot normalise [${x.shape.join(", ")}] with γ [${gamma.size}] and β [${beta.size}]: ` +
        `the last dimension must equal them and be a multiple of 4.`,
    );
  }
  const { forward, backward, gradient } = kernels(device.kernels.layerNormLanes);
  const params = { rows, columns: columns / 4, rowsPerBlock, eps };
  const onePerRow = [Math.min(rows, 65535), Math.ceil(rows / 65535)] as const;
  const y = empty(device, x.shape);
  const statistics = empty(device, [rows, 2]);
  device.launcher.launch(
    forward,
    {
      x: x.binding,
      gamma: gamma.binding,
      beta: beta.binding,
      y: y.binding,
      statistics: statistics.binding,
    },
    params,
    onePerRow,
  );
  return record(
    [x, gamma, beta],
    y,
    (dy) => {
      const saved = statistics.binding;
      if (gamma.requiresGrad) {
        const blocks = Math.ceil(rows / rowsPerBlock);
        const dgamma = empty(device, [blocks, columns]);
        const bindings = { x: x.binding, saved, dy: dy.binding, dgamma: dgamma.binding };
        device.launcher.launch(gradient, bindings, params, [Math.ceil(columns / 256), blocks]);
        columnSum(dgamma, gradientBuffer(gamma));
        device.memory.release(dgamma.storage);
      }
      if (beta.requiresGrad) columnSum(dy, gradientBuffer(beta));
      if (!x.requiresGrad) return [];
      const dx = empty(device, x.shape);
      device.launcher.launch(
        backward,
        { x: x.binding, gamma: gamma.binding, saved, dy: dy.binding, dx: dx.binding },
        params,
        onePerRow,
      );
      return [dx];
    },
    [statistics],
  );
}

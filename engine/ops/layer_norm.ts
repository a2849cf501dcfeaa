import { layerNorm as kernels } from "../../kernels/mod.ts";
import { oneWorkgroupARow } from "../elementwise.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, emptyLike, formatOf, type Tensor } from "../tensor.ts";

/**
 * LayerNorm over the last dimension: x [rows, columns], γ and, but for one without, β [columns]; columns a
 * multiple of 4.
 * γ's and β's gradients are computed only where one of them trains. Formulas in kernels/layer_norm.wgsl.
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta: Tensor | undefined, eps: number): Tensor {
  const { device, rows, columns } = x;
  if (gamma.size !== columns || (beta && beta.size !== columns) || columns % 4 !== 0) {
    throw new Error(
      `Cannot normalise [${x.shape.join(", ")}] with γ [${gamma.size}] and β [${beta?.size}]: ` +
        `the last dimension must equal them and be a multiple of 4.`,
    );
  }
  const { forward, backward, gradient } = kernels({
    lanes: device.kernels.rowLanes,
    format: formatOf(x),
  });
  const params = { rows, columns: columns / 4, eps, shifted: Number(beta !== undefined) };
  const groups = oneWorkgroupARow(rows);
  const y = emptyLike(x);
  const statistics = empty(device, [rows, 2]);
  device.launcher.launch(
    forward,
    {
      x: x.binding,
      gamma: gamma.binding,
      beta: (beta ?? gamma).binding,
      y: y.binding,
      statistics: statistics.binding,
    },
    params,
    groups,
  );
  return record(
    [x, gamma, ...(beta ? [beta] : [])],
    y,
    (dy) => {
      const saved = statistics.binding;
      if (gamma.requiresGrad || beta?.requiresGrad) {
        const [dgamma, dbeta] = [gamma, beta].map((each) =>
          (each?.requiresGrad ? gradientBuffer(each) : empty(device, [columns])).binding
        );
        device.launcher.launch(
          gradient,
          { x: x.binding, saved, dy: dy.binding, dgamma, dbeta },
          params,
          [Math.ceil(columns / 64), 1],
        );
      }
      if (!x.requiresGrad) return [];
      const dx = emptyLike(x);
      device.launcher.launch(
        backward,
        { x: x.binding, gamma: gamma.binding, saved, dy: dy.binding, dx: dx.binding },
        params,
        groups,
      );
      return [dx];
    },
    [statistics],
  );
}

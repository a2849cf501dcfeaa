import { scaleColumns as kernelsOf } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { gradientBuffer, record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/**
 * y = x ⊙ factor / divisor over the rows of x [rows, columns]; factor and, where it is given, divisor [columns].
 * The divisor is a constant: it gets no gradient. IA³ (Liu et al. 2022) scales so, and DoRA (Liu et al. 2024) by
 * m / ‖W + sBA‖. Throws where the sizes differ.
 */
export function scaleColumns(x: Tensor, factor: Tensor, divisor?: Tensor): Tensor {
  const { device, rows, columns } = x;
  if (factor.size !== columns || (divisor && divisor.size !== columns)) {
    throw new Error(
      `Cannot scale the columns of [${x.shape.join(", ")}] by [${factor.size}]` +
        `${divisor ? ` / [${divisor.size}]` : ""}: take ${columns} values.`,
    );
  }
  const vectors = columns % 4 === 0;
  const kernels = kernelsOf({ vectors, divided: divisor !== undefined });
  const params = { rows, columns: vectors ? columns / 4 : columns };
  const common = divisor && { divisor: divisor.binding };
  const apply = (input: Tensor) => {
    const output = empty(device, x.shape);
    const bindings = { x: input.binding, factor: factor.binding, ...common, y: output.binding };
    device.launcher.launch(kernels.main, bindings, params, workgroupsFor(rows * params.columns));
    return output;
  };
  return record([x, factor], apply(x), (dy) => {
    if (factor.requiresGrad) {
      const dfactor = gradientBuffer(factor).binding;
      const bindings = { x: x.binding, dy: dy.binding, ...common, dfactor };
      device.launcher.launch(kernels.gradient, bindings, params, [
        Math.ceil(params.columns / 16),
        1,
      ]);
    }
    return [x.requiresGrad ? apply(dy) : undefined];
  });
}

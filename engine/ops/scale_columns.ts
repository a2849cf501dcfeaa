import { scaleColumns as kernelsOf } from "../../kernels/mod.ts";
import { columnSum } from "../column_sum.ts";
import { workgroupsFor } from "../elementwise.ts";
import { gradientBuffer, record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";

/**
 * y = x ⊙ factor / divisor + shift over the rows of x [rows, columns]; factor and, each where it is given, divisor
 * and shift [columns]. The divisor is a constant: it gets no gradient. IA³ (Liu et al. 2022) scales so, and DoRA
 * (Liu et al. 2024) by m / ‖W + sBA‖ before the bias. Throws where the sizes differ.
 */
export function scaleColumns(
  x: Tensor,
  factor: Tensor,
  { divisor, shift }: { divisor?: Tensor; shift?: Tensor } = {},
): Tensor {
  const { device, rows, columns } = x;
  const sizes = [factor, divisor, shift].flatMap((tensor) => tensor ? [tensor.size] : []);
  if (sizes.some((size) => size !== columns)) {
    throw new Error(
      `Cannot scale the columns of [${x.shape.join(", ")}] by [${sizes.join(", ")}] values: ` +
        `take ${columns} of each.`,
    );
  }
  const vectors = columns % 4 === 0;
  const params = { rows, columns: vectors ? columns / 4 : columns };
  const kernels = (shifted: boolean) =>
    kernelsOf({ vectors, divided: !!divisor, shifted, format: formatOf(x) });
  const common = divisor && { divisor: divisor.binding };
  const apply = (input: Tensor, plus?: Tensor) => {
    const output = emptyLike(x);
    const bindings = {
      ...{ x: input.binding, factor: factor.binding, y: output.binding },
      ...common,
      ...(plus && { shift: plus.binding }),
    };
    const groups = workgroupsFor(rows * params.columns);
    device.launcher.launch(kernels(plus !== undefined).main, bindings, params, groups);
    return output;
  };
  return record([x, factor, ...(shift ? [shift] : [])], apply(x, shift), (dy) => {
    if (factor.requiresGrad) {
      const dfactor = gradientBuffer(factor).binding;
      const bindings = { x: x.binding, dy: dy.binding, ...common, dfactor };
      const groups = [Math.ceil(params.columns / 16), 1] as const;
      device.launcher.launch(kernels(false).gradient, bindings, params, groups);
    }
    if (shift?.requiresGrad) columnSum(dy, gradientBuffer(shift));
    return [x.requiresGrad ? apply(dy) : undefined];
  });
}

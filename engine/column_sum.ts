/** Sums over rows, for the gradients of biases: kernels/column_sum.wgsl. */
import { columnSum as kernels } from "../kernels/mod.ts";
import type { Tensor } from "./tensor.ts";

/** sum [stack · columns] += Σ_rows x [stack · rows, columns], in an order that depends on the shape only. */
export function columnSum(x: Tensor, sum: Tensor, stack = 1): void {
  const { device, columns } = x;
  device.launcher.launch(
    kernels.main,
    { x: x.binding, sum: sum.binding },
    { rows: x.rows / stack, columns },
    [Math.ceil(columns / 16), 1, stack],
  );
}

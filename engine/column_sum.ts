/** Sums over rows, for the gradients of biases: kernels/column_sum.wgsl. */
import { columnSum as kernelOf } from "../kernels/mod.ts";
import { formatOf, type Tensor } from "./tensor.ts";

/** sum [stack · columns] += Σ_rows x [stack · rows, columns], in an order that depends on the shape only. */
export function columnSum(x: Tensor, sum: Tensor, stack = 1): void {
  const { device } = x;
  const { main, width } = kernelOf(formatOf(x));
  const columns = x.columns / width;
  device.launcher.launch(
    main,
    { x: x.binding, sum: sum.binding },
    { rows: x.rows / stack, columns },
    [Math.ceil(columns / 16), 1, stack],
  );
}

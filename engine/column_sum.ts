/** Sums over rows, for the gradients of biases and LayerNorm: kernels/column_sum.wgsl. */
import { columnSum as kernels } from "../kernels/mod.ts";
import { empty, type Tensor } from "./tensor.ts";

const rowsPerBlock = 64;

/** sum [columns] += Σ_rows x [rows, columns], in an order that depends on the shape only. */
export function columnSum(x: Tensor, sum: Tensor): void {
  const { device, rows, columns } = x;
  const blocks = Math.ceil(rows / rowsPerBlock);
  const launch = (input: Tensor, output: Tensor, perBlock: number, accumulate: number) =>
    device.launcher.launch(
      kernels.main,
      { x: input.binding, sum: output.binding },
      { rows: input.rows, columns, rowsPerBlock: perBlock, accumulate },
      [Math.ceil(columns / 64), Math.ceil(input.rows / perBlock)],
    );
  if (blocks === 1) return launch(x, sum, rowsPerBlock, 1);
  const partial = empty(device, [blocks, columns]);
  launch(x, partial, rowsPerBlock, 0);
  launch(partial, sum, blocks, 1);
  device.memory.release(partial.storage);
}

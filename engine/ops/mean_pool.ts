import { meanPool as kernels } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor, zeros } from "../tensor.ts";
import { convert } from "./convert.ts";

/** Where packed sentences lie. */
export interface PackedRows {
  /** [sentences] u32: each sentence's first row. */
  firstRows: Tensor;
  /** [rows, 2] u32: first and last (exclusive) row of each row's sentence. */
  bounds: Tensor;
}

/**
 * The mean of each sentence's rows, x [rows, columns] → [sentences, columns], columns a multiple of 4; rows of no
 * sentence count nowhere. In f32. kernels/mean_pool.wgsl.
 */
export function meanPool(input: Tensor, { firstRows, bounds }: PackedRows): Tensor {
  const x = convert(input, "f32");
  const { device, columns } = x;
  if (columns % 4 !== 0) {
    throw new Error(`Rows of [${x.shape.join(", ")}]: columns are not a multiple of 4.`);
  }
  const sentences = firstRows.size;
  const y = empty(device, [sentences, columns]);
  const where = { firstRows: firstRows.binding, bounds: bounds.binding };
  const params = { sentences, columns: columns / 4 };
  const groups = workgroupsFor(y.size / 4);
  device.launcher.launch(
    kernels.forward,
    { x: x.binding, y: y.binding, ...where },
    params,
    groups,
  );
  return record([x], y, (dy) => {
    const dx = zeros(device, x.shape);
    const bindings = { dy: dy.binding, dx: dx.binding, ...where };
    device.launcher.launch(kernels.backward, bindings, params, groups);
    return [dx];
  });
}

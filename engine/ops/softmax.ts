import { softmax as kernels } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** Softmax over the last dimension, x [rows, columns] of any size; kernels/softmax.wgsl. */
export function softmax(x: Tensor): Tensor {
  const { device, rows, columns } = x;
  const y = empty(device, x.shape);
  const params = { rows, columns };
  device.launcher.launch(
    kernels.forward,
    { x: x.binding, y: y.binding },
    params,
    workgroupsFor(rows),
  );
  return record([x], y, (dy) => {
    const dx = empty(device, x.shape);
    const bindings = { result: y.binding, dy: dy.binding, dx: dx.binding };
    device.launcher.launch(kernels.backward, bindings, params, workgroupsFor(rows));
    return [dx];
  });
}

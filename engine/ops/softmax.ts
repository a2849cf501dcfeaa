import { softmax as kernels } from "../../kernels/mod.ts";
import { oneWorkgroupARow } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";

/** Softmax over the last dimension, x [rows, columns] of any size, in f32; kernels/softmax.wgsl. */
export function softmax(input: Tensor): Tensor {
  const x = convert(input, "f32");
  const { device, rows, columns } = x;
  const y = empty(device, x.shape);
  const { forward, backward } = kernels(device.kernels.rowLanes);
  const params = { rows, columns };
  const groups = oneWorkgroupARow(rows);
  device.launcher.launch(forward, { x: x.binding, y: y.binding }, params, groups);
  return record([x], y, (dy) => {
    const dx = empty(device, x.shape);
    const bindings = { result: y.binding, dy: dy.binding, dx: dx.binding };
    device.launcher.launch(backward, bindings, params, groups);
    return [dx];
  });
}

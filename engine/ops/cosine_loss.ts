import { cosineLoss as kernels } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";

/**
 * One minus the mean cosine similarity of rows to targets, x and targets [rows, columns] → [1], as torch's
 * CosineEmbeddingLoss of like pairs; the targets get no gradient. kernels/cosine_loss.wgsl.
 */
export function cosineLoss(input: Tensor, targets: Tensor): Tensor {
  const x = convert(input, "f32");
  const { device, rows, columns } = x;
  if (x.shape.join() !== targets.shape.join()) {
    throw new Error(
      `Targets [${targets.shape.join(", ")}] do not fit rows [${x.shape.join(", ")}].`,
    );
  }
  const losses = empty(device, [rows]);
  const loss = empty(device, [1]);
  const inputs = { x: x.binding, targets: targets.binding };
  const params = { rows, columns };
  const groups = workgroupsFor(rows);
  device.launcher.launch(kernels.forward, { ...inputs, losses: losses.binding }, params, groups);
  device.launcher.launch(kernels.mean, { losses: losses.binding, loss: loss.binding }, params, [
    1,
    1,
  ]);
  return record([x], loss, (dloss) => {
    const dx = empty(device, x.shape);
    const bindings = { ...inputs, dloss: dloss.binding, dx: dx.binding };
    device.launcher.launch(kernels.backward, bindings, params, groups);
    return [dx];
  }, [losses]);
}

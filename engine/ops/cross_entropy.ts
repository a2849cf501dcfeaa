import { crossEntropy as kernels } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/**
 * Mean cross-entropy of logits [rows, classes] and labels [rows] (u32, below classes): a loss [1],
 * as torch.nn.functional.cross_entropy. kernels/cross_entropy.wgsl.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const { device, rows, columns } = logits;
  if (labels.size !== rows) {
    throw new Error(`${labels.size} labels do not fit ${rows} rows of logits.`);
  }
  const params = { rows, columns };
  const losses = empty(device, [rows]);
  const loss = empty(device, [1]);
  const inputs = { logits: logits.binding, labels: labels.binding };
  const groups = workgroupsFor(rows);
  device.launcher.launch(kernels.forward, { ...inputs, losses: losses.binding }, params, groups);
  device.launcher.launch(kernels.mean, { losses: losses.binding, loss: loss.binding }, params, [
    1,
    1,
  ]);
  return record([logits], loss, (dloss) => {
    const dlogits = empty(device, logits.shape);
    const bindings = { ...inputs, dloss: dloss.binding, dlogits: dlogits.binding };
    device.launcher.launch(kernels.backward, bindings, params, groups);
    return [dlogits];
  }, [losses]);
}

import { crossEntropy as meanKernels, weightedCrossEntropy } from "../../kernels/mod.ts";
import { workgroupsFor } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";

/** How a cross-entropy weighs labels that do not all count alike. */
export interface LossWeights {
  /**
   * [classes] What a row counts by its label. The loss is a sum: where it is to be a mean, as torch's, these are
   * the classes' weights divided by the sum of the rows'.
   */
  weights: Tensor;
  /** The share of each label that is spread over all classes: torch's `label_smoothing`. */
  smoothing: number;
}

/**
 * Cross-entropy of logits [rows, classes] and labels [rows] (u32, below classes): a loss [1], the mean over the rows
 * or the sum that `weighted` makes of them, as torch.nn.functional.cross_entropy. kernels/cross_entropy.wgsl.
 */
export function crossEntropy(scores: Tensor, labels: Tensor, weighted?: LossWeights): Tensor {
  const logits = convert(scores, "f32");
  const { device, rows, columns } = logits;
  if (labels.size !== rows) {
    throw new Error(`${labels.size} labels do not fit ${rows} rows of logits.`);
  }
  if (weighted && weighted.weights.size !== columns) {
    throw new Error(`${weighted.weights.size} weights do not fit ${columns} classes of logits.`);
  }
  const kernels = weighted ? weightedCrossEntropy : meanKernels;
  const params = { rows, columns, ...weighted && { smoothing: weighted.smoothing } };
  const losses = empty(device, [rows]);
  const loss = empty(device, [1]);
  const inputs = {
    logits: logits.binding,
    labels: labels.binding,
    ...weighted && { weights: weighted.weights.binding },
  };
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

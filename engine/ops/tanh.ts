import { tanh as kernels } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** tanh of every value, any shape; the gradient needs only the result: kernels/tanh.wgsl. */
export function tanh(x: Tensor): Tensor {
  const y = empty(x.device, x.shape);
  launchElementwise(kernels.forward, { x, y });
  return record([x], y, (dy) => {
    const dx = empty(x.device, x.shape);
    launchElementwise(kernels.backward, { result: y, dy, dx });
    return [dx];
  });
}

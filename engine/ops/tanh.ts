import { tanh as kernelsOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";

/** tanh of every value, any shape; the gradient needs only the result: kernels/tanh.wgsl. */
export function tanh(x: Tensor): Tensor {
  const kernels = kernelsOf(formatOf(x));
  const y = emptyLike(x);
  launchElementwise(kernels.forward, { x, y });
  return record([x], y, (dy) => {
    const dx = emptyLike(x);
    launchElementwise(kernels.backward, { result: y, dy, dx });
    return [dx];
  });
}

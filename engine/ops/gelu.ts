import { gelu as kernelsOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";

/** GELU of every value, any shape; formula and gradient in kernels/gelu.wgsl. */
export function gelu(x: Tensor): Tensor {
  const kernels = kernelsOf(formatOf(x));
  const y = emptyLike(x);
  launchElementwise(kernels.forward, { x, y });
  return record([x], y, (dy) => {
    const dx = emptyLike(x);
    launchElementwise(kernels.backward, { x, dy, dx });
    return [dx];
  });
}

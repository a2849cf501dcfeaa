import { silu as kernels } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** SiLU of every value, any shape; formula and gradient in kernels/silu.wgsl. */
export function silu(x: Tensor): Tensor {
  const y = empty(x.device, x.shape);
  launchElementwise(kernels.forward, { x, y });
  return record([x], y, (dy) => {
    const dx = empty(x.device, x.shape);
    launchElementwise(kernels.backward, { x, dy, dx });
    return [dx];
  });
}

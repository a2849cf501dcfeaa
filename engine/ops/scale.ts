import { scale as kernels } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** factor · x, any shape. */
export function scale(x: Tensor, factor: number): Tensor {
  const apply = (input: Tensor) => {
    const output = empty(x.device, x.shape);
    launchElementwise(kernels.main, { x: input, y: output }, { factor });
    return output;
  };
  return record([x], apply(x), (dy) => [apply(dy)]);
}

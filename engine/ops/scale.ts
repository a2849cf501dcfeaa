import { scale as kernelsOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";

/** factor · x, any shape. */
export function scale(x: Tensor, factor: number): Tensor {
  const apply = (input: Tensor) => {
    const output = emptyLike(input);
    launchElementwise(kernelsOf(formatOf(input)).main, { x: input, y: output }, { factor });
    return output;
  };
  return record([x], apply(x), (dy) => [apply(dy)]);
}

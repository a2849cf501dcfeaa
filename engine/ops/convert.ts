import { convert as kernelOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import type { ComputeDtype } from "../precision.ts";
import { record } from "../tape.ts";
import { empty, formatOf, type Tensor } from "../tensor.ts";

/** x in another dtype, any shape; x itself where it has it. The gradient comes back in x's. */
export function convert(x: Tensor, dtype: ComputeDtype): Tensor {
  if (x.dtype === dtype) return x;
  const apply = (input: Tensor, to: Tensor) => {
    launchElementwise(kernelOf({ from: formatOf(input), to: formatOf(to) }), { x: input, y: to });
    return to;
  };
  const made = (type: ComputeDtype) => empty(x.device, x.shape, type);
  return record([x], apply(x, made(dtype)), (dy) => [apply(dy, made(x.dtype as ComputeDtype))]);
}

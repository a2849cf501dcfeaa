import { add as kernelsOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";
import { convert } from "./convert.ts";
import { scale } from "./scale.ts";

/**
 * a + factor · b, of one shape: -1 subtracts. a gets dy as it is, and so does b where the factor is 1. Where one of
 * them is f16, so is the result. Throws where the shapes differ.
 */
export function add(a: Tensor, b: Tensor, factor = 1): Tensor {
  if (a.shape.join() !== b.shape.join()) {
    throw new Error(`Cannot add [${b.shape.join(", ")}] to [${a.shape.join(", ")}].`);
  }
  if (a.dtype !== b.dtype) return add(convert(a, "f16"), convert(b, "f16"), factor);
  const y = emptyLike(a);
  launchElementwise(kernelsOf(formatOf(a)).forward, { a, b, y }, { factor });
  const gradientOfB = (dy: Tensor) => factor === 1 ? dy : scale(dy, factor);
  return record([a, b], y, (dy) => [
    a.requiresGrad ? dy : undefined,
    b.requiresGrad ? gradientOfB(dy) : undefined,
  ]);
}

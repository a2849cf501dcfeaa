import { add as kernels } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { scale } from "./scale.ts";

/**
 * a + factor · b, of one shape: -1 subtracts. a gets dy as it is, and so does b where the factor is 1. Throws where
 * the shapes differ.
 */
export function add(a: Tensor, b: Tensor, factor = 1): Tensor {
  if (a.shape.join() !== b.shape.join()) {
    throw new Error(`Cannot add [${b.shape.join(", ")}] to [${a.shape.join(", ")}].`);
  }
  const y = empty(a.device, a.shape);
  launchElementwise(kernels.forward, { a, b, y }, { factor });
  const gradientOfB = (dy: Tensor) => factor === 1 ? dy : scale(dy, factor);
  return record([a, b], y, (dy) => [
    a.requiresGrad ? dy : undefined,
    b.requiresGrad ? gradientOfB(dy) : undefined,
  ]);
}

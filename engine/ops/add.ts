import { add as kernels } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";

/** a + b, of one shape. Both inputs get dy as it is. Throws where the shapes differ. */
export function add(a: Tensor, b: Tensor): Tensor {
  if (a.shape.join() !== b.shape.join()) {
    throw new Error(`Cannot add [${b.shape.join(", ")}] to [${a.shape.join(", ")}].`);
  }
  const y = empty(a.device, a.shape);
  launchElementwise(kernels.forward, { a, b, y });
  return record([a, b], y, (dy) => [
    a.requiresGrad ? dy : undefined,
    b.requiresGrad ? dy : undefined,
  ]);
}

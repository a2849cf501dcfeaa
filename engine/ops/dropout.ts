import { dropout as kernelsOf } from "../../kernels/mod.ts";
import { launchElementwise } from "../elementwise.ts";
import { record } from "../tape.ts";
import { emptyLike, formatOf, type Tensor } from "../tensor.ts";

/** What the kernels with dropout take: the site and the rounded probability; see kernels/random.wgsl. */
export interface DropoutParams {
  site: number;
  threshold: number;
  keep: number;
}

/** A new dropout site of this forward pass. Throws where the probability is not in [0, 1). */
export function dropoutParams(x: Tensor, probability: number): DropoutParams {
  if (!(probability >= 0 && probability < 1)) {
    throw new Error(`A dropout probability of ${probability} is not in [0, 1).`);
  }
  const threshold = Math.round(probability * 65536);
  const site = threshold > 0 ? x.device.nextDropoutSite() : 0;
  return { site, threshold, keep: 65536 / (65536 - threshold) };
}

/** Dropout of every value with a probability; x itself where that is 0. */
export function dropout(x: Tensor, probability: number): Tensor {
  if (probability === 0) return x;
  const params = { ...dropoutParams(x, probability) };
  const { random } = x.device;
  const apply = (input: Tensor) => {
    const output = emptyLike(input);
    const { main } = kernelsOf(formatOf(input));
    launchElementwise(main, { x: input, y: output }, params, { random });
    return output;
  };
  return record([x], apply(x), (dy) => [apply(dy)]);
}

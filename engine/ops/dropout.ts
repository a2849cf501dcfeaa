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

/** What the rows of a tensor are of: they are counted from the batch's first one, see {@link BatchStart}. */
export type RowsOf = "tokens" | "sentences";

/**
 * Dropout of every value with a probability; x itself where that is 0. Where a batch is a part of one, what is dropped
 * of it is the same for widths that are a multiple of 4.
 */
export function dropout(x: Tensor, probability: number, rowsOf: RowsOf = "tokens"): Tensor {
  if (probability === 0) return x;
  const params = dropoutParams(x, probability);
  const apply = (input: Tensor) => applyDropout(input, params, rowsOf);
  return record([x], apply(x), (dy) => [apply(dy)]);
}

/** What is left of x by a site's draws: in the backward pass, of the gradient. */
export function applyDropout(x: Tensor, params: DropoutParams, rowsOf: RowsOf = "tokens"): Tensor {
  const { device: { random }, columns } = x;
  const y = emptyLike(x);
  const { main } = kernelsOf(formatOf(x));
  const place = { rows_of: rowsOf === "tokens" ? 0 : 1, columns: Math.floor(columns / 4) };
  launchElementwise(main, { x, y }, { ...params, ...place }, { random });
  return y;
}

/** Dropout's factors on the CPU, by the formula that stands in kernels/random.wgsl. */
import { domains, randomKey, threefry2x32 } from "../engine/random.ts";

/** What dropout draws from, besides the element. */
export interface DropoutSite {
  seed: number;
  step: number;
  site: number;
  probability: number;
}

/** The factors of four neighbouring elements, each 0 or 1/(1 - p) with p rounded to 1/65536. */
function dropoutFactors(
  { seed, step, site, probability }: DropoutSite,
  [x, y]: readonly [number, number],
): number[] {
  const threshold = Math.round(probability * 65536);
  if (threshold === 0) return [1, 1, 1, 1];
  const [low, high] = threefry2x32(randomKey(seed, domains.dropout, step), [x, (y << 12) | site]);
  const draws = [low & 0xffff, low >>> 16, high & 0xffff, high >>> 16];
  return draws.map((draw) => draw >= threshold ? 65536 / (65536 - threshold) : 0);
}

/** The factors of a whole tensor of `count` values, drawn four values at a time. */
export function elementFactors(site: DropoutSite, count: number): number[] {
  const factors: number[] = [];
  for (let i = 0; factors.length < count; i++) factors.push(...dropoutFactors(site, [i, 0]));
  return factors.slice(0, count);
}

/** The factor of attention's weight of query row `row` on the sentence's `j`-th key. */
export function attentionFactor(
  site: DropoutSite,
  heads: number,
): (row: number, head: number, j: number) => number {
  return (row, head, j) => dropoutFactors(site, [row * heads + head, Math.floor(j / 4)])[j % 4];
}

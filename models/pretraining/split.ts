/** Which sentences are trained on, and which are held out to measure on. */
import { domains, HostRandom } from "../../engine/random.ts";
import { UserError } from "../errors.ts";

const heldOutShare = 0.02;

/** Numbers of the sentences of both parts, in their order; 2 % are held out, at least one, drawn by the seed. */
export function holdOut(count: number, seed: number): { train: number[]; heldOut: number[] } {
  if (count < 2) {
    throw new UserError(
      `There must be two sentences at least, one to train on and one to hold out; there ${
        count === 1 ? "is 1" : `are ${count}`
      }.`,
    );
  }
  const numbers = Array.from({ length: count }, (_, number) => number);
  const drawn = new HostRandom(seed, domains.split).shuffle(numbers);
  const held = new Set(drawn.slice(0, Math.max(1, Math.round(heldOutShare * count))));
  return {
    train: numbers.filter((number) => !held.has(number)),
    heldOut: numbers.filter((number) => held.has(number)),
  };
}

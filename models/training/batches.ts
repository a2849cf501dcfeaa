/** The order of sentences in training: shuffled each epoch, by the seed only, the same for every method. */
import { domains, HostRandom } from "../../engine/random.ts";

/** Indices of an epoch's sentences, cut into batches; the last may be smaller. */
export function epochBatches(
  count: number,
  { seed, epoch, batchSize }: { seed: number; epoch: number; batchSize: number },
): number[][] {
  const random = new HostRandom(seed, domains.batches, epoch);
  return chunks(random.shuffle(Array.from({ length: count }, (_, index) => index)), batchSize);
}

/** Cuts a list into pieces of a size; the last may be smaller. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let first = 0; first < items.length; first += size) {
    pieces.push(items.slice(first, first + size));
  }
  return pieces;
}

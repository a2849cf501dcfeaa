/** Processes that train one run together: each computes a part of every batch, and all make the same update. */
import type { BatchStart } from "../../engine/device.ts";

/** The processes, called ranks as MPI does, seen from one of them. cli/mpi has those of MPI. */
export interface Ranks {
  /** This one's number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /**
   * Puts the sum over all ranks in the place of each one's values; the same bits on every rank, and every time. All ranks
   * call it, with equally many values and in the same order of calls.
   */
  sum(values: Float32Array): void | Promise<void>;
}

/** One process that trains by itself. */
export const alone: Ranks = { rank: 0, size: 1, sum() {} };

/** Of each wish, of which only some ranks may know, whether any has it: the same answers on all. */
export async function anyOf(ranks: Ranks, ...wishes: boolean[]): Promise<boolean[]> {
  if (ranks.size === 1) return wishes;
  const votes = Float32Array.from(wishes, Number);
  await ranks.sum(votes);
  return Array.from(votes, (vote) => vote > 0);
}

/**
 * A rank's share of a batch: neighbouring sentences, so that what comes before them, which dropout counts, is one
 * number; cut so that the ranks' tokens are as equal as whole sentences allow. Small batches leave ranks without any.
 */
export function shareOf<Sentence extends { ids: readonly number[] }>(
  batch: readonly Sentence[],
  { rank, size }: Pick<Ranks, "rank" | "size">,
): { sentences: readonly Sentence[]; start: BatchStart } {
  const before = [0]; // tokens before each sentence, and of all
  for (const { ids } of batch) before.push(before.at(-1)! + ids.length);
  const all = before.at(-1)!;
  const cut = (at: number) =>
    before.findIndex((tokens, index) => {
      const following = before[index + 1] ?? tokens;
      return (tokens + following) / 2 >= all * at / size;
    });
  const [sentence, end] = [cut(rank), cut(rank + 1)];
  return { sentences: batch.slice(sentence, end), start: { token: before[sentence], sentence } };
}

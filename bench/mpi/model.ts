/** What a step takes on so many ranks: terms that are measured or assumed, put together. */

export interface Network {
  name: string;
  /** Seconds of the shortest message from one rank to another. */
  latency: number;
  /** One way, of one rank. */
  bytesPerSecond: number;
}

export interface Terms {
  /** Seconds of one rank's step, without the others. */
  stepSeconds: number;
  /** What is summed in each step. */
  bytes: number;
  /** From the GPU to the host and back: of any number of bytes, and of each. */
  waitSeconds: number;
  copyBytesPerSecond: number;
  network: Network;
}

/**
 * Seconds of a sum over ranks: the faster of a ring, 2 (n − 1) / n · bytes a rank in 2 (n − 1) messages, and of recursive
 * doubling, all bytes in each of ⌈log₂ n⌉ rounds (Thakur, Rabenseifner and Gropp 2005). Libraries choose between these.
 */
export function reductionSeconds(
  ranks: number,
  bytes: number,
  { latency, bytesPerSecond }: Network,
): number {
  const hops = 2 * (ranks - 1);
  const ring = hops * latency + hops / ranks * bytes / bytesPerSecond;
  const rounds = Math.ceil(Math.log2(ranks));
  return Math.min(ring, rounds * (latency + bytes / bytesPerSecond));
}

/** Seconds of a step of several ranks in which each computes a share of one rank's step: all of it, where the batch grows. */
export function stepSeconds(ranks: number, share: number, terms: Terms): number {
  const { stepSeconds, bytes, waitSeconds, copyBytesPerSecond, network } = terms;
  if (ranks === 1) return share * stepSeconds;
  const copies = waitSeconds + bytes / copyBytesPerSecond;
  return share * stepSeconds + copies + reductionSeconds(ranks, bytes, network);
}

/** By how much more sentences a second go through so many ranks, each with the batch of one. */
export const weakSpeedup = (ranks: number, terms: Terms): number =>
  ranks * terms.stepSeconds / stepSeconds(ranks, 1, terms);

/** By how much less time a step of the same batch takes, if shares cost in proportion: the most that is to be had. */
export const strongSpeedup = (ranks: number, terms: Terms): number =>
  terms.stepSeconds / stepSeconds(ranks, 1 / ranks, terms);

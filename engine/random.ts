/**
 * Counter-based random numbers: Threefry-2x32, 20 rounds (Salmon et al., "Parallel random numbers:
 * as easy as 1, 2, 3", SC'11). The same function stands in `kernels/random.wgsl`; a number depends
 * on its key and counter only, never on the order in which numbers are drawn.
 */

const rotations = [13, 15, 26, 6, 17, 29, 16, 24];

/** Two random words from a key and a counter of two 32-bit words each. */
export function threefry2x32(
  key: readonly [number, number],
  counter: readonly [number, number],
): [number, number] {
  const keys = [key[0] | 0, key[1] | 0, key[0] ^ key[1] ^ 0x1bd11bda];
  let x = (counter[0] + keys[0]) | 0;
  let y = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round % 8];
    x = (x + y) | 0;
    y = ((y << by) | (y >>> (32 - by))) ^ x;
    if (round % 4 === 3) {
      const group = (round + 1) / 4;
      x = (x + keys[group % 3]) | 0;
      y = (y + keys[(group + 1) % 3] + group) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
}

/**
 * What random numbers are for. Each use of a seed has a domain of its own, so that no two uses share numbers:
 * new weights (by tensor), the split, the sample, each epoch's order, each step's dropout, the bootstrap's drawings, each
 * batch's masked tokens.
 */
export const domains = {
  split: 1,
  batches: 2,
  initialise: 3,
  sample: 4,
  dropout: 5,
  bootstrap: 6,
  masking: 7,
} as const;
export type Domain = (typeof domains)[keyof typeof domains];

/** The key of one stream of a seed's domain; `index` tells a domain's streams apart, such as epochs or steps. */
export function randomKey(seed: number, domain: Domain, index = 0): [number, number] {
  return threefry2x32([seed >>> 0, domain], [index >>> 0, Math.floor(index / 2 ** 32)]);
}

/** A sequence of random numbers for the host: seeded, the same on every machine. */
export class HostRandom {
  #key: [number, number];
  #counter = 0;

  /** The stream of {@link randomKey}. */
  constructor(seed: number, domain: Domain, index = 0) {
    this.#key = randomKey(seed, domain, index);
  }

  /** Uniform in [0, 1), with 53 random bits. */
  uniform(): number {
    const index = this.#counter++;
    const [high, low] = threefry2x32(this.#key, [index >>> 0, Math.floor(index / 2 ** 32)]);
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** Standard normal, by Box and Muller's transform. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    return shuffled;
  }
}

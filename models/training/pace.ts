/** How often to wait for a GPU that works through a queue: about once a second, however fast it is. */

const secondsBetweenWaits = 1;

export class Pace {
  /** Pieces of work that were recorded since the last wait. */
  count = 0;
  #every = 1;
  #since = performance.now();
  readonly #most: number;

  /** `most` pieces may go without a wait. */
  constructor(most = Infinity) {
    this.#most = most;
  }

  get isDue(): boolean {
    return this.count >= this.#every;
  }

  /** Goes on after a time in which the GPU had nothing to do. */
  resume(): void {
    this.#since = performance.now();
  }

  /** After a wait: takes from what the pieces took when the next one is due. */
  waited(): void {
    const now = performance.now();
    if (this.count > 0) {
      const seconds = (now - this.#since) / 1000 / this.count;
      const due = Math.round(secondsBetweenWaits / Math.max(seconds, 1e-6));
      this.#every = Math.min(this.#most, Math.max(1, due));
    }
    this.count = 0;
    this.#since = now;
  }
}

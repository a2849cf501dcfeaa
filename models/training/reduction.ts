/** What the ranks of a run sum: gradients and loss in every step, and now and then what they train. */
import { Exchange } from "../../engine/exchange.ts";
import type { Ranks } from "./ranks.ts";
import type { Training } from "./step.ts";

export class Reduction {
  readonly #ranks: Ranks;
  readonly #gradients?: Exchange;
  readonly #trained?: Exchange;

  constructor(
    { device, built: { parameters }, optimizer }: Omit<Training, "objective">,
    ranks: Ranks,
  ) {
    this.#ranks = ranks;
    if (ranks.size === 1) return;
    const { slabs } = parameters;
    const gradients = slabs.map(({ gradient }) => gradient);
    this.#gradients = new Exchange(device, [optimizer.loss, ...gradients]);
    const values = slabs.map(({ value }) => value);
    this.#trained = new Exchange(device, [...values, ...optimizer.state]);
  }

  /** Between a step's halves: makes loss and gradients those of the whole batch, on all ranks. Waits for the GPU. */
  async gradients(): Promise<void> {
    await this.#gradients?.run((values) => this.#ranks.sum(values));
  }

  /**
   * Gives all ranks the weights of rank 0, and its optimiser's state. Equal GPUs have them already; where GPUs round
   * differently, the ranks' weights would drift apart.
   */
  async align(): Promise<void> {
    await this.#trained?.run((values) => {
      if (this.#ranks.rank > 0) values.fill(0);
      return this.#ranks.sum(values);
    });
  }

  /** Frees its buffers. */
  destroy(): void {
    this.#gradients?.destroy();
    this.#trained?.destroy();
  }
}

/** What validation has told of a run so far, and a copy of the weights that did best. */
import type { Tensor } from "../../engine/tensor.ts";
import type { MethodModel } from "../model.ts";
import type { Metrics } from "./metrics.ts";
import { readWeights, type TrainState, writeWeights } from "./state.ts";

/** The best epoch so far, from 1, and a copy of its weights on the GPU. */
interface Best {
  epoch: number;
  metrics: Metrics;
  copy: Tensor[];
}

export class Validation {
  /** Of each evaluation, in their order. */
  readonly metrics: Metrics[] = [];
  readonly #built: MethodModel;
  #best?: Best;

  constructor(built: MethodModel) {
    this.#built = built;
  }

  /** Notes what the weights of an epoch reach; returns whether that is the best macro F1 so far. */
  add(epoch: number, metrics: Metrics): boolean {
    this.metrics.push(metrics);
    const best = !this.#best || metrics.macroF1 > this.#best.metrics.macroF1;
    if (best) {
      const copy = this.#built.parameters.snapshot(this.#best?.copy);
      this.#best = { epoch, metrics, copy };
    }
    return best;
  }

  /** Gives the model the best weights, and returns their epoch. Throws where nothing was evaluated. */
  restoreBest(): number {
    if (!this.#best) throw new Error("No epoch was trained: epochs must be 1 or more.");
    this.#built.parameters.restore(this.#best.copy);
    return this.#best.epoch;
  }

  /** Its part of a run's state. Waits for the GPU. */
  async capture(): Promise<Pick<TrainState, "evaluations" | "best">> {
    const evaluations = [...this.metrics];
    if (!this.#best) return { evaluations };
    const { epoch, metrics, copy } = this.#best;
    const { parameters, specs } = this.#built;
    const weights = await readWeights(parameters, specs, copy);
    return { evaluations, best: { epoch, metrics, weights } };
  }

  /** Goes on from a state; the model's weights are the best ones afterwards, where there are any. */
  restore({ evaluations, best }: Pick<TrainState, "evaluations" | "best">): void {
    this.metrics.push(...evaluations);
    if (!best) return;
    const { parameters, specs } = this.#built;
    writeWeights(parameters, specs, best.weights);
    this.#best = { epoch: best.epoch, metrics: best.metrics, copy: parameters.snapshot() };
  }

  /** Frees the copy. */
  destroy(): void {
    const { memory } = this.#built.parameters.device;
    this.#best?.copy.forEach(({ storage }) => memory.destroy(storage));
  }
}

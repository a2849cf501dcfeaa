/** What validation has told of a run so far, and a copy of the weights that did best. */
import type { Tensor } from "../../engine/tensor.ts";
import type { MethodModel } from "../model.ts";
import { epochOf, type Length, stepOfEvaluation } from "./length.ts";
import type { Metrics } from "./metrics.ts";
import { readWeights, type TrainState, writeWeights } from "./state.ts";

/** What a state holds of it. Which evaluation was the best, and after which step each came, follows from these. */
type Told = Pick<TrainState, "evaluations" | "best">;

export class Validation {
  /** Of each evaluation, in their order. */
  readonly metrics: Metrics[] = [];
  readonly #built: MethodModel;
  readonly #length: Length;
  readonly #patience: number;
  /** The weights of the best evaluation, on the GPU. */
  #copy?: Tensor[];

  /** `patience` evaluations in a row may be no better than the best: see transformers' EarlyStoppingCallback. */
  constructor(built: MethodModel, length: Length, patience = Infinity) {
    this.#built = built;
    this.#length = length;
    this.#patience = patience;
  }

  /** The steps, from 1, after which the evaluations came. */
  get steps(): number[] {
    return this.metrics.map((_, index) => stepOfEvaluation(this.#length, index));
  }

  /** The step after which the next evaluation comes; undefined where the run ends with the last one. */
  get nextStep(): number | undefined {
    const made = this.metrics.length;
    const last = made > 0 && stepOfEvaluation(this.#length, made - 1) === this.#length.totalSteps;
    const worse = made - 1 - this.#bestIndex;
    return last || worse >= this.#patience ? undefined : stepOfEvaluation(this.#length, made);
  }

  /** The first evaluation of the best macro F1; -1 before there is any. */
  get #bestIndex(): number {
    const scores = this.metrics.map(({ macroF1 }) => macroF1);
    return scores.indexOf(Math.max(...scores));
  }

  /** Where the best weights were: the step, and the epoch in which it lies. */
  get best(): { step: number; epoch: number } {
    return this.#at(this.#bestIndex);
  }

  #at(index: number): { step: number; epoch: number } {
    const step = stepOfEvaluation(this.#length, index);
    return { step, epoch: epochOf(this.#length, step) };
  }

  /** Notes what the weights reach; returns where that was, and whether it is the best macro F1 so far. */
  add(metrics: Metrics): { step: number; epoch: number; best: boolean } {
    const index = this.metrics.push(metrics) - 1;
    const best = this.#bestIndex === index;
    if (best) this.#copy = this.#built.parameters.snapshot(this.#copy);
    return { ...this.#at(index), best };
  }

  /** Gives the model the best weights; there must have been an evaluation. */
  restoreBest(): void {
    this.#built.parameters.restore(this.#copy!);
  }

  /** Its part of a run's state. Waits for the GPU. */
  async capture(): Promise<Told> {
    const evaluations = [...this.metrics];
    if (!this.#copy) return { evaluations };
    const { parameters, specs } = this.#built;
    const weights = await readWeights(parameters, specs, this.#copy);
    const metrics = evaluations[this.#bestIndex];
    return { evaluations, best: { epoch: this.best.epoch, metrics, weights } };
  }

  /** Goes on from a state; the model's weights are the best ones afterwards, where there are any. */
  restore({ evaluations, best }: Told): void {
    this.metrics.push(...evaluations);
    if (!best) return;
    const { parameters, specs } = this.#built;
    writeWeights(parameters, specs, best.weights);
    this.#copy = parameters.snapshot();
  }

  /** Frees the copy. */
  destroy(): void {
    const { memory } = this.#built.parameters.device;
    this.#copy?.forEach(({ storage }) => memory.destroy(storage));
  }
}

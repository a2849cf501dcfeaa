/** The loss of a run whose labels do not all count alike: weights of the classes, label smoothing. */
import type { Device } from "../../engine/device.ts";
import type { LossWeights } from "../../engine/ops/mod.ts";
import { persistent, type Tensor } from "../../engine/tensor.ts";
import type { Example } from "../data/clean.ts";
import { classWeightsOf } from "./class_weights.ts";
import type { Hyperparameters } from "./events.ts";

export class Objective implements LossWeights {
  readonly weights: Tensor;
  readonly smoothing: number;
  readonly #device: Device;
  readonly #ofClass: readonly number[];

  constructor(
    device: Device,
    { smoothing, ofClass }: { smoothing: number; ofClass: readonly number[] },
  ) {
    this.#device = device;
    this.#ofClass = ofClass;
    this.smoothing = smoothing;
    this.weights = persistent(device, [ofClass.length], undefined, "class weights");
  }

  /**
   * To be called as a step begins, with the labels of all its sentences: the loss is then torch's mean over them,
   * Σ w l / Σ w, in however many parts it is summed.
   */
  begin(labels: readonly number[]): void {
    const divisor = labels.reduce((sum, label) => sum + this.#ofClass[label], 0);
    const { storage, offset } = this.weights;
    const shares = Float32Array.from(this.#ofClass, (weight) => weight / divisor);
    this.#device.write(storage, offset, shares);
  }

  destroy(): void {
    this.#device.memory.destroy(this.weights.storage);
  }
}

/** The objective of a run; undefined where it is the plain mean. Throws a UserError where the weights do not fit. */
export function objectiveOf(
  device: Device,
  { labelSmoothing = 0, classWeights }: Hyperparameters,
  labels: readonly string[],
  train: readonly Example[],
): Objective | undefined {
  if (labelSmoothing === 0 && classWeights === undefined) return undefined;
  const ofClass = classWeights === undefined
    ? labels.map(() => 1)
    : classWeightsOf(classWeights, labels, train);
  return new Objective(device, { smoothing: labelSmoothing, ofClass });
}

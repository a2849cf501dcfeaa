/** All that a training run is at a moment, as one value: what is needed to go on with it, here or elsewhere. */
import type { AdamWState } from "../../engine/optimizer.ts";
import type { Parameters } from "../../engine/parameters.ts";
import type { TunedPlans } from "../../engine/plans.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { MatmulPlan } from "../../kernels/mod.ts";
import type { ParameterSpec } from "../nn/scope.ts";
import type { Metrics } from "./metrics.ts";

/** Trainable tensors by name. */
export type TrainedTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** The best epoch so far, and its weights. */
export interface BestEpoch {
  /** From 1. */
  epoch: number;
  metrics: Metrics;
  weights: TrainedTensors;
}

/** Plain data. Random numbers need no state: they are drawn from the seed, and from epoch and step. */
export interface TrainState {
  seed: number;
  /** Steps that were made: the next one's number, from 0. */
  step: number;
  /** The epoch of the next step, from 0, and how many of its steps were made. */
  epoch: number;
  stepsOfEpoch: number;
  weights: TrainedTensors;
  optimizer: AdamWState;
  best?: BestEpoch;
  /** Validation metrics of the epochs that are done. */
  evaluations: Metrics[];
  /** Real tokens of the steps, and the seconds that they took. */
  tokens: number;
  seconds: number;
  /** The plans of matrix products, on which the last bits depend. */
  plans: { fixed: MatmulPlan; tuned: TunedPlans };
}

/** Reads the trainable tensors back, those at hand or a snapshot's, in the order of the specs. Waits for the GPU. */
export async function readWeights(
  parameters: Parameters,
  specs: readonly ParameterSpec[],
  snapshot?: readonly Tensor[],
): Promise<TrainedTensors> {
  const values = snapshot ?? parameters.slabs.map(({ value }) => value);
  const slabs = await Promise.all(values.map((value) => value.read())); // a readback a tensor takes 12 ms each
  const places = new Map(parameters.places().map((place) => [place.name, place]));
  const weights: TrainedTensors = new Map();
  for (const { name, shape, trainable } of specs) {
    if (!trainable) continue;
    const { slab, first, size } = places.get(name)!;
    weights.set(name, { shape, data: slabs[slab].slice(first, first + size) });
  }
  return weights;
}

/** Writes them. Throws where they are not those of the specs. */
export function writeWeights(
  parameters: Parameters,
  specs: readonly ParameterSpec[],
  weights: TrainedTensors,
): void {
  for (const { name, shape, trainable } of specs) {
    if (!trainable) continue;
    const tensor = weights.get(name);
    if (tensor?.shape.join() !== shape.join()) {
      throw new Error(
        `The state to go on from has ${tensor ? `[${tensor.shape.join(", ")}]` : "nothing"} for ` +
          `"${name}" [${shape.join(", ")}]: it is another method's or another model's.`,
      );
    }
    const { device, storage, offset } = parameters.get(name);
    device.write(storage, offset, tensor.data);
  }
}

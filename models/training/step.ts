/**
 * An optimiser step in two halves, gradients and update. Each is a list of launches that repeats. Between them
 * gradients and loss lie in flat slabs, to be summed over machines by whoever trains on several.
 */
import type { Device } from "../../engine/device.ts";
import { scale } from "../../engine/ops/mod.ts";
import { type AdamW, setOrAdd } from "../../engine/optimizer.ts";
import { withTape } from "../../engine/tape.ts";
import { clear } from "../../engine/tensor.ts";
import type { MethodModel } from "../model.ts";
import { packBatch } from "../nn/batch.ts";
import { chunks } from "./batches.ts";
import type { EncodedExample } from "./evaluate.ts";
import type { Objective } from "./objective.ts";
import { alone, type Ranks, shareOf } from "./ranks.ts";

/** What a run computes with. */
export interface Training {
  device: Device;
  built: MethodModel;
  optimizer: AdamW;
  /** What the loss is, where it is not the plain mean. */
  objective?: Objective;
}

export interface StepOptions {
  /** The step's number, from 0. */
  step: number;
  seed: number;
  /** Sentences that go through the model at a time. */
  batchSize: number;
  gradientAccumulationSteps: number;
  /** Those that share the sentences; one process alone unless given. */
  ranks?: Ranks;
}

/**
 * The first half: the gradients of a step's sentences, in the parameters' slabs, and their mean loss, in
 * `optimizer.loss`. Where gradients are accumulated, the sentences go through `batchSize` at a time, and each
 * part's loss counts by its share of them (of their weights, where they have any), so that loss and gradients are those of all sentences at once. Only
 * records, and leaves the step open for what follows, {@link applyUpdate} in the end: the GPU works meanwhile.
 * Of several ranks each computes its share; their sum is what one process would compute.
 * Returns the number of real tokens, of all ranks.
 */
export function computeGradients(
  { device, built: { model, parameters, limits }, optimizer, objective }: Training,
  batch: readonly EncodedExample[],
  { step, seed, batchSize, gradientAccumulationSteps, ranks = alone }: StepOptions,
): number {
  const parts = gradientAccumulationSteps > 1 ? chunks(batch, batchSize) : [batch];
  let tokens = 0;
  model.training = true;
  objective?.begin(batch.map(({ label }) => label));
  for (const [index, whole] of parts.entries()) {
    const { sentences: part, start } = shareOf(whole, ranks);
    const isFirst = index === 0;
    device.beginStep(seed, step * gradientAccumulationSteps + index, start); // dropout differs by part
    if (part.length > 0) {
      const packed = packBatch(
        device,
        part.map(({ ids }) => ids),
        part.map(({ label }) => label),
        limits,
      );
      const share = objective ? 1 : part.length / batch.length; // an objective's parts are shares already
      const kind = [packed.key, isFirst, share, objective?.smoothing, model.gradientCheckpointing];
      device.launcher.repeat(model, JSON.stringify(kind), () => {
        if (isFirst) parameters.zeroGradients();
        const { output: loss, backward } = withTape(() => {
          const loss = model.loss(packed, objective);
          return share < 1 ? scale(loss, share) : loss;
        });
        backward(optimizer.lossScale);
        setOrAdd(optimizer.loss, loss, isFirst);
      });
    } else if (isFirst) {
      parameters.zeroGradients();
      clear(optimizer.loss);
    }
    if (index < parts.length - 1) device.endStep(); // the last part ends with the update
    tokens += whole.reduce((sum, { ids }) => sum + ids.length, 0);
  }
  return tokens;
}

/** The second half: clips the gradients, moves the parameters and ends the step. Only records. */
export function applyUpdate({ device, optimizer }: Training, learningRate: number): void {
  optimizer.update(learningRate);
  device.endStep();
}

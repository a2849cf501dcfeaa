/** The matrix products of a training step, for the tuner of their kernels: those of a step that is only traced. */
import type { Device } from "../../engine/device.ts";
import { AdamW } from "../../engine/optimizer.ts";
import type { Product } from "../../engine/plans.ts";
import { traceProducts } from "../../engine/trace.ts";
import { allocateModel, type ModelOptions } from "../model.ts";
import { defaultHyperparameters } from "./events.ts";
import { computeGradients } from "./step.ts";

export interface StepSize {
  /** Sentences of a batch, and its tokens, about. */
  sentences: number;
  tokens: number;
}

/** Every product of a step's gradients, by running the step where no command reaches the GPU. */
export function stepProducts(
  device: Device,
  options: ModelOptions,
  { sentences, tokens }: StepSize,
): Product[] {
  return traceProducts(device, (device) => {
    const built = allocateModel(device, options);
    const optimizer = new AdamW(built.parameters, { weightDecay: 0, maxGradNorm: 1 });
    const longest = built.limits.maxTokens;
    const batch = Array.from({ length: sentences }, (_, i) => {
      const length = Math.floor((i + 1) * tokens / sentences) - Math.floor(i * tokens / sentences);
      return { ids: Array(Math.min(Math.max(1, length), longest)).fill(0), label: 0 };
    });
    computeGradients({ device, built, optimizer }, batch, {
      ...defaultHyperparameters,
      batchSize: sentences,
      step: 0,
    });
  });
}

/** LoRA's first steps, read back one by one: B begins at 0, so that A has no gradient until B has moved. */
import { AdamW } from "../../engine/optimizer.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { createModel } from "../../models/model.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import { applyUpdate, computeGradients } from "../../models/training/step.ts";
import type { Lab } from "./lab.ts";

/** Euclidean norms of a layer's A and B and of their gradients, as a step finds them before it moves A and B. */
export interface ObservedStep {
  step: number;
  loss: number;
  a: number;
  b: number;
  gradientA: number;
  gradientB: number;
}

/** Sentences of the one batch that every step sees. */
const sentences = 16;

const normOf = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The first LoRA layer's name: of the query of layer 0. */
export const observedLayer = "encoder.layer.0.attention.self.query";

/**
 * Takes so many steps on one batch of the lab's data, without dropout or decay, and tells of each what it found.
 * Throws a DeviceError where the GPU fails.
 */
export async function* firstSteps(
  { device, base, data: { dataset, split } }: Lab,
  { rank, steps, learningRate }: { rank: number; steps: number; learningRate: number },
): AsyncGenerator<ObservedStep> {
  const weights = await base.open(dataset.labels);
  const { seed } = defaultHyperparameters;
  const method = { ...loraDefaults(rank), dropout: 0 };
  const classes = dataset.labels.length;
  const options = { config: base.config, method, classes, weights, seed };
  const built = await createModel(device, { ...options, base: await base.frozen(device) })
    .finally(() => weights.close());
  const optimizer = new AdamW(built.parameters, { weightDecay: 0, maxGradNorm: 1 });
  try {
    const batch = split.train.slice(0, sentences)
      .map(({ text, label }) => ({ ids: base.tokenizer.encode(text, 512), label }));
    const tensorOf = (end: string): Tensor => {
      const { name } = built.specs.find(({ name }) => name.endsWith(`${observedLayer}.${end}`))!;
      return built.parameters.get(name);
    };
    const [a, b] = [tensorOf("lora_A.weight"), tensorOf("lora_B.weight")];
    const settings = { seed, batchSize: sentences, gradientAccumulationSteps: 1 };
    for (let step = 0; step < steps; step++) {
      const before = { a: normOf(await a.read()), b: normOf(await b.read()) };
      computeGradients({ device, built, optimizer }, batch, { ...settings, step });
      applyUpdate({ device, built, optimizer }, learningRate);
      const [{ loss }] = await optimizer.readHistory();
      yield {
        step,
        loss,
        ...before,
        gradientA: normOf(await a.gradient!.read()),
        gradientB: normOf(await b.gradient!.read()),
      };
    }
  } finally {
    device.launcher.submit();
    optimizer.destroy();
    built.destroy();
  }
}

/** Runs a model against its goldens and measures how far it is off; the tests set the bounds. */
import type { Device } from "../../engine/device.ts";
import { AdamW, type AdamWOptions, type StepRecord } from "../../engine/optimizer.ts";
import { scheduleFactor } from "../../engine/schedule.ts";
import { noGrad, withTape } from "../../engine/tape.ts";
import type { MethodModel } from "../../models/model.ts";
import { applyUpdate, computeGradients } from "../../models/training/step.ts";
import { distance, type Golden, packGolden } from "./goldens.ts";

/** Logits and loss of batch 0, and all gradients, against the goldens. */
export async function compareGradients(device: Device, source: Golden, built: MethodModel) {
  const { model, parameters, specs } = built;
  device.beginStep(0, 0);
  const batch = packGolden(device, source, source.batches[0]);
  const logits = await noGrad(() => model.logits(batch)).read();
  parameters.zeroGradients();
  const { output, backward } = withTape(() => model.loss(batch));
  backward();
  const [loss] = await output.read();
  const trainable = specs.filter((spec) => spec.trainable);
  const pairs = await Promise.all(trainable.map(async ({ name }) => ({
    name,
    actual: await parameters.get(name).gradient!.read(),
    expected: await source.tensor("gradient", name),
  })));
  device.endStep();
  const all = Math.hypot(...pairs.map(({ expected }) => distance(expected)));
  return {
    logits: distance(logits, source.numbers.logits.flat()),
    loss: Math.abs(loss - source.numbers.loss),
    /** Worst ratio of a gradient's error to what DESIGN §8 allows; above 1 is a failure. */
    worst: pairs.map(({ name, actual, expected }) => ({
      name,
      ratio: distance(actual, expected) / (1e-4 * distance(expected) + 1e-6 * all),
    })).reduce((a, b) => (a.ratio > b.ratio ? a : b)),
    count: pairs.reduce((sum, { actual }) => sum + actual.length, 0),
  };
}

/** The goldens' optimiser: rate 1e-3, warm-up 2 of 6 steps, decay 0.01, clipping at 1. */
export const goldenOptimizer: AdamWOptions = { weightDecay: 0.01, maxGradNorm: 1 };

/** Takes the six steps; returns losses, norms, and how far the trained tensors' updates are off. */
export async function compareSteps(
  device: Device,
  source: Golden,
  built: MethodModel,
  options: AdamWOptions = goldenOptimizer,
  warmup = 2,
) {
  const { parameters, specs } = built;
  const optimizer = new AdamW(parameters, options);
  const training = { device, built, optimizer };
  const steps = source.numbers.steps.length;
  for (let step = 0; step < steps; step++) {
    const { sentences, labels } = source.batches[step];
    const batch = sentences.map((ids, i) => ({ ids, label: labels[i] }));
    const settings = { step, seed: 0, batchSize: batch.length, gradientAccumulationSteps: 1 };
    computeGradients(training, batch, settings);
    applyUpdate(
      training,
      1e-3 * scheduleFactor("linear", step, { warmupSteps: warmup, totalSteps: steps }),
    );
  }
  const records: StepRecord[] = await optimizer.readHistory();
  optimizer.destroy();
  // Attention ignores a key's bias: its gradient is rounding noise, which Adam blows up to full steps.
  const trained = specs.filter((spec) => spec.trainable && !/(key|k_lin)\.bias$/.test(spec.name));
  const updates = await Promise.all(trained.map(async ({ name }) => {
    const [init, final] = [await source.tensor("init", name), await source.tensor("final", name)];
    const actual = await parameters.get(name).read();
    return {
      name,
      error: distance(actual, final) / distance(final, init),
      weights: distance(actual, final),
    };
  }));
  return {
    records,
    loss: Math.max(...records.map(({ loss }, i) => Math.abs(loss - source.numbers.steps[i].loss))),
    norm: Math.max(
      ...records.map(({ gradientNorm }, i) =>
        Math.abs(gradientNorm / source.numbers.steps[i].gradient_norm - 1)
      ),
    ),
    /** Worst error of a tensor's update, relative to the update. */
    worst: updates.reduce((a, b) => (a.error > b.error ? a : b)),
    weights: Math.max(...updates.map(({ weights }) => weights)),
  };
}

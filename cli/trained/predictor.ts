/** From a trained run and texts to probabilities, on the GPU: loading this file loads the engine. */
import { createDevice, type Device } from "../../engine/device.ts";
import { trainedWeights } from "../../models/encoders/weights.ts";
import type { Example } from "../../models/data/clean.ts";
import { UserError } from "../../models/errors.ts";
import { hostFolder } from "../../models/host/files.ts";
import { createModel, type MethodModel } from "../../models/model.ts";
import { baseSeed } from "../../models/peft/export.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import {
  type EncodedExample,
  encoder,
  metricsOf,
  predict,
  softmax,
} from "../../models/training/evaluate.ts";
import type { Metrics } from "../../models/training/metrics.ts";
import { openBase, type Sizes, type TrainedRun } from "./run.ts";

/** Builds a run's model as it was when its training ended. The caller destroys it. */
export async function buildRun(device: Device, run: TrainedRun): Promise<MethodModel> {
  const { model, method, labels, frozenDtype } = run;
  const base = await openBase(run);
  try {
    const weights = trainedWeights(run.weights, base);
    // No seed but the base's: method and classifier are all in the run.
    return await createModel(device, {
      config: model.config,
      method,
      classes: labels.length,
      weights,
      seed: baseSeed,
      frozenDtype,
    });
  } finally {
    base.close();
  }
}

/** Logits [examples, labels]. Throws a UserError where one is no number. */
async function logitsOf(
  device: Device,
  run: TrainedRun,
  examples: readonly EncodedExample[],
  batchSize: number,
): Promise<Float32Array> {
  const built = await buildRun(device, run);
  try {
    const logits = await predict(device, built, examples, {
      classes: run.labels.length,
      batchSize,
    });
    if (!logits.every(Number.isFinite)) {
      throw new UserError(`The run's scores are no finite numbers: its weights are of no use.`);
    }
    return logits;
  } finally {
    built.destroy();
  }
}

/** Probabilities of the labels, for each sentence of token ids. Throws a UserError where a logit is no number. */
export async function probabilitiesOf(
  device: Device,
  run: TrainedRun,
  sentences: readonly (readonly number[])[],
  batchSize: number,
): Promise<Float64Array[]> {
  const classes = run.labels.length;
  const examples = sentences.map((ids) => ({ ids, label: 0 }));
  const logits = await logitsOf(device, run, examples, batchSize);
  return sentences.map((_, row) => softmax(logits.subarray(row * classes, (row + 1) * classes)));
}

/** Probabilities of the labels, for each text. */
export async function predictTexts(
  run: TrainedRun,
  texts: readonly string[],
  { maxLength, batchSize }: Sizes,
): Promise<Float64Array[]> {
  const { folder, config } = run.model;
  const tokenizer = await loadTokenizer(hostFolder(folder), config.vocabSize);
  const sentences = texts.map((text) => tokenizer.encode(text, maxLength));
  // In f32, also what was trained with products of f16: any adapter has it, and it is the more exact.
  const device = await createDevice();
  try {
    return await probabilitiesOf(device, run, sentences, batchSize);
  } finally {
    device.destroy();
  }
}

/** Metrics of a run on examples whose labels count in the run's order; computed as training computes them. */
export async function evaluateExamples(
  run: TrainedRun,
  examples: readonly Example[],
  { maxLength, batchSize }: Sizes,
): Promise<Metrics> {
  const { folder, config } = run.model;
  const tokenizer = await loadTokenizer(hostFolder(folder), config.vocabSize);
  const encoded = examples.map(encoder((text) => tokenizer.encode(text, maxLength)));
  const device = await createDevice();
  try {
    return metricsOf(await logitsOf(device, run, encoded, batchSize), encoded, run.labels);
  } finally {
    device.destroy();
  }
}

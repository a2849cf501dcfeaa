/** From a trained run and texts to probabilities, on the GPU: loading this file loads the engine. */
import { createDevice, type Device } from "../../engine/device.ts";
import type { Parameters } from "../../engine/parameters.ts";
import type { ComputeDtype } from "../../engine/precision.ts";
import { trainedWeights } from "../../models/encoders/weights.ts";
import type { Example } from "../../models/data/clean.ts";
import { UserError } from "../../models/errors.ts";
import { hostFolder } from "../../models/host/files.ts";
import { createModel, type MethodModel } from "../../models/model.ts";
import { baseSeed } from "../../models/peft/export.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text/tokenizer.ts";
import {
  type EncodedExample,
  encoder,
  metricsOf,
  predict,
  softmax,
} from "../../models/training/evaluate.ts";
import type { Metrics } from "../../models/training/metrics.ts";
import { openBase, type Sizes, type TrainedRun } from "./run.ts";

/**
 * Builds a run's model as it was when its training ended, with what is frozen taken from `shared` where that is
 * given. The caller destroys it.
 */
export async function buildRun(
  device: Device,
  run: TrainedRun,
  shared?: Parameters,
): Promise<MethodModel> {
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
      base: shared,
    });
  } finally {
    base.close();
  }
}

/** Logits [examples, labels] of a run's model. Throws a UserError where one is no number. */
async function logitsOf(
  device: Device,
  { labels }: TrainedRun,
  built: MethodModel,
  examples: readonly EncodedExample[],
  batchSize: number,
): Promise<Float32Array> {
  const logits = await predict(device, built, examples, { classes: labels.length, batchSize });
  if (!logits.every(Number.isFinite)) {
    throw new UserError(`The run's scores are no finite numbers: its weights are of no use.`);
  }
  return logits;
}

/** Probabilities of the labels by a run's model, for each sentence of token ids. Throws as {@link logitsOf}. */
export async function probabilitiesBy(
  device: Device,
  run: TrainedRun,
  built: MethodModel,
  sentences: readonly (readonly number[])[],
  batchSize: number,
): Promise<Float64Array[]> {
  const classes = run.labels.length;
  const examples = sentences.map((ids) => ({ ids, label: 0 }));
  const logits = await logitsOf(device, run, built, examples, batchSize);
  return sentences.map((_, row) => softmax(logits.subarray(row * classes, (row + 1) * classes)));
}

/** The tokenizer of a run's base. */
export const tokenizerOf = ({ model: { folder, config } }: TrainedRun): Promise<Tokenizer> =>
  loadTokenizer(hostFolder(folder), config.vocabSize);

/**
 * Metrics of a run on examples whose labels count in the run's order; computed as training computes them. What is to be
 * said of the tokenizer is heard before.
 */
export async function evaluateExamples(
  run: TrainedRun,
  examples: readonly Example[],
  { maxLength, batchSize }: Sizes,
  { computeDtype, hear }: { computeDtype?: ComputeDtype; hear(notice: string): void },
): Promise<Metrics> {
  const tokenizer = await tokenizerOf(run);
  for (const notice of tokenizer.notices) hear(notice);
  const encoded = examples.map(encoder((text) => tokenizer.encode(text, maxLength)));
  // Products in f32, also of what was trained with f16's: any adapter has them, and they are the more exact.
  const device = await createDevice({ computeDtype });
  try {
    const built = await buildRun(device, run);
    return metricsOf(
      await logitsOf(device, run, built, encoded, batchSize),
      encoded,
      run.labels,
    );
  } finally {
    device.destroy();
  }
}

/** From a trained run and texts to probabilities, on the GPU: loading this file loads the engine. */
import { createDevice, type Device } from "../engine/device.ts";
import { openWeights, randomWeights, trainedWeights } from "../models/encoders/weights.ts";
import { UserError } from "../models/errors.ts";
import { hostFolder } from "../models/host/files.ts";
import { createModel, type MethodModel } from "../models/model.ts";
import { baseSeed } from "../models/peft/export.ts";
import { loadTokenizer } from "../models/text/tokenizer.ts";
import { predict, softmax } from "../models/training/evaluate.ts";
import type { TrainedRun } from "./trained_run.ts";

/** Builds a run's model as it was when its training ended. The caller destroys it. */
export async function buildRun(device: Device, run: TrainedRun): Promise<MethodModel> {
  const { model, method, labels, frozenDtype } = run;
  const { config } = model;
  const classes = labels.length;
  // Full fine-tuning leaves nothing of the base.
  const base = model.random || method.method === "full"
    ? randomWeights(model.name)
    : await openWeights(hostFolder(model.folder), config, classes);
  try {
    const weights = trainedWeights(run.weights, base);
    // No seed but the base's: method and classifier are all in the run.
    return await createModel(device, {
      config,
      method,
      classes,
      weights,
      seed: baseSeed,
      frozenDtype,
    });
  } finally {
    base.close();
  }
}

/** Probabilities of the labels, for each sentence of token ids. Throws a UserError where a logit is no number. */
export async function probabilitiesOf(
  device: Device,
  run: TrainedRun,
  sentences: readonly (readonly number[])[],
  batchSize: number,
): Promise<Float64Array[]> {
  const built = await buildRun(device, run);
  try {
    const classes = run.labels.length;
    const examples = sentences.map((ids) => ({ ids, label: 0 }));
    const logits = await predict(device, built, examples, { classes, batchSize });
    if (!logits.every(Number.isFinite)) {
      throw new UserError(`The run's scores are no finite numbers: its weights are of no use.`);
    }
    return sentences.map((_, row) => softmax(logits.subarray(row * classes, (row + 1) * classes)));
  } finally {
    built.destroy();
  }
}

/** Probabilities of the labels, for each text. */
export async function predictTexts(
  run: TrainedRun,
  texts: readonly string[],
  { maxLength, batchSize }: { maxLength: number; batchSize: number },
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

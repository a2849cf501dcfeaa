/** Class scores of many sentences, without a tape; one readback in all. */
import type { Device } from "../../engine/device.ts";
import { noGrad } from "../../engine/tape.ts";
import { persistent } from "../../engine/tensor.ts";
import type { Example } from "../data/clean.ts";
import { UserError } from "../errors.ts";
import type { MethodModel } from "../model.ts";
import { packBatch } from "../nn/batch.ts";
import { chunks } from "./batches.ts";
import type { Prediction } from "./events.ts";
import { computeMetrics, type Metrics } from "./metrics.ts";
import { Pace } from "./pace.ts";
import { alone, anyOf, type Ranks } from "./ranks.ts";

/** A sentence as the model takes it. */
export interface EncodedExample {
  ids: readonly number[];
  label: number;
}

/** A model that only computes. */
export type BuiltModel = Pick<MethodModel, "model" | "limits">;

interface Sizes {
  classes: number;
  /** Sentences at a time. */
  batchSize: number;
  /** Those that share the sentences; one process alone unless given. */
  ranks?: Ranks;
}

/** Logits [examples, classes], with dropout off. Waits for the GPU. */
export async function predict(
  device: Device,
  built: BuiltModel,
  examples: readonly EncodedExample[],
  sizes: Sizes,
): Promise<Float32Array> {
  return (await predictUnless(undefined, device, built, examples, sizes))!;
}

/**
 * As {@link predict}, or undefined where `stopped`, which is asked before each batch, says so, on one rank or all. Waits
 * for the GPU about once a second, which lets a program notice what should stop it.
 */
export async function predictUnless(
  stopped: (() => boolean) | undefined,
  device: Device,
  { model, limits }: BuiltModel,
  examples: readonly EncodedExample[],
  { classes, batchSize, ranks = alone }: Sizes,
): Promise<Float32Array | undefined> {
  const all = persistent(device, [examples.length, classes], undefined, "logits");
  const pace = new Pace();
  try {
    model.training = false;
    const batches = chunks(examples, batchSize);
    for (let round = 0; round < batches.length; round += ranks.size) { // a batch for each rank
      if (pace.isDue) {
        await device.finish();
        pace.waited();
      }
      if (stopped && (await anyOf(ranks, stopped()))[0]) return undefined;
      const own = round + ranks.rank;
      const batch = batches[own] ?? [];
      if (batch.length === 0) continue;
      device.beginStep(0, 0);
      noGrad(() => {
        const packed = packBatch(
          device,
          batch.map(({ ids }) => ids),
          batch.map(({ label }) => label),
          limits,
        );
        const { storage, offset, size } = model.logits(packed);
        const start = own * batchSize * classes * 4;
        device.launcher.record((encoder) =>
          encoder.copyBufferToBuffer(storage.buffer, offset, all.storage.buffer, start, size * 4)
        );
      });
      device.endStep();
      pace.count++;
    }
    const logits = await all.read();
    await ranks.sum(logits); // those of the other ranks' batches are zeros here
    return logits;
  } finally {
    device.memory.destroy(all.storage);
  }
}

/** Probabilities of the classes from a sentence's logits, in float64. */
export function softmax(logits: Float32Array): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b));
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/**
 * Metrics of logits [examples, labels]; the loss is taken from them in float64. Throws a UserError where one is no
 * number, which is for a lower rate than `highestRate`, of the training that made the weights.
 */
export function metricsOf(
  logits: Float32Array,
  examples: readonly Pick<EncodedExample, "label">[],
  labels: readonly string[],
  highestRate?: number,
): Metrics {
  if (!logits.every(Number.isFinite)) {
    throw new UserError(
      "The model's scores are no finite numbers after the last update: the learning rate or the " +
        "weight decay is too high.",
      highestRate === undefined ? {} : { remedy: { kind: "lowerLearningRate", rate: highestRate } },
    );
  }
  const classes = labels.length;
  let loss = 0;
  const predicted = examples.map(({ label }, row) => {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const highest = scores.reduce((a, b) => Math.max(a, b));
    const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
    loss += highest + Math.log(sum) - scores[label];
    return scores.indexOf(highest);
  });
  return computeMetrics(
    labels,
    examples.map(({ label }) => label),
    predicted,
    loss / examples.length,
  );
}

/** Each example's predicted class and probabilities, from logits [examples, classes]. */
export function predictionsOf(
  logits: Float32Array,
  examples: readonly Pick<EncodedExample, "label">[],
  classes: number,
): Prediction[] {
  return examples.map(({ label }, row) => {
    const probabilities = softmax(logits.subarray(row * classes, (row + 1) * classes));
    const predicted = probabilities.indexOf(Math.max(...probabilities));
    return {
      predicted,
      probability: probabilities[label],
      confidence: probabilities[predicted],
    };
  });
}

/** Metrics of a model on some sentences. */
export async function evaluate(
  device: Device,
  built: BuiltModel,
  examples: readonly EncodedExample[],
  { labels, batchSize }: { labels: readonly string[]; batchSize: number },
): Promise<Metrics> {
  const logits = await predict(device, built, examples, { classes: labels.length, batchSize });
  return metricsOf(logits, examples, labels);
}

/** Tokenises each text once, when it is first needed: the GPU works on the step before meanwhile. */
export function encoder(encode: (text: string) => number[]): (example: Example) => EncodedExample {
  const known = new Map<string, number[]>();
  return ({ text, label }) => {
    let ids = known.get(text);
    if (!ids) known.set(text, ids = encode(text));
    return { ids, label };
  };
}

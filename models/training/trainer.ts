/** One training run, as a stream of events: steps, evaluations, and at the end the result. */
import type { Device } from "../../engine/device.ts";
import { scale } from "../../engine/ops/mod.ts";
import { AdamW, historySlots } from "../../engine/optimizer.ts";
import { linearSchedule } from "../../engine/schedule.ts";
import { withTape } from "../../engine/tape.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { packBatch } from "../bert/batch.ts";
import type { BertConfig } from "../bert/config.ts";
import type { WeightSource } from "../bert/weights.ts";
import type { Split } from "../data/split.ts";
import type { Example } from "../data/clean.ts";
import { UserError } from "../errors.ts";
import { countParameters, type Method, runName } from "../peft/method.ts";
import { createModel, type MethodModel } from "../peft/model.ts";
import { chunks, epochBatches } from "./batches.ts";
import { type EncodedExample, evaluate } from "./evaluate.ts";
import type { Hyperparameters, StepEvent, TrainingEvent, TrainingResult } from "./events.ts";
import type { Metrics } from "./metrics.ts";

export interface TrainOptions {
  device: Device;
  config: BertConfig;
  method: Method;
  labels: string[];
  weights: WeightSource;
  /** Token ids [CLS] … [SEP] of a text, cut to the hyperparameters' `maxLength`. */
  encode: (text: string) => number[];
  split: Split;
  hyperparameters: Hyperparameters;
  /** Trades time for memory: see `checkpoint` in engine/tape.ts. The result is the same, bit for bit. */
  gradientCheckpointing?: boolean;
  /** The run's name; `runName(method)` unless given. */
  run?: string;
}

/** Losses are read back about this often: each readback waits for the GPU. */
const secondsBetweenReads = 1;

/**
 * Trains a method and evaluates after every epoch; the epoch with the best macro F1 (the earlier on a tie)
 * is tested and its weights returned. The same options on the same adapter give the same bits. Throws
 * DeviceError where the GPU fails, and a UserError where the loss is no number.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainingEvent, void> {
  const { device, config, method, labels, weights, hyperparameters } = options;
  const { seed, batchSize, epochs, weightDecay, maxGradNorm } = hyperparameters;
  const run = options.run ?? runName(method);
  const encode = encoder(options.encode);
  const { train: training, validation, test } = options.split;
  const { trainable, total } = countParameters(config, method, labels.length);
  const sentencesPerStep = batchSize * hyperparameters.gradientAccumulationSteps;
  const stepsPerEpoch = Math.ceil(training.length / sentencesPerStep);
  const totalSteps = stepsPerEpoch * epochs;
  device.trim();
  device.memory.resetPeak();
  const built = await createModel(device, {
    config,
    method,
    classes: labels.length,
    weights,
    seed,
    frozenDtype: hyperparameters.frozenDtype,
  });
  built.model.gradientCheckpointing = options.gradientCheckpointing ?? false;
  yield {
    type: "start",
    run,
    method,
    trainableParameters: trainable,
    totalParameters: total,
    stepsPerEpoch,
    totalSteps,
    warnings: warningsFor(hyperparameters, totalSteps),
  };

  const optimizer = new AdamW(built.parameters, { weightDecay, maxGradNorm });
  const progress = new Progress(hyperparameters, totalSteps);
  const started = performance.now();
  let best: { epoch: number; copy: Tensor[]; metrics: Metrics } | undefined;
  const evaluations: Metrics[] = [];
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      progress.resume();
      const order = { seed, epoch, batchSize: sentencesPerStep };
      for (const indices of epochBatches(training.length, order)) {
        const batch = indices.map((index) => encode(training[index]));
        const tokens = trainStep(device, built, optimizer, batch, progress.step, {
          ...hyperparameters,
          totalSteps,
        });
        progress.made(epoch, tokens);
        if (progress.readIsDue) yield* progress.read(optimizer);
      }
      yield* progress.read(optimizer);
      progress.pause();
      const metrics = await evaluate(device, built.model, validation.map(encode), {
        labels,
        batchSize,
      });
      evaluations.push(metrics);
      const isBest = !best || metrics.macroF1 > best.metrics.macroF1;
      if (isBest) {
        best = { epoch: epoch + 1, metrics, copy: built.parameters.snapshot(best?.copy) };
      }
      yield { type: "evaluation", split: "validation", epoch: epoch + 1, metrics, best: isBest };
    }
    if (!best) throw new Error("No epoch was trained: epochs must be 1 or more.");
    built.parameters.restore(best.copy);
    const metrics = await evaluate(device, built.model, test.map(encode), { labels, batchSize });
    yield { type: "evaluation", split: "test", epoch: best.epoch, metrics, best: true };
    const result: TrainingResult = {
      run,
      method,
      trainableParameters: trainable,
      totalParameters: total,
      bestEpoch: best.epoch,
      validation: evaluations,
      test: metrics,
      totalSteps,
      trainingSeconds: progress.seconds,
      totalSeconds: (performance.now() - started) / 1000,
      tokensPerSecond: progress.tokensPerSecond,
      peakGpuBytes: device.memory.peakBytes,
      weights: await readTrained(built),
    };
    yield { type: "done", result };
  } finally {
    best?.copy.forEach(({ storage }) => device.memory.destroy(storage));
    optimizer.destroy();
    built.destroy();
  }
}

/**
 * One optimiser step; returns its real tokens. Where gradients are accumulated, the sentences go through
 * `batchSize` at a time, and each part's loss counts by its share of them, so that loss and gradients are
 * those of all sentences at once. Only records: the GPU works meanwhile. A batch of a size that was there before
 * repeats that one's launches.
 */
export function trainStep(
  device: Device,
  { model, parameters }: MethodModel,
  optimizer: AdamW,
  batch: EncodedExample[],
  step: number,
  hyperparameters: Hyperparameters & { totalSteps: number },
): number {
  const { seed, batchSize, gradientAccumulationSteps, warmupSteps } = hyperparameters;
  const rate = linearSchedule(step, warmupSteps, hyperparameters.totalSteps);
  const parts = gradientAccumulationSteps > 1 ? chunks(batch, batchSize) : [batch];
  let tokens = 0;
  model.training = true;
  for (const [index, part] of parts.entries()) {
    const [isFirst, isLast] = [index === 0, index === parts.length - 1];
    const share = part.length / batch.length;
    device.beginStep(seed, step * gradientAccumulationSteps + index); // dropout differs by part
    if (isLast) optimizer.begin(hyperparameters.learningRate * rate);
    const packed = packBatch(device, part.map(({ ids }) => ids), part.map(({ label }) => label));
    const { gradientCheckpointing } = model;
    const key = JSON.stringify([packed.key, isFirst, isLast, share, gradientCheckpointing]);
    device.launcher.repeat(optimizer, key, () => {
      if (isFirst) parameters.zeroGradients();
      const { output: loss, backward } = withTape(() => {
        const mean = model.loss(packed);
        return share < 1 ? scale(mean, share) : mean;
      });
      backward();
      if (isLast) optimizer.update(loss, { last: !isFirst });
      else optimizer.addLoss(loss);
    });
    device.endStep();
    tokens += packed.tokens;
  }
  return tokens;
}

/** Tokenises each text once, when it is first needed: the GPU works on the step before meanwhile. */
function encoder(encode: (text: string) => number[]): (example: Example) => EncodedExample {
  const known = new Map<string, number[]>();
  return ({ text, label }) => {
    let ids = known.get(text);
    if (!ids) known.set(text, ids = encode(text));
    return { ids, label };
  };
}

function warningsFor({ warmupSteps }: Hyperparameters, totalSteps: number): string[] {
  if (totalSteps > warmupSteps) return [];
  return [
    `All ${totalSteps} steps lie within the warm-up of ${warmupSteps}: the learning rate never ` +
    `reaches its value. Warm up in fewer steps or train longer.`,
  ];
}

async function readTrained({ parameters, specs }: MethodModel): Promise<TrainingResult["weights"]> {
  const weights: TrainingResult["weights"] = new Map();
  for (const { name, shape, trainable } of specs) {
    if (trainable) weights.set(name, { shape, data: await parameters.get(name).read() });
  }
  return weights;
}

/** Counts steps, tokens and time, and turns the GPU's history into events. */
class Progress {
  /** Steps recorded so far. */
  step = 0;
  #epochs: number[] = [];
  #tokens: number[] = [];
  #totalTokens = 0;
  #seconds = 0;
  #since = 0;
  #readEvery = 1;
  readonly #totalSteps: number;
  readonly #learningRate: number;

  constructor({ learningRate }: Hyperparameters, totalSteps: number) {
    this.#totalSteps = totalSteps;
    this.#learningRate = learningRate;
  }

  get seconds(): number {
    return this.#seconds;
  }

  get tokensPerSecond(): number {
    return this.#totalTokens / Math.max(this.#seconds, 1e-9);
  }

  get readIsDue(): boolean {
    return this.#tokens.length >= this.#readEvery;
  }

  resume(): void {
    this.#since = performance.now();
  }

  pause(): void {
    this.#seconds += (performance.now() - this.#since) / 1000;
  }

  made(epoch: number, tokens: number): void {
    this.step++;
    this.#epochs.push(epoch + 1);
    this.#tokens.push(tokens);
  }

  async *read(optimizer: AdamW): AsyncGenerator<StepEvent> {
    const records = await optimizer.readHistory();
    const elapsed = this.#seconds;
    this.pause();
    this.resume();
    if (records.length > 0) {
      const perStep = (this.#seconds - elapsed) / records.length;
      const due = Math.round(secondsBetweenReads / Math.max(perStep, 1e-6));
      this.#readEvery = Math.min(historySlots, Math.max(1, due));
    }
    const first = this.step - records.length + 1;
    for (const [index, { loss, gradientNorm, learningRate }] of records.entries()) {
      const step = first + index;
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
        throw new UserError(
          `Step ${step} of ${this.#totalSteps}: the loss is ${loss} and the gradient norm ` +
            `${gradientNorm}.`,
          { remedy: { kind: "lowerLearningRate", rate: this.#learningRate } },
        );
      }
      this.#totalTokens += this.#tokens[index];
      yield {
        type: "step",
        step,
        epoch: this.#epochs[index],
        loss,
        gradientNorm,
        learningRate,
        tokens: this.#tokens[index],
        tokensPerSecond: this.tokensPerSecond,
      };
    }
    this.#epochs = [];
    this.#tokens = [];
  }
}

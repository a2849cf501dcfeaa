/** One training run, as a stream of events: steps, evaluations, and at the end the result. */
import type { Device } from "../../engine/device.ts";
import { AdamW } from "../../engine/optimizer.ts";
import { scheduleFactor } from "../../engine/schedule.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Example } from "../data/clean.ts";
import type { Split } from "../data/split.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import type { WeightSource } from "../encoders/weights.ts";
import { createModel, type MethodModel } from "../model.ts";
import { countParameters, type Method, runName } from "../peft/methods.ts";
import { epochBatches } from "./batches.ts";
import { type EncodedExample, encoder, evaluate } from "./evaluate.ts";
import {
  type Hyperparameters,
  type TrainingEvent,
  type TrainingResult,
  warmupStepsOf,
} from "./events.ts";
import type { Metrics } from "./metrics.ts";
import { Progress } from "./progress.ts";
import {
  captureKernels,
  checkIdentity,
  readWeights,
  restoreKernels,
  type RunIdentity,
  type TrainState,
  writeWeights,
} from "./state.ts";
import { applyUpdate, computeGradients, type Training } from "./step.ts";

export interface TrainOptions {
  device: Device;
  config: EncoderConfig;
  method: Method;
  labels: string[];
  weights: WeightSource;
  /** Token ids of a text, special ones included, cut to the hyperparameters' `maxLength`. */
  encode: (text: string) => number[];
  split: Split;
  hyperparameters: Hyperparameters;
  /** Trades time for memory: see `checkpoint` in engine/tape.ts. The result is the same, bit for bit. */
  gradientCheckpointing?: boolean;
  /** A checkpoint event comes after every so many steps, besides those after each epoch. */
  checkpointSteps?: number;
  /** The run's name; `runName(method)` unless given. */
  run?: string;
}

/**
 * Trains a method and evaluates after every epoch; the epoch with the best macro F1 (the earlier on a tie)
 * is tested and its weights returned. The same options on the same adapter give the same bits, and so do those
 * and a state `from` which an earlier run of them is to go on. Throws DeviceError where the GPU fails, and a
 * UserError where the loss is no number.
 */
export async function* train(
  options: TrainOptions,
  from?: TrainState,
): AsyncGenerator<TrainingEvent, void> {
  const { device, method, hyperparameters } = options;
  device.trim();
  device.memory.resetPeak();
  const { tunedPlans } = device;
  const built = await createModel(device, {
    ...options,
    classes: options.labels.length,
    seed: hyperparameters.seed,
    frozenDtype: hyperparameters.frozenDtype,
  });
  let run: Run | undefined;
  try {
    run = new Run(options, built);
    const warnings = [...run.warnings(), ...from ? run.restore(from) : []];
    yield {
      type: "start",
      run: run.name,
      method,
      trainableParameters: run.counts.trainable,
      totalParameters: run.counts.total,
      stepsPerEpoch: run.stepsPerEpoch,
      totalSteps: run.totalSteps,
      warnings,
    };
    yield* run.events();
  } finally {
    device.launcher.submit(); // what was recorded may read what is destroyed now
    run?.destroy();
    built.destroy();
    device.tunedPlans = tunedPlans;
  }
}

/** The best epoch so far, from 1, and a copy of its weights on the GPU. */
interface Best {
  epoch: number;
  metrics: Metrics;
  copy: Tensor[];
}

/** A run while it trains. */
class Run {
  readonly name: string;
  readonly counts: { trainable: number; total: number };
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly #schedule: { warmupSteps: number; totalSteps: number };
  readonly #sentencesPerStep: number;
  readonly #options: TrainOptions;
  readonly #training: Training;
  readonly #encode: (example: Example) => EncodedExample;
  readonly #evaluations: Metrics[] = [];
  #progress: Progress;
  #epoch = 0;
  #stepsOfEpoch = 0;
  #best?: Best;
  /** Seconds and memory of the run before it was stopped. */
  #before = { totalSeconds: 0, peakGpuBytes: 0 };
  readonly #started = performance.now();

  constructor(options: TrainOptions, built: MethodModel) {
    const { device, config, method, labels, hyperparameters, split } = options;
    const { weightDecay, maxGradNorm, learningRate, epochs } = hyperparameters;
    this.#options = options;
    this.name = options.run ?? runName(method);
    this.counts = countParameters(config, method, labels.length);
    this.#sentencesPerStep = hyperparameters.batchSize * hyperparameters.gradientAccumulationSteps;
    this.stepsPerEpoch = Math.ceil(split.train.length / this.#sentencesPerStep);
    this.totalSteps = this.stepsPerEpoch * epochs;
    const { totalSteps } = this;
    this.#schedule = { warmupSteps: warmupStepsOf(hyperparameters, totalSteps), totalSteps };
    this.#encode = encoder(options.encode);
    built.model.gradientCheckpointing = options.gradientCheckpointing ?? false;
    const make = () => new AdamW(built.parameters, { weightDecay, maxGradNorm });
    this.#training = { device, built, optimizer: device.memory.allOrNothing(make) };
    this.#progress = new Progress({ totalSteps, learningRate });
  }

  /** Steps and evaluations from where the run stands to its end, and the result. */
  async *events(): AsyncGenerator<TrainingEvent, void> {
    const { hyperparameters, split, labels } = this.#options;
    const { epochs, batchSize } = hyperparameters;
    const { device, built } = this.#training;
    while (this.#epoch < epochs) {
      yield* this.#steps();
      const examples = split.validation.map(this.#encode);
      const metrics = await evaluate(device, built, examples, { labels, batchSize });
      yield this.#evaluated(metrics);
      this.#epoch++;
      this.#stepsOfEpoch = 0;
      yield this.#checkpoint();
    }
    if (!this.#best) throw new Error("No epoch was trained: epochs must be 1 or more.");
    const { epoch, copy } = this.#best;
    built.parameters.restore(copy);
    const examples = split.test.map(this.#encode);
    const metrics = await evaluate(device, built, examples, { labels, batchSize });
    yield { type: "evaluation", split: "test", epoch, metrics, best: true };
    yield { type: "done", result: await this.#result(epoch, metrics) };
  }

  /** The epoch's steps that are left. */
  async *#steps(): AsyncGenerator<TrainingEvent, void> {
    const { hyperparameters, split: { train }, checkpointSteps } = this.#options;
    const { seed, learningRate, scheduler } = hyperparameters;
    const { optimizer } = this.#training;
    const progress = this.#progress;
    const order = { seed, epoch: this.#epoch, batchSize: this.#sentencesPerStep };
    progress.resume();
    for (const indices of epochBatches(train.length, order).slice(this.#stepsOfEpoch)) {
      const batch = indices.map((index) => this.#encode(train[index]));
      const { step } = progress;
      const tokens = computeGradients(this.#training, batch, { ...hyperparameters, step });
      applyUpdate(this.#training, learningRate * scheduleFactor(scheduler, step, this.#schedule));
      progress.made(this.#epoch, tokens);
      this.#stepsOfEpoch++;
      const checkpoint = checkpointSteps !== undefined && (step + 1) % checkpointSteps === 0;
      if (progress.readIsDue || checkpoint) yield* progress.read(optimizer);
      if (!checkpoint) continue;
      progress.pause(); // what the consumer does meanwhile is no training
      yield this.#checkpoint();
      progress.resume();
    }
    yield* progress.read(optimizer);
    progress.pause();
  }

  /** A moment at which no step is unread, so that the run can be captured. */
  #checkpoint(): TrainingEvent {
    const { step } = this.#progress;
    return { type: "checkpoint", step, capture: () => this.#capture() };
  }

  #evaluated(metrics: Metrics): TrainingEvent {
    this.#evaluations.push(metrics);
    const epoch = this.#epoch + 1;
    const best = !this.#best || metrics.macroF1 > this.#best.metrics.macroF1;
    if (best) {
      const copy = this.#training.built.parameters.snapshot(this.#best?.copy);
      this.#best = { epoch, metrics, copy };
    }
    return { type: "evaluation", split: "validation", epoch, metrics, best };
  }

  /** What the whole run took, with what came before it was stopped. */
  #cost(): { totalSeconds: number; peakGpuBytes: number } {
    const { totalSeconds, peakGpuBytes } = this.#before;
    return {
      totalSeconds: totalSeconds + (performance.now() - this.#started) / 1000,
      peakGpuBytes: Math.max(peakGpuBytes, this.#training.device.memory.peakBytes),
    };
  }

  async #result(bestEpoch: number, test: Metrics): Promise<TrainingResult> {
    const { built: { parameters, specs } } = this.#training;
    return {
      run: this.name,
      method: this.#options.method,
      trainableParameters: this.counts.trainable,
      totalParameters: this.counts.total,
      bestEpoch,
      validation: this.#evaluations,
      test,
      totalSteps: this.totalSteps,
      trainingSeconds: this.#progress.seconds,
      ...this.#cost(),
      tokensPerSecond: this.#progress.tokensPerSecond,
      weights: await readWeights(parameters, specs),
    };
  }

  /** All that the run is now. Waits for the GPU; to be called at a checkpoint. */
  async #capture(): Promise<TrainState> {
    const { built: { parameters, specs }, device, optimizer } = this.#training;
    const weights = await readWeights(parameters, specs);
    const { step, tokens, seconds } = this.#progress;
    const best = this.#best && {
      epoch: this.#best.epoch,
      metrics: this.#best.metrics,
      weights: await readWeights(parameters, specs, this.#best.copy),
    };
    return {
      of: this.#identity,
      step,
      epoch: this.#epoch,
      stepsOfEpoch: this.#stepsOfEpoch,
      weights,
      optimizer: await optimizer.capture(),
      ...(best && { best }),
      evaluations: [...this.#evaluations],
      tokens,
      seconds,
      ...this.#cost(),
      kernels: captureKernels(device),
    };
  }

  /** Goes on from a state; returns warnings for the reader. Throws where it is another run's. */
  restore(state: TrainState): string[] {
    const { device, built: { parameters, specs }, optimizer } = this.#training;
    const { learningRate } = this.#options.hyperparameters;
    checkIdentity(state, this.#identity);
    if (state.best) {
      writeWeights(parameters, specs, state.best.weights);
      const { epoch, metrics } = state.best;
      this.#best = { epoch, metrics, copy: parameters.snapshot() };
    }
    writeWeights(parameters, specs, state.weights);
    optimizer.restore(state.optimizer);
    this.#epoch = state.epoch;
    this.#stepsOfEpoch = state.stepsOfEpoch;
    this.#evaluations.push(...state.evaluations);
    this.#progress = new Progress({ totalSteps: this.totalSteps, learningRate }, state);
    this.#before = state;
    return restoreKernels(device, state.kernels);
  }

  warnings(): string[] {
    const { scheduler } = this.#options.hyperparameters;
    const { warmupSteps, totalSteps } = this.#schedule;
    if (totalSteps > warmupSteps || scheduler === "constant") return [];
    return [
      `All ${totalSteps} steps lie within the warm-up of ${warmupSteps}: the learning rate ` +
      `never reaches its value. Have fewer warm-up steps, or train longer.`,
    ];
  }

  /** Frees what the run has beside the model. */
  destroy(): void {
    const { device, optimizer } = this.#training;
    this.#best?.copy.forEach(({ storage }) => device.memory.destroy(storage));
    optimizer.destroy();
  }

  get #identity(): RunIdentity {
    const { method, config, labels, split, hyperparameters } = this.#options;
    return { method, model: config, labels, examples: split.train.length, hyperparameters };
  }
}

/** A run: what it needs, its steps and evaluations one after another, and its state. */
import type { Device } from "../../engine/device.ts";
import { AdamW } from "../../engine/optimizer.ts";
import { scheduleFactor } from "../../engine/schedule.ts";
import type { Example } from "../data/clean.ts";
import type { Split } from "../data/split.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import type { MethodModel } from "../model.ts";
import { countParameters, type Method, runName } from "../peft/methods.ts";
import { epochBatches } from "./batches.ts";
import {
  type EncodedExample,
  encoder,
  metricsOf,
  predict,
  predictionsOf,
  predictUnless,
} from "./evaluate.ts";
import type { Hyperparameters, Prediction, TrainingEvent, TrainingResult } from "./events.ts";
import { type Length, lengthOf, lengthWarnings } from "./length.ts";
import type { Metrics } from "./metrics.ts";
import { objectiveOf } from "./objective.ts";
import { Progress } from "./progress.ts";
import { alone, anyOf, type Ranks } from "./ranks.ts";
import { Reduction } from "./reduction.ts";
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
import { Validation } from "./validation.ts";

export interface RunOptions {
  device: Device;
  config: EncoderConfig;
  method: Method;
  labels: string[];
  /** Token ids of a text, special ones included, cut to the hyperparameters' `maxLength`. */
  encode: (text: string) => number[];
  split: Split;
  hyperparameters: Hyperparameters;
  /** Trades time for memory: see `checkpoint` in engine/tape.ts. The result is the same, bit for bit. */
  gradientCheckpointing?: boolean;
  /** A checkpoint event comes after every so many steps, besides those after each evaluation. */
  checkpointSteps?: number;
  /**
   * Asked after each step, and before each batch of an evaluation. Where it says so, a checkpoint event comes, to
   * stop at: after the step, or, where an evaluation is given up for it, of the run as it was before that. A
   * consumer that goes on instead gets the rest of the run, with that evaluation made whole.
   */
  stopRequested?: () => boolean;
  /** The run's name; `runName(method)` unless given. */
  run?: string;
  /**
   * The processes that train the run together, each with the same options: its steps and results are those of one
   * process but for rounding. One process alone unless given.
   */
  ranks?: Ranks;
}

/** What runs were of before there was a choice. */
const beforeChoice = { computeDtype: "f32" } as const;

/** What a model makes of a part of the data. */
interface Evaluated {
  metrics: Metrics;
  predictions(): Prediction[];
}

/** A run while it trains: from {@link Run.events} comes all that it yields but its start. */
export class Run {
  readonly name: string;
  readonly counts: { trainable: number; total: number };
  readonly length: Length;
  readonly #options: RunOptions;
  readonly #training: Training;
  readonly #ranks: Ranks;
  readonly #reduction: Reduction;
  readonly #encode: (example: Example) => EncodedExample;
  readonly #validation: Validation;
  #progress: Progress;
  #epoch = 0;
  #stepsOfEpoch = 0;
  /** Seconds and memory of the run before it was stopped. */
  #before = { totalSeconds: 0, peakGpuBytes: 0 };
  readonly #started = performance.now();

  constructor(options: RunOptions, built: MethodModel) {
    const { device, config, method, labels, hyperparameters, split } = options;
    const { weightDecay, maxGradNorm, learningRate } = hyperparameters;
    this.#options = options;
    this.name = options.run ?? runName(method);
    this.counts = countParameters(config, method, labels.length);
    this.length = lengthOf(hyperparameters, split.train.length);
    const { totalSteps } = this.length;
    this.#encode = encoder(options.encode);
    built.model.gradientCheckpointing = options.gradientCheckpointing ?? false;
    this.#training = device.memory.allOrNothing(() => ({
      device,
      built,
      optimizer: new AdamW(built.parameters, { weightDecay, maxGradNorm }),
      objective: objectiveOf(device, hyperparameters, labels, split.train),
    }));
    this.#ranks = options.ranks ?? alone;
    this.#reduction = new Reduction(this.#training, this.#ranks);
    this.#validation = new Validation(built, this.length, hyperparameters.earlyStoppingPatience);
    this.#progress = new Progress({ totalSteps, learningRate });
  }

  /** Steps and evaluations from where the run stands to its end, and the result. */
  async *events(): AsyncGenerator<TrainingEvent, void> {
    const { split } = this.#options;
    const validation = this.#validation;
    for (let next = validation.nextStep; next !== undefined; next = validation.nextStep) {
      yield* this.#steps(next);
      await this.#reduction.align();
      const { metrics } = yield* this.#evaluate(split.validation);
      yield { type: "evaluation", split: "validation", metrics, ...validation.add(metrics) };
      this.#leaveEpoch();
      yield this.#checkpoint(false);
    }
    validation.restoreBest();
    const started = performance.now();
    const { metrics, predictions } = yield* this.#evaluate(split.test);
    const testSeconds = (performance.now() - started) / 1000;
    yield { type: "evaluation", split: "test", metrics, ...validation.best, best: true };
    const test = { test: metrics, predictions: predictions(), testSeconds };
    yield { type: "done", result: await this.#result(test) };
  }

  /** What the weights as they are make of a part, or a checkpoint first where a stop is requested meanwhile. */
  async *#evaluate(part: readonly Example[]): AsyncGenerator<TrainingEvent, Evaluated> {
    const { hyperparameters, labels, stopRequested } = this.#options;
    const { batchSize, learningRate } = hyperparameters;
    const { device, built } = this.#training;
    const examples = part.map(this.#encode);
    const sizes = { classes: labels.length, batchSize, ranks: this.#ranks };
    let logits = await predictUnless(stopRequested, device, built, examples, sizes);
    if (!logits) {
      yield this.#checkpoint(true);
      logits = await predict(device, built, examples, sizes);
    }
    const scores = logits;
    return {
      metrics: metricsOf(scores, examples, labels, learningRate),
      predictions: () => predictionsOf(scores, examples, labels.length),
    };
  }

  /** The steps up to a number of them, from where the run stands. */
  async *#steps(until: number): AsyncGenerator<TrainingEvent, void> {
    const { hyperparameters, split: { train }, checkpointSteps, stopRequested } = this.#options;
    const { learningRate, scheduler } = hyperparameters;
    const { optimizer } = this.#training;
    const progress = this.#progress;
    progress.resume();
    let batches = this.#batches();
    while (progress.step < until) {
      if (this.#leaveEpoch()) batches = this.#batches();
      const drawn = batches[this.#stepsOfEpoch].map((index) => ({ index, example: train[index] }));
      const batch = drawn.map(({ example }) => this.#encode(example));
      const { step } = progress;
      const options = { ...hyperparameters, step, ranks: this.#ranks };
      const tokens = computeGradients(this.#training, batch, options);
      await this.#reduction.gradients();
      applyUpdate(this.#training, learningRate * scheduleFactor(scheduler, step, this.length));
      progress.made(this.#epoch, tokens, drawn);
      this.#stepsOfEpoch++;
      // All read at once, so that a loss which is no number ends all at the same step.
      const wishes = [progress.readIsDue, stopRequested?.() ?? false];
      const [readIsDue, stop] = await anyOf(this.#ranks, ...wishes);
      if (readIsDue) yield* progress.read(optimizer);
      const due = checkpointSteps !== undefined && (step + 1) % checkpointSteps === 0;
      if (!due && !stop) continue;
      yield* progress.read(optimizer);
      progress.pause(); // what the consumer does meanwhile is no training
      yield this.#checkpoint(stop);
      progress.resume();
    }
    yield* progress.read(optimizer);
    progress.pause();
  }

  /** The sentences of the epoch's steps. */
  #batches(): number[][] {
    const { hyperparameters: { seed }, split: { train } } = this.#options;
    const order = { seed, epoch: this.#epoch, batchSize: this.length.sentencesPerStep };
    return epochBatches(train.length, order);
  }

  /** Goes on to the next epoch where all steps of this one were made. */
  #leaveEpoch(): boolean {
    if (this.#stepsOfEpoch < this.length.stepsPerEpoch) return false;
    this.#epoch++;
    this.#stepsOfEpoch = 0;
    return true;
  }

  /** A moment at which no step is unread, so that the run can be captured. */
  #checkpoint(stopRequested: boolean): TrainingEvent {
    const { step } = this.#progress;
    return { type: "checkpoint", step, stopRequested, capture: () => this.#capture() };
  }

  /** What the whole run took, with what came before it was stopped. */
  #cost(): { totalSeconds: number; peakGpuBytes: number } {
    const { totalSeconds, peakGpuBytes } = this.#before;
    return {
      totalSeconds: totalSeconds + (performance.now() - this.#started) / 1000,
      peakGpuBytes: Math.max(peakGpuBytes, this.#training.device.memory.peakBytes),
    };
  }

  async #result(
    test: Pick<TrainingResult, "test" | "predictions" | "testSeconds">,
  ): Promise<TrainingResult> {
    const { built: { parameters, specs } } = this.#training;
    const { step: bestStep, epoch: bestEpoch } = this.#validation.best;
    const { step: totalSteps } = this.#progress;
    return {
      run: this.name,
      method: this.#options.method,
      trainableParameters: this.counts.trainable,
      totalParameters: this.counts.total,
      bestStep,
      bestEpoch,
      validation: this.#validation.metrics,
      validationSteps: this.#validation.steps,
      ...test,
      totalSteps,
      stoppedEarly: totalSteps < this.length.totalSteps,
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
    return {
      of: this.#identity,
      step,
      epoch: this.#epoch,
      stepsOfEpoch: this.#stepsOfEpoch,
      weights,
      optimizer: await optimizer.capture(),
      ...await this.#validation.capture(),
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
    const { of } = state;
    const hyperparameters = { ...beforeChoice, ...of.hyperparameters };
    checkIdentity({ of: { ...of, hyperparameters } }, this.#identity);
    this.#validation.restore(state);
    writeWeights(parameters, specs, state.weights);
    optimizer.restore(state.optimizer);
    this.#epoch = state.epoch;
    this.#stepsOfEpoch = state.stepsOfEpoch;
    this.#progress = new Progress({ totalSteps: this.length.totalSteps, learningRate }, state);
    this.#before = state;
    return restoreKernels(device, state.kernels);
  }

  warnings(): string[] {
    return lengthWarnings(this.#options.hyperparameters, this.length);
  }

  /** Frees what the run has beside the model. */
  destroy(): void {
    this.#validation.destroy();
    this.#training.objective?.destroy();
    this.#training.optimizer.destroy();
    this.#reduction.destroy();
  }

  get #identity(): RunIdentity {
    const { method, config, labels, split, hyperparameters } = this.#options;
    return { method, model: config, labels, examples: split.train.length, hyperparameters };
  }
}

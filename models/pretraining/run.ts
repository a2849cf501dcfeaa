/** A pretraining, as a stream of events: steps, measurements on held-out sentences, checkpoints, the result. */
import type { Device } from "../../engine/device.ts";
import { AdamW, setOrAdd } from "../../engine/optimizer.ts";
import { add } from "../../engine/ops/mod.ts";
import { scheduleFactor } from "../../engine/schedule.ts";
import { sizeOf } from "../../engine/shape.ts";
import { noGrad, withTape } from "../../engine/tape.ts";
import { persistent, type Tensor } from "../../engine/tensor.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import { chunks, epochBatches } from "../training/batches.ts";
import { epochOf, type Length, lengthOf } from "../training/length.ts";
import { Progress } from "../training/progress.ts";
import {
  captureKernels,
  checkIdentity,
  readWeights,
  restoreKernels,
  writeWeights,
} from "../training/state.ts";
import type {
  PretrainEvaluation,
  PretrainEvent,
  PretrainIdentity,
  PretrainResult,
  PretrainSettings,
  PretrainState,
} from "./events.ts";
import type { Objective } from "./objective.ts";
import { holdOut } from "./split.ts";
import { createStudent, type Student } from "./student.ts";

export interface PretrainOptions {
  device: Device;
  config: EncoderConfig;
  objective: Objective;
  settings: PretrainSettings;
  /** The sentences' texts, for the error of a step that fails; and their hash, by which a state knows them. */
  texts: readonly string[];
  hash: string;
  /** A checkpoint event comes after every so many steps, besides those after each epoch. */
  checkpointSteps?: number;
  /** Asked after each step; where it says so, a checkpoint event comes, to stop at. */
  stopRequested?: () => boolean;
}

/** Streams of random numbers for measurements, beyond those of any step. */
const measuringStream = 2 ** 40;

class PretrainRun {
  readonly length: Length;
  readonly train: number[];
  readonly heldOut: number[];
  readonly #options: PretrainOptions;
  readonly #student: Student;
  readonly #optimizer: AdamW;
  readonly #evaluations: PretrainEvaluation[] = [];
  #progress: Progress;
  #before = { totalSeconds: 0, peakGpuBytes: 0 };
  readonly #started = performance.now();

  constructor(options: PretrainOptions, student: Student) {
    const { device, objective, settings } = options;
    const { learningRate, weightDecay, maxGradNorm } = settings;
    this.#options = options;
    this.#student = student;
    ({ train: this.train, heldOut: this.heldOut } = holdOut(
      objective.sentences.length,
      settings.seed,
    ));
    this.length = lengthOf(
      { ...settings, gradientAccumulationSteps: 1, warmupSteps: 0 },
      this.train.length,
    );
    this.#optimizer = device.memory.allOrNothing(() =>
      new AdamW(student.parameters, { weightDecay, maxGradNorm })
    );
    this.#progress = new Progress({ totalSteps: this.length.totalSteps, learningRate });
  }

  async *events(): AsyncGenerator<PretrainEvent, void> {
    const { checkpointSteps, stopRequested, settings } = this.#options;
    const { stepsPerEpoch, totalSteps } = this.length;
    const progress = this.#progress;
    progress.resume();
    let epoch = -1;
    let batches: number[][] = [];
    while (progress.step < totalSteps) {
      const { step } = progress;
      if (epoch !== Math.floor(step / stepsPerEpoch)) {
        epoch = Math.floor(step / stepsPerEpoch);
        batches = epochBatches(this.train.length, { ...settings, epoch });
      }
      const numbers = batches[step % stepsPerEpoch].map((index) => this.train[index]);
      progress.made(epoch, this.#step(numbers, step), this.#drawn(numbers));
      if (progress.readIsDue) yield* progress.read(this.#optimizer);
      const measured = (step + 1) % stepsPerEpoch === 0 || step + 1 === totalSteps;
      const due = checkpointSteps !== undefined && (step + 1) % checkpointSteps === 0;
      if (!measured && !due && !stopRequested?.()) continue;
      yield* progress.read(this.#optimizer);
      progress.pause(); // neither measuring nor what the consumer does is training
      if (measured) yield await this.#measure();
      yield { type: "checkpoint", step: progress.step, capture: () => this.#capture() };
      progress.resume();
    }
    yield { type: "done", result: await this.#result() };
  }

  /** A step's gradients and update, recorded; returns its tokens. */
  #step(numbers: readonly number[], step: number): number {
    const { device, objective, settings: { seed, learningRate } } = this.#options;
    const { model, parameters, prepare, limits } = this.#student;
    model.training = objective.dropout;
    device.beginStep(seed, step);
    const prepared = prepare(numbers, { device, limits, seed, stream: step });
    device.launcher.repeat(model, prepared.key, () => {
      parameters.zeroGradients();
      const { output, backward } = withTape(() =>
        prepared.losses(model.encode(prepared.packed)).reduce((sum, loss) => add(sum, loss))
      );
      backward();
      setOrAdd(this.#optimizer.loss, output, true);
    });
    this.#optimizer.update(learningRate * scheduleFactor("linear", step, this.length));
    device.endStep();
    return prepared.packed.tokens;
  }

  #drawn(numbers: readonly number[]) {
    const { texts } = this.#options;
    return numbers.map((number) => ({
      index: number,
      example: { text: texts[number], label: 0 },
    }));
  }

  /** The scores on the held-out sentences, dropout off. Waits for the GPU. */
  async #measure(): Promise<PretrainEvent> {
    const { device, objective, settings: { seed, batchSize } } = this.#options;
    const { model, prepare, limits } = this.#student;
    const { scores } = objective;
    const batches = chunks(this.heldOut, batchSize);
    const all = persistent(device, [batches.length, scores.length], undefined, "held-out losses");
    const counts: number[] = [];
    try {
      model.training = false;
      for (const [index, numbers] of batches.entries()) {
        device.beginStep(0, 0);
        noGrad(() => {
          const stream = measuringStream + index; // the same masks at every measurement
          const prepared = prepare(numbers, { device, limits, seed, stream });
          prepared.losses(model.encode(prepared.packed)).forEach((loss, i) =>
            copyValue(loss, all, index * scores.length + i)
          );
          counts.push(prepared.count);
        });
        device.endStep();
      }
      const values = await all.read();
      const total = counts.reduce((sum, count) => sum + count, 0);
      const told = scores.map(({ name, from }, i) => {
        const sum = counts.reduce(
          (sum, count, index) => sum + count * values[index * scores.length + i],
          0,
        );
        return [name, from(sum / total)];
      });
      const { step } = this.#progress;
      const evaluation = {
        step,
        epoch: epochOf(this.length, step),
        scores: Object.fromEntries(told),
      };
      this.#evaluations.push(evaluation);
      return { type: "evaluation", ...evaluation };
    } finally {
      device.memory.destroy(all.storage);
    }
  }

  #cost(): { totalSeconds: number; peakGpuBytes: number } {
    const { totalSeconds, peakGpuBytes } = this.#before;
    return {
      totalSeconds: totalSeconds + (performance.now() - this.#started) / 1000,
      peakGpuBytes: Math.max(peakGpuBytes, this.#options.device.memory.peakBytes),
    };
  }

  async #result(): Promise<PretrainResult> {
    const { parameters, specs } = this.#student;
    const { keepsHead } = this.#options.objective;
    const kept = specs.filter(({ role }) => keepsHead || role !== "head");
    const { step, tokens, seconds } = this.#progress;
    return {
      evaluations: this.#evaluations,
      totalSteps: step,
      tokens,
      trainingSeconds: seconds,
      totalSeconds: this.#cost().totalSeconds,
      weights: await readWeights(parameters, kept),
    };
  }

  async #capture(): Promise<PretrainState> {
    const { parameters, specs } = this.#student;
    const { step, tokens, seconds } = this.#progress;
    const { stepsPerEpoch } = this.length;
    return {
      of: this.#identity,
      step,
      epoch: Math.floor(step / stepsPerEpoch),
      stepsOfEpoch: step % stepsPerEpoch,
      weights: await readWeights(parameters, specs),
      optimizer: await this.#optimizer.capture(),
      evaluations: [...this.#evaluations],
      tokens,
      seconds,
      ...this.#cost(),
      kernels: captureKernels(this.#options.device),
    };
  }

  /** Goes on from a state; returns warnings for the reader. Throws where it is another run's. */
  restore(state: PretrainState): string[] {
    const { device, settings: { learningRate } } = this.#options;
    checkIdentity(state, this.#identity);
    writeWeights(this.#student.parameters, this.#student.specs, state.weights);
    this.#optimizer.restore(state.optimizer);
    this.#evaluations.push(...state.evaluations);
    this.#progress = new Progress({ totalSteps: this.length.totalSteps, learningRate }, state);
    this.#before = state;
    return restoreKernels(device, state.kernels);
  }

  destroy(): void {
    this.#optimizer.destroy();
  }

  get #identity(): PretrainIdentity {
    const { objective, config, hash, settings } = this.#options;
    const { name, sentences } = objective;
    return { objective: name, model: config, sentences: sentences.length, hash, settings };
  }
}

/** Copies a single value to a place in another tensor. */
function copyValue(value: Tensor, to: Tensor, place: number): void {
  value.device.launcher.record((encoder) =>
    encoder.copyBufferToBuffer(
      value.storage.buffer,
      value.offset,
      to.storage.buffer,
      to.offset + place * 4,
      4,
    )
  );
}

/**
 * Trains a BERT from scratch and measures it on held-out sentences after each epoch and after the last step. The same
 * options on the same adapter give the same bits, and so do those and a state `from` which an earlier run of them is to
 * go on. Throws DeviceError where the GPU fails, and a UserError where the loss is no number.
 */
export async function* pretrain(
  options: PretrainOptions,
  from?: PretrainState,
): AsyncGenerator<PretrainEvent, void> {
  const { device, config, objective, settings } = options;
  device.trim();
  device.memory.resetPeak();
  const { tunedPlans } = device;
  const student = await createStudent(device, config, objective, settings.seed);
  let run: PretrainRun | undefined;
  try {
    run = new PretrainRun(options, student);
    const warnings = from ? run.restore(from) : [];
    const { stepsPerEpoch, totalSteps } = run.length;
    yield {
      type: "start",
      parameters: student.specs.filter(({ role }) => role !== "head")
        .reduce((sum, { shape }) => sum + sizeOf(shape), 0),
      train: run.train.length,
      heldOut: run.heldOut.length,
      stepsPerEpoch,
      totalSteps,
      warnings,
    };
    yield* run.events();
  } finally {
    device.launcher.submit(); // what was recorded may read what is destroyed now
    run?.destroy();
    student.destroy();
    device.tunedPlans = tunedPlans;
  }
}

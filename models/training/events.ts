/**
 * What a training run tells the world. The trainer yields these; the terminal, the reports and any
 * page that draws curves only consume them.
 */
import type { Dtype } from "../../engine/pack.ts";
import type { MatmulPrecision } from "../../engine/precision.ts";
import type { Scheduler } from "../../engine/schedule.ts";
import type { NamedTensors } from "../files/run_file.ts";
import type { Method } from "../peft/methods.ts";
import type { Metrics } from "./metrics.ts";
import type { TrainState } from "./state.ts";

/** Everything that is the same for every method of a comparison (DESIGN: one object). */
export interface Hyperparameters {
  learningRate: number;
  batchSize: number;
  /** Batches whose gradients an optimiser step takes; the last step of an epoch may have fewer. */
  gradientAccumulationSteps: number;
  epochs: number;
  /** How the learning rate moves: see engine/schedule.ts. */
  scheduler: Scheduler;
  warmupSteps: number;
  /** Where given, the warm-up is this share of all steps, rounded up, and `warmupSteps` does not count. */
  warmupRatio?: number;
  weightDecay: number;
  maxLength: number;
  /** Gradients of a larger norm are scaled down to it; 0 leaves all as they are. */
  maxGradNorm: number;
  seed: number;
  /** How the weights of frozen linear layers lie on the GPU: f32, or rounded to 16 bits. */
  frozenDtype: Dtype;
  /** How operands enter matrix products; the device that trains was made for it. */
  matmulPrecision: MatmulPrecision;
}

/** The original's values. `maxGradNorm` is the HF Trainer's default. */
export const defaultHyperparameters: Hyperparameters = {
  learningRate: 2e-5,
  batchSize: 16,
  gradientAccumulationSteps: 1,
  epochs: 5,
  scheduler: "linear",
  warmupSteps: 100,
  weightDecay: 0.01,
  maxLength: 512,
  maxGradNorm: 1,
  seed: 42,
  frozenDtype: "f32",
  matmulPrecision: "f32",
};

/** Steps of the warm-up in a run of so many. */
export function warmupStepsOf(
  { warmupRatio, warmupSteps }: Pick<Hyperparameters, "warmupRatio" | "warmupSteps">,
  totalSteps: number,
): number {
  return warmupRatio === undefined ? warmupSteps : Math.ceil(warmupRatio * totalSteps);
}

export interface StartEvent {
  type: "start";
  run: string;
  method: Method;
  trainableParameters: number;
  totalParameters: number;
  stepsPerEpoch: number;
  totalSteps: number;
  /** Sentences for the reader, e.g. that all steps together do not exceed the warm-up. */
  warnings: string[];
}

/** One optimiser step. Comes in bursts: losses are read back from the GPU every few steps. */
export interface StepEvent {
  type: "step";
  /** From 1 to totalSteps. */
  step: number;
  /** From 1 to epochs. */
  epoch: number;
  /** Mean over the step's sentences. */
  loss: number;
  /** Global norm before clipping. */
  gradientNorm: number;
  learningRate: number;
  /** Real tokens (no padding) of the step's sentences. */
  tokens: number;
  /** Real tokens a second since training started, evaluation not counted. */
  tokensPerSecond: number;
}

export interface EvaluationEvent {
  type: "evaluation";
  split: "validation" | "test";
  /** The epoch whose weights were evaluated, from 1. */
  epoch: number;
  metrics: Metrics;
  /** Whether this is the best macro F1 so far (the earlier epoch wins a tie). */
  best: boolean;
}

/** A moment at which all that the run is can be captured, to go on from it later. */
export interface CheckpointEvent {
  type: "checkpoint";
  /** Steps that were made. */
  step: number;
  /** Reads the state back; to be called before the next event is asked for. Costs as much as its bytes. */
  capture(): Promise<TrainState>;
}

export interface DoneEvent {
  type: "done";
  result: TrainingResult;
}

export type TrainingEvent = StartEvent | StepEvent | CheckpointEvent | EvaluationEvent | DoneEvent;

export interface TrainingResult {
  run: string;
  method: Method;
  trainableParameters: number;
  totalParameters: number;
  /** The epoch, from 1, whose weights were tested and are returned. */
  bestEpoch: number;
  /** Validation metrics after each epoch. */
  validation: Metrics[];
  test: Metrics;
  totalSteps: number;
  /** Seconds of training steps, evaluation not counted. */
  trainingSeconds: number;
  /** Seconds from the first step to the end, evaluation included. */
  totalSeconds: number;
  tokensPerSecond: number;
  peakGpuBytes: number;
  /** The best epoch's trainable tensors, by name, in the order of `methodParameters`. */
  weights: NamedTensors;
}

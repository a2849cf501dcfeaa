/**
 * What a training run tells the world. The trainer yields these; the terminal, the reports and any
 * page that draws curves only consume them.
 */
import type { Dtype } from "../../engine/pack.ts";
import type { ComputeDtype, MatmulPrecision } from "../../engine/precision.ts";
import type { Scheduler } from "../../engine/schedule.ts";
import type { NamedTensors } from "../files/run_file.ts";
import type { Method } from "../peft/methods.ts";
import type { ClassWeights } from "./class_weights.ts";
import type { Metrics } from "./metrics.ts";
import type { TrainState } from "./state.ts";

/** Everything that is the same for every method of a comparison (DESIGN: one object). */
export interface Hyperparameters {
  learningRate: number;
  batchSize: number;
  /** Batches whose gradients an optimiser step takes; the last step of an epoch may have fewer. */
  gradientAccumulationSteps: number;
  epochs: number;
  /** Where given, the run has so many steps, over as many epochs as that takes, and `epochs` does not count. */
  maxSteps?: number;
  /** Validation comes after every so many steps and after the last one, and where not given, after each epoch. */
  evalSteps?: number;
  /**
   * Where given, the run ends after so many evaluations in a row with no better macro F1 than the best, as with
   * transformers' EarlyStoppingCallback at threshold 0.
   */
  earlyStoppingPatience?: number;
  /**
   * The share of each label that is spread over all classes in training, 0 unless given: torch's `label_smoothing`.
   * Validation and test tell the plain cross-entropy all the same, so that runs can be compared; the HF Trainer's
   * evaluation smooths it too.
   */
  labelSmoothing?: number;
  /**
   * What each class counts in training's loss, as torch's CrossEntropyLoss has it: a step's loss is the mean of its
   * sentences by these weights. Validation and test tell the plain cross-entropy.
   */
  classWeights?: ClassWeights;
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
  /** How activations and their gradients lie on the GPU; the device that trains was made for it. */
  computeDtype: ComputeDtype;
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
  computeDtype: "f32",
};

export interface StartEvent {
  type: "start";
  run: string;
  method: Method;
  trainableParameters: number;
  totalParameters: number;
  stepsPerEpoch: number;
  /** Of the whole run, unless it ends early. */
  totalSteps: number;
  /** Sentences for the reader, e.g. that all steps together do not exceed the warm-up. */
  warnings: string[];
}

/** One optimiser step. Comes in bursts: losses are read back from the GPU every few steps. */
export interface StepEvent {
  type: "step";
  /** From 1 to totalSteps. */
  step: number;
  /** From 1. */
  epoch: number;
  /** Mean over the step's sentences, smoothed and weighted as the hyperparameters say. */
  loss: number;
  /** Global norm before clipping; 0 of a step that was skipped. */
  gradientNorm: number;
  learningRate: number;
  /** Real tokens (no padding) of the step's sentences. */
  tokens: number;
  /** Real tokens a second since training started, evaluation not counted. */
  tokensPerSecond: number;
  /** Whether the update was left out, since gradients of the scaled loss were beyond f16's range. */
  skipped?: boolean;
}

export interface EvaluationEvent {
  type: "evaluation";
  split: "validation" | "test";
  /** The step whose weights were evaluated, from 1, and the epoch in which it lies, from 1. */
  step: number;
  epoch: number;
  metrics: Metrics;
  /** Whether this is the best macro F1 so far (the earlier one wins a tie). */
  best: boolean;
}

/** A moment at which all that the run is can be captured, to go on from it later. */
export interface CheckpointEvent {
  type: "checkpoint";
  /** Steps that were made. */
  step: number;
  /** Whether it comes because this process, or another rank, is to stop. */
  stopRequested: boolean;
  /** Reads the state back; to be called before the next event is asked for. Costs as much as its bytes. */
  capture(): Promise<TrainState>;
}

export interface DoneEvent {
  type: "done";
  result: TrainingResult;
}

export type TrainingEvent = StartEvent | StepEvent | CheckpointEvent | EvaluationEvent | DoneEvent;

/** What a model makes of a labelled example. */
export interface Prediction {
  /** Index of the class with the highest score. */
  predicted: number;
  /** The probabilities of the example's own class and of the predicted one. */
  probability: number;
  confidence: number;
}

export interface TrainingResult {
  run: string;
  method: Method;
  trainableParameters: number;
  totalParameters: number;
  /** The step, from 1, whose weights were tested and are returned, and the epoch, from 1, in which it lies. */
  bestStep: number;
  bestEpoch: number;
  /** Metrics of each validation, and the steps, from 1, after which they came. */
  validation: Metrics[];
  validationSteps: number[];
  test: Metrics;
  /** Seconds that the test part took, from token ids to scores. */
  testSeconds: number;
  /** Of each example of the test part, in their order. */
  predictions: Prediction[];
  /** Steps that were made: all, unless the run ended early. */
  totalSteps: number;
  stoppedEarly: boolean;
  /** Seconds of training steps, evaluation not counted. */
  trainingSeconds: number;
  /** Seconds from the first step to the end, evaluation included. */
  totalSeconds: number;
  tokensPerSecond: number;
  peakGpuBytes: number;
  /** The best step's trainable tensors, by name, in the order of `methodParameters`. */
  weights: NamedTensors;
}

/** What a pretraining tells the world while it runs. */
import type { EncoderConfig } from "../encoders/mod.ts";
import type { NamedTensors } from "../files/run_file.ts";
import type { StepEvent } from "../training/events.ts";
import type { TrainState } from "../training/state.ts";
import type { ObjectiveName } from "./objective.ts";

export interface PretrainSettings {
  learningRate: number;
  /** Sentences a step. */
  batchSize: number;
  epochs: number;
  /** Where given, the run has so many steps, and `epochs` does not count. */
  maxSteps?: number;
  /** The warm-up's share of all steps; after it the learning rate falls to 0 linearly. */
  warmupRatio: number;
  weightDecay: number;
  maxLength: number;
  maxGradNorm: number;
  seed: number;
}

/** BERT's batch would be 256 and its rate 1e-4; these are for small models and some ten thousand sentences. */
export const defaultSettings: PretrainSettings = {
  learningRate: 1e-3,
  batchSize: 64,
  epochs: 5,
  warmupRatio: 0.05,
  weightDecay: 0.01,
  maxLength: 64,
  maxGradNorm: 1,
  seed: 42,
};

/** What a pretraining is of; texts are told apart by a hash. */
export interface PretrainIdentity {
  objective: ObjectiveName;
  model: EncoderConfig;
  sentences: number;
  hash: string;
  settings: PretrainSettings;
}

/** What an evaluation on the held-out sentences told, by the names of the objective's scores. */
export interface PretrainEvaluation {
  /** Steps that were made. */
  step: number;
  /** The epoch, from 1, in which the last of them lies. */
  epoch: number;
  scores: Record<string, number>;
}

export type PretrainState = TrainState<PretrainIdentity, PretrainEvaluation>;

export type PretrainEvent =
  | {
    type: "start";
    parameters: number;
    /** Sentences to train on, and held out. */
    train: number;
    heldOut: number;
    stepsPerEpoch: number;
    totalSteps: number;
    warnings: string[];
  }
  | StepEvent
  | ({ type: "evaluation" } & PretrainEvaluation)
  | { type: "checkpoint"; step: number; capture(): Promise<PretrainState> }
  | { type: "done"; result: PretrainResult };

export interface PretrainResult {
  evaluations: PretrainEvaluation[];
  totalSteps: number;
  tokens: number;
  /** Seconds of training steps, evaluation not counted. */
  trainingSeconds: number;
  totalSeconds: number;
  /** The encoder's tensors, and the head's where the objective keeps it, by the names of HF's BertForPreTraining. */
  weights: NamedTensors;
}

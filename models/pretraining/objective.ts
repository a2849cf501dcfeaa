/** What a BERT is trained for before it is fine-tuned: an objective gives losses of the encoder's hidden states. */
import type { Device } from "../../engine/device.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { BertEncoder } from "../encoders/bert.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import type { InputLimits, PackedBatch } from "../nn/batch.ts";
import type { Scope } from "../nn/scope.ts";

/** A sentence's token ids, special ones included. */
export type Sentence = readonly number[];

export const objectiveNames = ["distil", "mlm"] as const;
export type ObjectiveName = typeof objectiveNames[number];

/** Some sentences, on the GPU. */
export interface Prepared {
  packed: PackedBatch;
  /** What the launches on it depend on: batches with equal keys get the same ones. */
  key: string;
  /** What its losses are means over: sentences, or masked tokens. */
  count: number;
  /** The losses, [1] each, of its hidden states [rows, hidden]; training's loss is their sum. */
  losses(hidden: Tensor): Tensor[];
}

/** Where a batch goes, and what is drawn for it. */
export interface PrepareOptions {
  device: Device;
  limits: InputLimits;
  seed: number;
  /** The number of the stream of random numbers: one for each step. */
  stream: number;
}

/** Uploads sentences by their numbers. */
export type Prepare = (numbers: readonly number[], options: PrepareOptions) => Prepared;

/** What is told of a loss. */
export interface Score {
  /** As a key: `pooled_cosine`. */
  name: string;
  /** For people, as `cosine of the pooled vector`. */
  label: string;
  from(loss: number): number;
}

export interface Objective {
  name: ObjectiveName;
  /** One for each loss. */
  scores: readonly Score[];
  /** Whether dropout is on in training. */
  dropout: boolean;
  /** Whether the tensors of its head are saved with the encoder: else they are thrown away. */
  keepsHead: boolean;
  /** Tokens of each sentence that is trained on or measured. */
  sentences: readonly Sentence[];
  /** Describes what it has beside the encoder, over a scope of names: see models/nn/scope.ts. */
  describe(scope: Scope, encoder: BertEncoder, config: EncoderConfig): Prepare;
}

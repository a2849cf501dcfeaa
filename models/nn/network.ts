/** What every encoder gives: its pieces from tokens to class scores, and the passes over them. */
import {
  crossEntropy,
  dropout,
  embedding,
  type LossWeights,
  relu,
  type RowsOf,
  tanh,
} from "../../engine/ops/mod.ts";
import { checkpoint, scope as scoped } from "../../engine/tape.ts";
import type { Device } from "../../engine/device.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { PackedBatch } from "./batch.ts";
import type { Scope } from "./scope.ts";
import type { PooledActivation } from "./wrapping.ts";

/** An encoder with a classifier, as its description over a scope returns it. */
export interface Network {
  /** From tokens to the first hidden states [rows, hidden]. */
  embed(batch: PackedBatch): Tensor;
  /** From hidden states to hidden states [rows, hidden]. */
  layers: ((x: Tensor, batch: PackedBatch) => Tensor)[];
  /** In f32, from each sentence's first row [sentences, hidden] to class scores [sentences, classes]. */
  classify(first: Tensor): Tensor;
}

/** A network over tensors, ready to compute. */
export interface Model {
  /** Dropout is on while this is true. */
  training: boolean;
  /** Encoder layers keep only their input and run again in the backward pass while this is true. */
  gradientCheckpointing: boolean;
  /** Hidden states [rows, hidden] after the embeddings (index 0) and after each layer, of a packed batch. */
  hiddenStates(batch: PackedBatch): Tensor[];
  /** The last hidden states [rows, hidden]; without a tape nothing else is kept. */
  encode(batch: PackedBatch): Tensor;
  /** Class scores [sentences, classes]. */
  logits(batch: PackedBatch): Tensor;
  /** Cross-entropy [1]: the mean over the sentences, or what the weights make of it. */
  loss(batch: PackedBatch, weights?: LossWeights): Tensor;
}

/** Dropout while the scope's model trains. */
export function drop(scope: Scope, x: Tensor, probability: number, rowsOf?: RowsOf): Tensor {
  return dropout(x, scope.dropout(probability), rowsOf);
}

/** What follows the dense layer before the classifier: what the scope's method asks for, else the encoder's own. */
export function pooledActivation(scope: Scope, own: PooledActivation): (x: Tensor) => Tensor {
  return { tanh, relu }[scope.context.wrapping.pooledActivation ?? own];
}

/** The passes over a network; `mode` is the one that its scope reads. */
export function modelOf(
  device: Device,
  { embed, layers, classify }: Network,
  mode: { training: boolean },
): Model {
  const model = {
    gradientCheckpointing: false,
    get training() {
      return mode.training;
    },
    set training(value) {
      mode.training = value;
    },
    hiddenStates(batch: PackedBatch): Tensor[] {
      const states = [embed(batch)];
      for (const layer of layers) states.push(layer(states[states.length - 1], batch));
      return states;
    },
    encode(batch: PackedBatch): Tensor {
      let hidden = scoped(device, () => embed(batch));
      for (const layer of layers) {
        const run = (x: Tensor) => layer(x, batch);
        hidden = model.gradientCheckpointing
          ? checkpoint(hidden, run)
          : scoped(device, () => run(hidden));
      }
      return hidden;
    },
    logits: (batch: PackedBatch): Tensor =>
      classify(embedding(model.encode(batch), batch.firstTokens, "f32")),
    loss: (batch: PackedBatch, weights?: LossWeights): Tensor =>
      crossEntropy(model.logits(batch), batch.labels, weights),
  };
  return model;
}

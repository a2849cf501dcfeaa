/** Where a PEFT method may change a model, and how it says so. An encoder's description knows no method. */
import type { LinearEnd } from "../../engine/ops/mod.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Handle, ParameterSpec, Scope } from "./scope.ts";

/** [rows, in] → [rows, out] */
export type Layer = (x: Tensor) => Tensor;

/** A linear layer, and what follows it in the same kernel. */
export type LinearLayer = (x: Tensor, end?: LinearEnd) => Tensor;

/** What a linear layer is in its model. */
export type LinearPart =
  | "query"
  | "key"
  | "value"
  | "attentionOutput"
  | "intermediate"
  | "output"
  | "pooler"
  | "head"
  | "adapter";

/** A linear layer that a method may change. */
export interface LinearSite {
  /** Its place; `scope.name` is the module's name, `scope.local` what users call it. */
  scope: Scope;
  part: LinearPart;
  outputs: number;
  inputs: number;
}

/** W [out, in] and b [out] of a linear layer. */
export interface LinearTensors {
  weight: Handle;
  bias?: Handle;
}

/** LoRA beside a linear layer, which takes part in the layer's own launch, also in a stack of layers. */
export interface LoraWrap {
  rank: number;
  scale: number;
  /** Probability on LoRA's input while the model trains. */
  dropout: number;
  /** Declares A [rank, in] and B [out, rank]; those of one `stack` are to lie together. */
  weights(stack?: string): { a: Handle; b: Handle };
}

/** What becomes of a linear layer: LoRA beside it, or any layer made of it and of its tensors. */
export type LinearWrap =
  | { lora: LoraWrap }
  | { around(plain: LinearLayer, tensors: LinearTensors): LinearLayer };

/**
 * The end of a sub-layer: from its dense output D (after dropout) and its input X to LN(D + X) or the like.
 * `dense()` makes D, `dense(residual)` D + residual in one kernel.
 */
export type SubLayerEnd = (dense: (residual?: Tensor) => Tensor, input: Tensor) => Tensor;

/** The end of a sub-layer, where a method may put something in. */
export interface SubLayerSite {
  part: "attention" | "feedForward";
  /** The names of what is put in here. */
  scope: Scope;
  /** The names of what all layers share. */
  shared: Scope;
  hiddenSize: number;
  norm: Layer;
}

/** What may follow the dense layer between a sentence's first row and the classifier. */
export type PooledActivation = "tanh" | "relu";

/** How a method changes a model. */
export interface Wrapping {
  /** Whether a tensor of the model trains; what the method adds always does. */
  trains(tensor: Pick<ParameterSpec, "name" | "role" | "kind">): boolean;
  /** What becomes of a linear layer; undefined to leave it as it is. Declares nothing by itself. */
  linear?(site: LinearSite): LinearWrap | undefined;
  /** The end of a sub-layer; undefined for the plain LN(D + X). */
  subLayer?(site: SubLayerSite): SubLayerEnd | undefined;
  /** What follows the dense layer before the classifier; undefined for the encoder's own. */
  pooledActivation?: PooledActivation;
  /** What happens to the pooled vector [sentences, hidden] before the classifier's dropout. */
  pooled?(scope: Scope, hiddenSize: number): Layer;
}

/** Full fine-tuning: nothing is changed, everything trains. */
export const noWrapping: Wrapping = { trains: () => true };

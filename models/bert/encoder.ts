/**
 * BERT for sequence classification (Devlin et al. 2018, arXiv:1810.04805), as HF's
 * BertForSequenceClassification. Built as a tree of functions that reads like the checkpoint's keys;
 * a PEFT method changes the tree when it is built: `lora` makes a linear layer a LoRA layer, `subLayerEnd`
 * may put an adapter in.
 */
import {
  add,
  attention,
  crossEntropy,
  dropout,
  embedding,
  layerNorm,
  linear,
  type LinearEnd,
  type Lora,
  tanh,
} from "../../engine/ops/mod.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { checkpoint, scope } from "../../engine/tape.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { PackedBatch } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import { attentionInputs } from "./parameters.ts";

/** [rows, in] → [rows, out] */
export type Layer = (x: Tensor) => Tensor;

/** A linear layer, and what follows it in the same kernel. */
export type LinearLayer = (x: Tensor, end?: LinearEnd) => Tensor;

/**
 * The end of a sub-layer: from its dense output D (after dropout) and its input X to LN(D + X) or the like.
 * `dense()` makes D, `dense(residual)` D + residual in one kernel.
 */
export type SubLayerEnd = (dense: (residual?: Tensor) => Tensor, input: Tensor) => Tensor;

/** How a PEFT method changes the tree; every part is optional. */
export interface PeftTree {
  /** What makes the linear layer of an HF module name a LoRA layer, asked at every pass; undefined for a plain one. */
  lora?(module: string): (() => Lora) | undefined;
  /** The end of `attention.output` or `output` of a layer, or undefined for the plain LN(D + X). */
  subLayerEnd?(module: string, norm: Layer): SubLayerEnd | undefined;
  /** What happens to the pooled vector, before the classifier's dropout. */
  pooled?: Layer;
}

/** What the forward pass may be asked for besides logits. */
export interface Model {
  /** Dropout is on while this is true. */
  training: boolean;
  /** Encoder layers keep only their input and run again in the backward pass while this is true. */
  gradientCheckpointing: boolean;
  /** Hidden states [rows, hidden] after the embeddings (index 0) and after each layer, of a packed batch. */
  hiddenStates(batch: PackedBatch): Tensor[];
  /** Class scores [sentences, classes]. */
  logits(batch: PackedBatch): Tensor;
  /** Mean cross-entropy [1]. */
  loss(batch: PackedBatch): Tensor;
}

/** Builds the model over its parameters, which go by HF's names. */
export function buildBert(config: BertConfig, parameters: Parameters, peft: PeftTree = {}): Model {
  const model = { training: false, gradientCheckpointing: false };
  const weight = (name: string) => parameters.get(name);
  const drop = (x: Tensor, probability: number) => dropout(x, model.training ? probability : 0);

  const linearLayer = (module: string): LinearLayer => {
    const w = weight(`${module}.weight`);
    const b = weight(`${module}.bias`);
    const lora = peft.lora?.(module);
    return (x, end) => linear(x, { weight: w, bias: b, lora: lora?.() }, end);
  };
  /** Query, key and value of a layer's input, in one launch. */
  const attentionInputLayers = (at: string): Layer => {
    const modules = attentionInputs.map((name) => `${at}.attention.self.${name}`);
    const stack = (of: string[], tensor: string) =>
      parameters.stack(of.map((module) => `${module}.${tensor}`));
    const weights = { weight: stack(modules, "weight"), bias: stack(modules, "bias") };
    const loras = modules.map((module) => peft.lora?.(module));
    const layers = [...modules.keys()].filter((z) => loras[z]);
    if (layers.length === 0) return (x) => linear(x, weights);
    const adapted = layers.map((z) => modules[z]);
    const [a, b] = [stack(adapted, "lora_A.weight"), stack(adapted, "lora_B.weight")];
    return (x) => linear(x, { ...weights, lora: { ...loras[layers[0]]!(), a, b, layers } });
  };
  const normLayer = (module: string): Layer => {
    const gamma = weight(`${module}.weight`);
    const beta = weight(`${module}.bias`);
    return (x) => layerNorm(x, gamma, beta, config.layerNormEps);
  };
  /** A sub-layer's end: dense, dropout, then LN(D + X) or what the method makes of it. */
  const outputLayer = (module: string) => {
    const dense = linearLayer(`${module}.dense`);
    const norm = normLayer(`${module}.LayerNorm`);
    const end = peft.subLayerEnd?.(module, norm) ?? ((project, x) => norm(project(x)));
    return (hidden: Tensor, input: Tensor) => {
      const probability = model.training ? config.hiddenDropout : 0;
      return end((residual) => dense(hidden, { dropout: probability, residual }), input);
    };
  };

  const embeddings = (batch: PackedBatch): Tensor => {
    const words = embedding(weight("bert.embeddings.word_embeddings.weight"), batch.tokenIds);
    const types = embedding(
      weight("bert.embeddings.token_type_embeddings.weight"),
      batch.tokenTypes,
    );
    const positions = embedding(
      weight("bert.embeddings.position_embeddings.weight"),
      batch.positions,
    );
    return drop(embeddingNorm(add(add(words, types), positions)), config.hiddenDropout);
  };
  const embeddingNorm = normLayer("bert.embeddings.LayerNorm");

  const encoderLayer = (at: string) => {
    const inputs = attentionInputLayers(at);
    const attentionOutput = outputLayer(`${at}.attention.output`);
    const intermediate = linearLayer(`${at}.intermediate.dense`);
    const output = outputLayer(`${at}.output`);
    return (x: Tensor, batch: PackedBatch): Tensor => {
      const context = attention(inputs(x), {
        heads: config.heads,
        dropout: model.training ? config.attentionDropout : 0,
        sentences: batch.sentences,
      });
      const attended = attentionOutput(context, x);
      return output(intermediate(attended, { gelu: true }), attended);
    };
  };
  const layers = Array.from(
    { length: config.layers },
    (_, layer) => encoderLayer(`bert.encoder.layer.${layer}`),
  );

  const pooler = linearLayer("bert.pooler.dense");
  const classifier = linearLayer("classifier");

  const hiddenStates = (batch: PackedBatch): Tensor[] => {
    const states = [embeddings(batch)];
    for (const layer of layers) states.push(layer(states[states.length - 1], batch));
    return states;
  };
  const logits = (batch: PackedBatch): Tensor => {
    const { device } = parameters;
    let hidden = scope(device, () => embeddings(batch));
    for (const layer of layers) {
      const run = (x: Tensor) => layer(x, batch);
      hidden = model.gradientCheckpointing
        ? checkpoint(hidden, run)
        : scope(device, () => run(hidden));
    }
    const pooled = tanh(pooler(embedding(hidden, batch.firstTokens)));
    return classifier(drop(peft.pooled?.(pooled) ?? pooled, config.classifierDropout));
  };
  const loss = (batch: PackedBatch): Tensor => crossEntropy(logits(batch), batch.labels);
  return Object.assign(model, { hiddenStates, logits, loss });
}

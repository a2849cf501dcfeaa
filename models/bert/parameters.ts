/**
 * Every tensor of a BERT classifier: name, shape, how a new one starts. One list serves the
 * loader, the module tree, the optimiser and `--dry_run`'s counts, so that they cannot disagree.
 */
import type { BertConfig } from "./config.ts";

/** How a tensor starts when no checkpoint holds it. */
export type Initializer =
  | { kind: "zeros" }
  | { kind: "ones" }
  | { kind: "normal"; std: number }
  /** Uniform in ±1/√fanIn: PyTorch's kaiming_uniform_(a = √5). */
  | { kind: "kaimingUniform"; fanIn: number };

export interface ParameterSpec {
  /** HF's name, with the `bert.` prefix; for PEFT's tensors the name their files use. */
  name: string;
  shape: number[];
  init: Initializer;
  /** Whether weight decay applies: not to biases, not to LayerNorm (as the HF Trainer). */
  decay: boolean;
}

/** Weight [out, in] and bias [out] of a linear layer. */
export function linearParameters(
  name: string,
  outputs: number,
  inputs: number,
  init: Initializer,
): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs], init, decay: true },
    { name: `${name}.bias`, shape: [outputs], init: { kind: "zeros" }, decay: false },
  ];
}

function layerNormParameters(name: string, size: number): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: [size], init: { kind: "ones" }, decay: false },
    { name: `${name}.bias`, shape: [size], init: { kind: "zeros" }, decay: false },
  ];
}

/** A linear layer inside the encoder or the pooler, by its HF module name. */
export interface LinearSpec {
  name: string;
  outputs: number;
  inputs: number;
}

/** The linear layers that LoRA may target, in the order of the forward pass. */
export function encoderLinears(config: BertConfig): LinearSpec[] {
  const { hiddenSize: hidden, intermediateSize: intermediate } = config;
  const linears: LinearSpec[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `bert.encoder.layer.${layer}`;
    linears.push(
      { name: `${at}.attention.self.query`, outputs: hidden, inputs: hidden },
      { name: `${at}.attention.self.key`, outputs: hidden, inputs: hidden },
      { name: `${at}.attention.self.value`, outputs: hidden, inputs: hidden },
      { name: `${at}.attention.output.dense`, outputs: hidden, inputs: hidden },
      { name: `${at}.intermediate.dense`, outputs: intermediate, inputs: hidden },
      { name: `${at}.output.dense`, outputs: hidden, inputs: intermediate },
    );
  }
  linears.push({ name: "bert.pooler.dense", outputs: hidden, inputs: hidden });
  return linears;
}

/** The attention's layers of one input, which one launch computes where their parameters are a stack. */
export const attentionInputs = ["query", "key", "value"] as const;

/** The stack in memory that a tensor belongs to: that of query, key and value of its layer. */
export function stackOf(name: string): string | undefined {
  const [, layer, , tensor] = /^(.*\.attention\.self\.)(query|key|value)(\..*)$/.exec(name) ?? [];
  return layer && `${layer}*${tensor}`;
}

/** All tensors of `BertForSequenceClassification`, in HF's names and shapes. */
export function bertParameters(config: BertConfig, classes: number): ParameterSpec[] {
  const normal: Initializer = { kind: "normal", std: config.initializerRange };
  const hidden = config.hiddenSize;
  const embedding = (name: string, rows: number): ParameterSpec => ({
    name: `bert.embeddings.${name}.weight`,
    shape: [rows, hidden],
    init: normal,
    decay: true,
  });
  const parameters: ParameterSpec[] = [
    embedding("word_embeddings", config.vocabSize),
    embedding("position_embeddings", config.maxPositions),
    embedding("token_type_embeddings", config.typeVocabSize),
    ...layerNormParameters("bert.embeddings.LayerNorm", hidden),
  ];
  for (const { name, outputs, inputs } of encoderLinears(config)) {
    parameters.push(...linearParameters(name, outputs, inputs, normal));
    if (name.endsWith(".output.dense")) {
      parameters.push(...layerNormParameters(name.replace(/dense$/, "LayerNorm"), hidden));
    }
  }
  parameters.push(...linearParameters("classifier", classes, hidden, normal));
  return parameters;
}

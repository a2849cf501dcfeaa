/** The architecture of a BERT encoder, read from Hugging Face's `config.json`. */
import { UserError } from "../errors.ts";

/** Sizes and constants of a BERT model, under our names; {@link parseBertConfig} reads HF's. */
export interface BertConfig {
  vocabSize: number;
  hiddenSize: number;
  layers: number;
  heads: number;
  intermediateSize: number;
  maxPositions: number;
  typeVocabSize: number;
  layerNormEps: number;
  initializerRange: number;
  hiddenDropout: number;
  attentionDropout: number;
  /** Dropout on the pooled vector; `hiddenDropout` where the checkpoint names none, as in HF. */
  classifierDropout: number;
}

/** bert-base-uncased, built in so that `--dry_run` needs no network. */
export const bertBaseUncased: BertConfig = {
  vocabSize: 30522,
  hiddenSize: 768,
  layers: 12,
  heads: 12,
  intermediateSize: 3072,
  maxPositions: 512,
  typeVocabSize: 2,
  layerNormEps: 1e-12,
  initializerRange: 0.02,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  classifierDropout: 0.1,
};

/**
 * Reads HF's `config.json`. Throws, naming the field and the file, where the file is not a BERT
 * encoder's or asks for what this engine does not compute.
 */
export function parseBertConfig(json: unknown, file = "config.json"): BertConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new UserError(`${file} is not a JSON object.`);
  }
  const fields = json as Record<string, unknown>;
  const number = (name: string, fallback?: number): number => {
    const value = fields[name] ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new UserError(
        `${file}: "${name}" should be a number, but is ${JSON.stringify(value)}.`,
      );
    }
    return value;
  };
  const count = (name: string, fallback?: number): number => {
    const value = number(name, fallback);
    if (!Number.isInteger(value) || value < 1) {
      throw new UserError(`${file}: "${name}" should be a positive whole number, but is ${value}.`);
    }
    return value;
  };
  const only = (name: string, expected: string): void => {
    const value = fields[name] ?? expected;
    if (value !== expected) {
      throw new UserError(
        `${file}: "${name}" is ${JSON.stringify(value)}; only "${expected}" is supported. ` +
          `Any encoder of the BERT architecture works: bert-base, bert-large, MiniLM, bert-tiny.`,
      );
    }
  };
  only("model_type", "bert");
  only("hidden_act", "gelu");
  only("position_embedding_type", "absolute");
  const hiddenDropout = number("hidden_dropout_prob", 0.1);
  const config: BertConfig = {
    vocabSize: count("vocab_size"),
    hiddenSize: count("hidden_size"),
    layers: count("num_hidden_layers"),
    heads: count("num_attention_heads"),
    intermediateSize: count("intermediate_size"),
    maxPositions: count("max_position_embeddings", 512),
    typeVocabSize: count("type_vocab_size", 2),
    layerNormEps: number("layer_norm_eps", 1e-12),
    initializerRange: number("initializer_range", 0.02),
    hiddenDropout,
    attentionDropout: number("attention_probs_dropout_prob", 0.1),
    classifierDropout: number("classifier_dropout", hiddenDropout),
  };
  const { hiddenSize, heads } = config;
  if (hiddenSize % heads !== 0 || (hiddenSize / heads) % 4 !== 0) {
    throw new UserError(
      `${file}: hidden_size ${hiddenSize} in ${heads} heads gives ${
        hiddenSize / heads
      } values a head; ` +
        `a multiple of 4 is needed.`,
    );
  }
  return config;
}

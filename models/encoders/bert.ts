/** BERT (Devlin et al. 2018, arXiv:1810.04805), as HF's BertForSequenceClassification. */
import { add } from "../../engine/ops/mod.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { embedding, layerNorm, linear } from "../nn/layers.ts";
import { drop, type Network, pooledActivation } from "../nn/network.ts";
import type { Initializer, Scope } from "../nn/scope.ts";
import { type LayerNames, transformerLayer } from "../nn/transformer_layer.ts";
import { checkedHeads, type ConfigReader, type EncoderConfig } from "./config.ts";
import type { Encoder } from "./encoder.ts";

export const bert: Encoder = {
  type: "bert",
  architecture: "BertForSequenceClassification",
  prefix: "bert",
  pooledActivation: "tanh",
  owners: { "bert-": "google-bert" },
  examples: "bert-base, bert-large, MiniLM, bert-tiny",
  parse: (fields) => parseBert(fields, "bert"),
  fields: bertFields,
  describe,
};

/** bert-base-uncased, built in so that counting its parameters needs no network. */
export const bertBaseUncased: EncoderConfig = {
  type: "bert",
  vocabSize: 30522,
  hiddenSize: 768,
  layers: 12,
  heads: 12,
  intermediateSize: 3072,
  maxPositions: 512,
  firstPosition: 0,
  typeVocabSize: 2,
  layerNormEps: 1e-12,
  initializerRange: 0.02,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  classifierDropout: 0.1,
};

/** The names of BERT's encoder layers. */
const bertLayer: LayerNames = {
  self: "attention.self",
  query: "query",
  key: "key",
  value: "value",
  attentionOutput: {
    dense: "attention.output.dense",
    norm: "attention.output.LayerNorm",
    adapters: "attention.output.adapters",
  },
  intermediate: "intermediate.dense",
  output: { dense: "output.dense", norm: "output.LayerNorm", adapters: "output.adapters" },
};

function describe(scope: Scope, config: EncoderConfig, classes: number): Network {
  const { hiddenSize: hidden } = config;
  const { embed, layers, pool } = bertEncoder(scope, config);
  const method = scope.context.wrapping.pooled?.(scope.at("bert").at("pooler.adapters"), hidden);
  const classifier = linear(scope.as("head").at("classifier"), {
    outputs: classes,
    inputs: hidden,
    part: "head",
    init: { kind: "normal", std: config.initializerRange },
  });
  return {
    embed,
    layers,
    classify(first) {
      const pooled = pool(first);
      return classifier(
        drop(scope, method?.(pooled) ?? pooled, config.classifierDropout, "sentences"),
      );
    },
  };
}

/** BERT without a head, as HF's BertModel. */
export interface BertEncoder extends Omit<Network, "classify"> {
  /** From each sentence's first row to the pooled vector, [sentences, hidden] both. */
  pool(first: Tensor): Tensor;
}

export function bertEncoder(scope: Scope, config: EncoderConfig): BertEncoder {
  const body = scope.at("bert");
  const { embed, layers } = bertBody(body, config);
  const pooler = linear(body.as("pooler").at("pooler.dense"), {
    outputs: config.hiddenSize,
    inputs: config.hiddenSize,
    part: "pooler",
    init: { kind: "normal", std: config.initializerRange },
  });
  const activate = pooledActivation(scope, bert.pooledActivation);
  return { embed, layers, pool: (first) => activate(pooler(first)) };
}

/** Embeddings and encoder layers, which RoBERTa has too. */
export function bertBody(body: Scope, config: EncoderConfig): Omit<Network, "classify"> {
  const { hiddenSize: hidden } = config;
  const init: Initializer = { kind: "normal", std: config.initializerRange };
  const embeddings = body.as("embedding").at("embeddings");
  const words = embedding(embeddings.at("word_embeddings"), config.vocabSize, hidden, init);
  const positions = embedding(
    embeddings.at("position_embeddings"),
    config.maxPositions,
    hidden,
    init,
  );
  const types = embedding(
    embeddings.at("token_type_embeddings"),
    config.typeVocabSize,
    hidden,
    init,
  );
  const norm = layerNorm(embeddings.at("LayerNorm"), hidden, config.layerNormEps);
  const encoder = body.at("encoder");
  return {
    embed({ tokenIds, tokenTypes, positions: places }) {
      const sum = add(add(words(tokenIds), types(tokenTypes)), positions(places));
      return drop(body, norm(sum), config.hiddenDropout);
    },
    layers: Array.from(
      { length: config.layers },
      (_, layer) =>
        transformerLayer(encoder.at("layer").atLayer(layer), encoder, bertLayer, config),
    ),
  };
}

/** The fields that BERT's and RoBERTa's config.json have in common. */
export function parseBert(fields: ConfigReader, type: string): EncoderConfig {
  fields.only("hidden_act", "gelu");
  fields.only("position_embedding_type", "absolute");
  const hiddenDropout = fields.dropout("hidden_dropout_prob", 0.1);
  return checkedHeads({
    type,
    vocabSize: fields.count("vocab_size"),
    hiddenSize: fields.count("hidden_size"),
    layers: fields.count("num_hidden_layers"),
    heads: fields.count("num_attention_heads"),
    intermediateSize: fields.count("intermediate_size"),
    maxPositions: fields.count("max_position_embeddings", 512),
    firstPosition: 0,
    typeVocabSize: fields.count("type_vocab_size", 2),
    layerNormEps: fields.fraction("layer_norm_eps", 1e-12),
    initializerRange: fields.fraction("initializer_range", 0.02),
    hiddenDropout,
    attentionDropout: fields.dropout("attention_probs_dropout_prob", 0.1),
    classifierDropout: fields.dropout("classifier_dropout", hiddenDropout),
  }, fields.file);
}

/** The inverse: the fields of BertConfig in transformers. */
export function bertFields(config: EncoderConfig): Record<string, unknown> {
  return {
    attention_probs_dropout_prob: config.attentionDropout,
    classifier_dropout: config.classifierDropout === config.hiddenDropout
      ? null
      : config.classifierDropout,
    hidden_act: "gelu",
    hidden_dropout_prob: config.hiddenDropout,
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    layer_norm_eps: config.layerNormEps,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: 0,
    position_embedding_type: "absolute",
    type_vocab_size: config.typeVocabSize,
    use_cache: true,
    vocab_size: config.vocabSize,
  };
}

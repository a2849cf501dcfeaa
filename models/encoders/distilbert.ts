/**
 * DistilBERT (Sanh et al. 2019, arXiv:1910.01108), as HF's DistilBertForSequenceClassification: BERT's layers
 * under other names, no token types, and a head of two layers with ReLU.
 */
import { add } from "../../engine/ops/mod.ts";
import { embedding, layerNorm, linear } from "../nn/layers.ts";
import { drop, type Network, pooledActivation } from "../nn/network.ts";
import type { Initializer, Scope } from "../nn/scope.ts";
import { type LayerNames, transformerLayer } from "../nn/transformer_layer.ts";
import { checkedHeads, type ConfigReader, type EncoderConfig } from "./config.ts";
import type { Encoder } from "./encoder.ts";

export const distilbert: Encoder = {
  type: "distilbert",
  architecture: "DistilBertForSequenceClassification",
  prefix: "distilbert",
  pooledActivation: "relu",
  owners: { "distilbert-": "distilbert" },
  examples: "distilbert-base-uncased",
  parse,
  fields,
  describe,
};

const layerNames: LayerNames = {
  self: "attention",
  query: "q_lin",
  key: "k_lin",
  value: "v_lin",
  attentionOutput: {
    dense: "attention.out_lin",
    norm: "sa_layer_norm",
    adapters: "attention_adapters.adapters",
  },
  intermediate: "ffn.lin1",
  output: { dense: "ffn.lin2", norm: "output_layer_norm", adapters: "output_adapters.adapters" },
};

function describe(scope: Scope, config: EncoderConfig, classes: number): Network {
  const { hiddenSize: hidden } = config;
  const init: Initializer = { kind: "normal", std: config.initializerRange };
  const body = scope.at("distilbert");
  const embeddings = body.as("embedding").at("embeddings");
  const words = embedding(embeddings.at("word_embeddings"), config.vocabSize, hidden, init);
  const positions = embedding(
    embeddings.at("position_embeddings"),
    config.maxPositions,
    hidden,
    init,
  );
  const norm = layerNorm(embeddings.at("LayerNorm"), hidden, config.layerNormEps);
  const transformer = body.at("transformer");
  const sizes = { ...config, attentionOutputDropout: 0 }; // unlike BERT's
  const layers = Array.from(
    { length: config.layers },
    (_, layer) =>
      transformerLayer(transformer.at("layer").atLayer(layer), transformer, layerNames, sizes),
  );
  const head = scope.as("head");
  const headSizes = { inputs: hidden, part: "head", init } as const;
  const preClassifier = linear(head.at("pre_classifier"), { ...headSizes, outputs: hidden });
  const classifier = linear(head.at("classifier"), { ...headSizes, outputs: classes });
  const method = scope.context.wrapping.pooled?.(body.at("pooler.adapters"), hidden);
  const activate = pooledActivation(scope, distilbert.pooledActivation);
  return {
    embed({ tokenIds, positions: places }) {
      return drop(body, norm(add(words(tokenIds), positions(places))), config.hiddenDropout);
    },
    layers,
    classify(first) {
      const pooled = activate(preClassifier(first));
      return classifier(
        drop(scope, method?.(pooled) ?? pooled, config.classifierDropout, "sentences"),
      );
    },
  };
}

function parse(fields: ConfigReader): EncoderConfig {
  fields.only("activation", "gelu");
  fields.only("sinusoidal_pos_embds", false);
  return checkedHeads({
    type: "distilbert",
    vocabSize: fields.count("vocab_size", 30522),
    hiddenSize: fields.count("dim", 768),
    layers: fields.count("n_layers", 6),
    heads: fields.count("n_heads", 12),
    intermediateSize: fields.count("hidden_dim", 3072),
    maxPositions: fields.count("max_position_embeddings", 512),
    firstPosition: 0,
    typeVocabSize: 0,
    layerNormEps: 1e-12, // fixed in transformers
    initializerRange: fields.fraction("initializer_range", 0.02),
    hiddenDropout: fields.dropout("dropout", 0.1),
    attentionDropout: fields.dropout("attention_dropout", 0.1),
    classifierDropout: fields.dropout("seq_classif_dropout", 0.2),
  }, fields.file);
}

function fields(config: EncoderConfig): Record<string, unknown> {
  return {
    activation: "gelu",
    attention_dropout: config.attentionDropout,
    dim: config.hiddenSize,
    dropout: config.hiddenDropout,
    hidden_dim: config.intermediateSize,
    initializer_range: config.initializerRange,
    max_position_embeddings: config.maxPositions,
    n_heads: config.heads,
    n_layers: config.layers,
    pad_token_id: 0,
    seq_classif_dropout: config.classifierDropout,
    sinusoidal_pos_embds: false,
    vocab_size: config.vocabSize,
  };
}

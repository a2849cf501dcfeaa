/**
 * RoBERTa (Liu et al. 2019, arXiv:1907.11692), as HF's RobertaForSequenceClassification: BERT's body, positions
 * from the padding id + 1 on, no pooler, and a head of two layers.
 */
import type { Tensor } from "../../engine/tensor.ts";
import { UserError } from "../errors.ts";
import { linear } from "../nn/layers.ts";
import { drop, type Network, pooledActivation } from "../nn/network.ts";
import type { Initializer, Scope } from "../nn/scope.ts";
import { bertBody, bertFields, parseBert } from "./bert.ts";
import type { ConfigReader, EncoderConfig } from "./config.ts";
import type { Encoder } from "./encoder.ts";

export const roberta: Encoder = {
  type: "roberta",
  architecture: "RobertaForSequenceClassification",
  prefix: "roberta",
  pooledActivation: "tanh",
  owners: { "roberta-": "FacebookAI", "distilroberta-": "distilbert" },
  examples: "roberta-base, roberta-large, distilroberta-base",
  parse,
  fields: (config) => ({
    ...bertFields(config),
    bos_token_id: 0,
    eos_token_id: 2,
    pad_token_id: config.firstPosition - 1,
  }),
  describe,
};

function parse(fields: ConfigReader): EncoderConfig {
  const config = {
    ...parseBert(fields, "roberta"),
    firstPosition: fields.id("pad_token_id", 1) + 1,
  };
  const { maxPositions, firstPosition } = config;
  if (maxPositions <= firstPosition) {
    throw new UserError(
      `${fields.file}: "max_position_embeddings" is ${maxPositions}; the first position is "pad_token_id" + 1 = ` +
        `${firstPosition}, so that it should be at least ${firstPosition + 1}.`,
    );
  }
  return config;
}

function describe(scope: Scope, config: EncoderConfig, classes: number): Network {
  const { hiddenSize: hidden } = config;
  const init: Initializer = { kind: "normal", std: config.initializerRange };
  const body = scope.at("roberta");
  const { embed, layers } = bertBody(body, config);
  const head = scope.as("head").at("classifier");
  const sizes = { inputs: hidden, part: "head", init } as const;
  const dense = linear(head.at("dense"), { ...sizes, outputs: hidden });
  const project = linear(head.at("out_proj"), { ...sizes, outputs: classes });
  const method = scope.context.wrapping.pooled?.(body.at("pooler.adapters"), hidden);
  const dropped = (x: Tensor) => drop(scope, x, config.classifierDropout, "sentences");
  const activate = pooledActivation(scope, roberta.pooledActivation);
  return {
    embed,
    layers,
    classify(first) {
      const pooled = activate(dense(dropped(first)));
      return project(dropped(method?.(pooled) ?? pooled));
    },
  };
}

/** A pretrained encoder as files that transformers and this project load. */
import type { Dtype } from "../../engine/pack.ts";
import { type EncoderConfig, encoderOf } from "../encoders/mod.ts";
import { toJson } from "../files/json.ts";
import type { NamedTensors, RunFile } from "../files/run_file.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { ObjectiveName } from "./objective.ts";

export interface PretrainedModel {
  config: EncoderConfig;
  objective: ObjectiveName;
  weights: NamedTensors;
  tokenizer: Tokenizer;
  /** Of the stored weights; they are computed with in f32 all the same. */
  dtype: Dtype;
}

/**
 * Weights, tokenizer and config, which comes last: a bare encoder with its pooler as HF's BertModel has it, or, after
 * masked words, with their head as BertForMaskedLM. Throws a RangeError where a weight is beyond the dtype's range.
 */
export function pretrainedFiles(
  { config, objective, weights, tokenizer, dtype }: PretrainedModel,
): RunFile[] {
  const { prefix, type, fields } = encoderOf(config);
  const bare = objective === "distil";
  const start = `${prefix}.`;
  const tensors: NamedTensors = new Map(
    [...weights].map(([name, tensor]) => [
      bare && name.startsWith(start) ? name.slice(start.length) : name,
      tensor,
    ]),
  );
  const json = {
    architectures: [bare ? "BertModel" : "BertForMaskedLM"],
    model_type: type,
    ...fields(config),
    // Not the stored one: transformers would compute in it.
    torch_dtype: "float32",
  };
  return [
    { name: "model.safetensors", tensors, dtype },
    ...tokenizer.files.map(({ name, bytes }) => ({ name, content: bytes })),
    { name: "config.json", content: toJson(json) },
  ];
}

/** A fine-tuning method and its settings; which tensors it adds and which it trains. */
import type { BertConfig } from "../bert/config.ts";
import { bertParameters, type ParameterSpec } from "../bert/parameters.ts";
import { sizeOf } from "../../engine/shape.ts";
import { adapterParameters } from "./adapter.ts";
import { loraParameters } from "./lora.ts";

export interface FullMethod {
  method: "full";
}

export interface LoraMethod {
  method: "lora";
  rank: number;
  alpha: number;
  /** Dropout probability on LoRA's input only. */
  dropout: number;
  /** Module names as PEFT takes them: a module matches that is one of them or ends with ".<one>". */
  targetModules: string[];
  /** Scale by α/√r instead of α/r (rank-stabilised LoRA). */
  useRslora: boolean;
}

export const placements = ["shared", "output", "pfeiffer", "houlsby", "parallel"] as const;
export type AdapterPlacement = (typeof placements)[number];

export interface AdapterMethod {
  method: "adapter";
  /** Width of the bottleneck. */
  size: number;
  placement: AdapterPlacement;
}

export type Method = FullMethod | LoraMethod | AdapterMethod;

/** The settings of LoRA that the original uses, for a rank: α = 2r, dropout 0.1, query and value. */
export function loraDefaults(rank: number): LoraMethod {
  return {
    method: "lora",
    rank,
    alpha: 2 * rank,
    dropout: 0.1,
    targetModules: ["query", "value"],
    useRslora: false,
  };
}

/** The folder name of a run: `full`, `lora-r8`, `adapter-64`, and what differs from the defaults. */
export function runName(method: Method): string {
  if (method.method === "full") return "full";
  if (method.method === "adapter") {
    const placement = method.placement === "shared" ? "" : `-${method.placement}`;
    return `adapter-${method.size}${placement}`;
  }
  const defaults = loraDefaults(method.rank);
  const parts = [`lora-r${method.rank}`];
  if (method.alpha !== defaults.alpha) parts.push(`a${method.alpha}`);
  if (method.dropout !== defaults.dropout) parts.push(`d${method.dropout}`);
  if (method.targetModules.join() !== defaults.targetModules.join()) {
    parts.push(method.targetModules.map((name) => name.replaceAll(".", "_")).join("_"));
  }
  if (method.useRslora) parts.push("rslora");
  return parts.join("-");
}

/** Every tensor of the model under a method, and whether it trains. */
export function methodParameters(
  config: BertConfig,
  method: Method,
  classes: number,
): (ParameterSpec & { trainable: boolean })[] {
  const base = bertParameters(config, classes);
  const added = method.method === "lora"
    ? loraParameters(config, method)
    : method.method === "adapter"
    ? adapterParameters(config, method)
    : [];
  const full = method.method === "full";
  return [
    ...base.map((spec) => ({ ...spec, trainable: full || spec.name.startsWith("classifier.") })),
    ...added.map((spec) => ({ ...spec, trainable: true })),
  ];
}

/** Counts of parameters under a method: trainable, total (added ones included) and percent. */
export function countParameters(
  config: BertConfig,
  method: Method,
  classes: number,
): { trainable: number; total: number; percent: number } {
  let trainable = 0;
  let total = 0;
  for (const spec of methodParameters(config, method, classes)) {
    const size = sizeOf(spec.shape);
    total += size;
    if (spec.trainable) trainable += size;
  }
  return { trainable, total, percent: (100 * trainable) / total };
}

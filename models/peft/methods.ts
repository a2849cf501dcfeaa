/** The table of the methods. What the command line, plans, reports and comparisons know of them is driven by it. */
import { fnv1a } from "../../engine/hash.ts";
import { UserError } from "../errors.ts";
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import { sizeOf } from "../../engine/shape.ts";
import type { ParameterSpec } from "../nn/scope.ts";
import { adapter } from "./adapter.ts";
import { full } from "./full.ts";
import { ia3 } from "./ia3.ts";
import { lora } from "./lora.ts";
import type { MethodDefinition } from "./method.ts";
import { shown } from "../files/json.ts";

export const methods = { full, lora, adapter, ia3 } as const;

export type MethodName = keyof typeof methods;

/** A fine-tuning method and its settings. */
export type Method = ReturnType<(typeof methods)[MethodName]["plan"]>[number];

/** The methods' names, in the order of tables. */
export const methodNames = Object.keys(methods) as MethodName[];

/** What a method tells of itself. */
export function definitionOf(method: Method): MethodDefinition<Method> {
  // A method's value and its definition have one name; TypeScript cannot follow that through the table.
  return methods[method.method] as unknown as MethodDefinition<Method>;
}

/** Characters that a run's name may have: a file's name may have 255, and some are longer than its folder's. */
const longestName = 100;

/**
 * The folder name of a run: `full`, `lora-r8`, `adapter-64`, and what differs from the defaults; of a name too long for
 * a folder, as lists of PEFT's make it, the beginning and a hash.
 */
export function runName(method: Method): string {
  const name = definitionOf(method).runName(method);
  if (name.length <= longestName) return name;
  const hash = fnv1a(name).toString(16).padStart(8, "0");
  return `${name.slice(0, longestName - hash.length - 1)}-${hash}`;
}

/** Every tensor of a model under a method, the method's last, and whether it trains. */
export function methodParameters(
  config: EncoderConfig,
  method: Method,
  classes: number,
): ParameterSpec[] {
  return declareModel(config, classes, definitionOf(method).wrap(method, config)).specs;
}

/** Counts of parameters under a method: trainable, total (added ones included) and percent. */
export function countParameters(
  config: EncoderConfig,
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

/** The method whose folders have such an `adapter_config.json`. Throws a UserError where there is none. */
export function ownerOf(
  fields: Record<string, unknown> | undefined,
  path: string,
): MethodDefinition<Method> {
  const all = Object.values(methods) as unknown as MethodDefinition<Method>[];
  const owner = all.find((method) => method.owns(fields));
  if (owner) return owner;
  const types = all.flatMap(({ peftType = [] }) => peftType);
  throw new UserError(
    `${path}: "peft_type" is ${shown(fields?.peft_type)}; ${types.join(" and ")} can be read.`,
  );
}

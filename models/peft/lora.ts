/**
 * LoRA (Hu et al. 2021, arXiv:2106.09685) as the PEFT library defines it:
 * y = x Wᵀ + b + s · (dropout(x) Aᵀ) Bᵀ, with s = α/r, or α/√r for rsLoRA (arXiv:2312.03732).
 */
import type { Parameters } from "../../engine/parameters.ts";
import type { BertConfig } from "../bert/config.ts";
import type { PeftTree } from "../bert/encoder.ts";
import { encoderLinears, type LinearSpec, type ParameterSpec } from "../bert/parameters.ts";
import { UserError } from "../errors.ts";
import type { LoraMethod } from "./method.ts";

/** The factor on LoRA's low-rank product. */
export function loraScale({ rank, alpha, useRslora }: LoraMethod): number {
  return useRslora ? alpha / Math.sqrt(rank) : alpha / rank;
}

/**
 * The linear layers that a list of target modules names, by PEFT's rule: a module matches that is
 * one of them or ends with ".<one>". Throws where a target matches nothing.
 */
export function loraTargets(config: BertConfig, targetModules: readonly string[]): LinearSpec[] {
  const linears = encoderLinears(config);
  const matches = (linear: LinearSpec, target: string) =>
    linear.name === target || linear.name.endsWith(`.${target}`);
  for (const target of targetModules) {
    if (!linears.some((linear) => matches(linear, target))) {
      throw new UserError(
        `No linear layer is called "${target}". LoRA can target query, key, value, ` +
          `attention.output.dense, intermediate.dense, output.dense, dense.`,
      );
    }
  }
  return linears.filter((linear) => targetModules.some((target) => matches(linear, target)));
}

/** A [rank, in] and B [out, rank] of every targeted layer; A kaiming-uniform (a = √5), B zero. */
export function loraParameters(config: BertConfig, method: LoraMethod): ParameterSpec[] {
  return loraTargets(config, method.targetModules).flatMap(({ name, outputs, inputs }) => [
    {
      name: `${name}.lora_A.weight`,
      shape: [method.rank, inputs],
      init: { kind: "kaimingUniform", fanIn: inputs },
      decay: true,
    },
    {
      name: `${name}.lora_B.weight`,
      shape: [outputs, method.rank],
      init: { kind: "zeros" },
      decay: true,
    },
  ]);
}

/** The change to the module tree: a targeted `Linear` becomes a LoRA layer. */
export function loraTree(
  config: BertConfig,
  method: LoraMethod,
  parameters: Parameters,
  training: () => boolean,
): PeftTree {
  const targets = new Set(loraTargets(config, method.targetModules).map(({ name }) => name));
  const scale = loraScale(method);
  return {
    lora(module) {
      if (!targets.has(module)) return undefined;
      const a = parameters.get(`${module}.lora_A.weight`);
      const b = parameters.get(`${module}.lora_B.weight`);
      return () => ({ a, b, scale, dropout: training() ? method.dropout : 0 });
    },
  };
}

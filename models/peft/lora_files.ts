/** LoRA folders as Hugging Face's PEFT writes and reads them. */
import type { EncoderConfig } from "../encoders/mod.ts";
import type { Folder } from "../files/folder.ts";
import { float, isObject } from "../files/json.ts";
import type { RunFile } from "../files/run_file.ts";
import type { LoraMethod } from "./lora.ts";
import type { ReadMethod } from "./method.ts";
import {
  baseLayer,
  modulesToSave,
  type PeftFields,
  peftFiles,
  readPeftFolder,
} from "./peft_folder.ts";
import type { ExportRequest } from "./run_files.ts";
import { otherModules, targetsIn } from "./peft_targets.ts";
import { areUsual, targetNames } from "./targets.ts";

/** What a key of a pattern matches, by PEFT's rule: a module's name from a dot, or its beginning, to its end. */
export const moduleEnd = (key: string): RegExp => new RegExp(`^(.*\\.)?(${key})$`, "u");

/** What PEFT's `bias` may be. */
export const loraBiases = ["none", "all", "lora_only"] as const;

/**
 * The files of a LoRA run. The config has the fields that PEFT has known since 0.9, the first with
 * rsLoRA and DoRA: an older PEFT fails at a field that it does not know, and one that is absent has
 * its default in a newer PEFT.
 */
export function loraFiles(request: ExportRequest, method: LoraMethod): RunFile[] {
  const { weights } = request;
  /** A layer with LoRA is a wrapped one, also in the name of its own bias. */
  const rename = (name: string) => {
    const module = name.slice(0, name.lastIndexOf("."));
    const wrapped = name === `${module}.bias` && weights.has(`${module}.lora_A.weight`);
    return wrapped ? `${module}.${baseLayer}.bias` : name;
  };
  const fields = {
    alpha_pattern: method.alphaPattern,
    bias: method.bias,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: method.layers.length > 0 ? method.layers : null,
    loftq_config: {},
    lora_alpha: method.alpha,
    lora_dropout: float(method.dropout),
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: modulesToSave(request, method.modulesToSave),
    peft_type: "LORA",
    r: method.rank,
    rank_pattern: method.rankPattern,
    target_modules: targetNames(request.config, method.targetModules, "lora_target_modules"),
    use_dora: method.useDora,
    use_rslora: method.useRslora,
  };
  return peftFiles(request, fields, rename);
}

/** Fields that are read below. */
const read = [
  "alpha_pattern",
  "bias",
  "exclude_modules",
  "init_lora_weights",
  "layers_to_transform",
  "lora_alpha",
  "lora_dropout",
  "r",
  "rank_pattern",
  "target_modules",
  "use_dora",
  "use_rslora",
];

/** Fields that say how A and B start, how tied weights train, or that count only beside others. */
const withoutEffect = [
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "loftq_config",
  "lora_ga_config",
  "megatron_core", // with megatron_config
  "qalora_group_size", // with use_qalora
];

/**
 * Reads a LoRA folder that PEFT or this project wrote. Throws a UserError where it asks for what this engine
 * does not compute.
 */
export async function readLora(
  folder: Folder,
  config: EncoderConfig,
  defaults: (rank: number) => LoraMethod,
): Promise<ReadMethod<LoraMethod>> {
  const { fields, tensors, labels } = await readPeftFolder(folder, config);
  return { method: parseLora(fields, config, defaults), tensors, labels };
}

function parseLora(
  config: PeftFields,
  encoder: EncoderConfig,
  defaults: (rank: number) => LoraMethod,
): LoraMethod {
  const { fields } = config;
  config.only([...read, ...withoutEffect]);
  const init = fields.init_lora_weights;
  if (typeof init === "string" && !["gaussian", "orthogonal", "eva"].includes(init)) {
    // PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA change the base weights that the adapter belongs to.
    config.fail(
      "init_lora_weights",
      "that start changes the base's weights, so that the adapter fits no plain base (Python's " +
        "merge_and_unload makes a whole model of both); only a start that leaves them as they are",
    );
  }
  const rank = config.number("r", 8);
  if (!isCount(rank)) config.fail("r", "only a positive whole number");
  const targets = targetsIn(config, encoder);
  const usual = defaults(rank).targetModules;
  const bias = loraBiases.find((each) => each === (fields.bias ?? "none"));
  return {
    method: "lora",
    rank,
    alpha: config.number("lora_alpha", 8),
    dropout: config.number("lora_dropout", 0),
    targetModules: areUsual(encoder, targets, usual, "lora_target_modules") ? usual : targets,
    useRslora: fields.use_rslora === true,
    useDora: fields.use_dora === true,
    layers: layersOf(config),
    modulesToSave: otherModules(config, encoder),
    bias: bias ?? config.fail("bias", `only ${loraBiases.join(", ")}`),
    rankPattern: patternOf(config, "rank_pattern", isCount, "positive whole numbers"),
    alphaPattern: patternOf(config, "alpha_pattern", isNumber, "numbers"),
  };
}

/** One layer or a list of them. */
function layersOf(config: PeftFields): number[] {
  const value = config.fields.layers_to_transform ?? [];
  const layers = typeof value === "number" ? [value] : value;
  const { target_modules: targets } = config.fields;
  if (typeof targets === "string" && !config.isNeutral("layers_to_transform")) {
    // PEFT refuses it too: an expression names its layers itself.
    config.fail("layers_to_transform", "beside a target_modules that is a text, only null");
  }
  return Array.isArray(layers) && layers.every((layer) => Number.isInteger(layer) && layer >= 0)
    ? layers
    : config.fail("layers_to_transform", "only a list of layers' numbers");
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 1;

/** Numbers by the ends of module names, which are regular expressions. */
function patternOf(
  config: PeftFields,
  field: string,
  fits: (value: unknown) => value is number,
  what: string,
): Record<string, number> {
  const value = config.fields[field] ?? {};
  if (!isObject(value) || !Object.values(value).every(fits)) {
    config.fail(field, `only ${what} by module`);
  }
  for (const module of Object.keys(value)) config.expression(field, () => moduleEnd(module));
  return value as Record<string, number>;
}

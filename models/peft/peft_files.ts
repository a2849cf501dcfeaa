/**
 * LoRA folders as Hugging Face's PEFT writes and reads them: `adapter_config.json` and
 * `adapter_model.safetensors`, the classifier with the adapter.
 */
import type { BertConfig } from "../bert/config.ts";
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { float, isObject, readJsonObject, toJson } from "../files/json.ts";
import { type LoraMethod, methodParameters } from "./method.ts";
import {
  classesOf,
  exactTensors,
  type ExportRequest,
  labelsOfRun,
  type LoadedRun,
  readTensors,
  type RunFile,
} from "./run_files.ts";

const configFile = "adapter_config.json";
const weightsFile = "adapter_model.safetensors";
const prefix = "base_model.model.";

/**
 * The files of a LoRA run. The config has the fields that PEFT has known since 0.9, the first with
 * rsLoRA and DoRA: an older PEFT fails at a field that it does not know, and one that is absent has
 * its default in a newer PEFT.
 */
export function loraFiles(
  { baseModel, weights }: ExportRequest,
  method: LoraMethod,
): RunFile[] {
  const config = {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: baseModel.name,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: method.alpha,
    lora_dropout: float(method.dropout),
    megatron_config: null,
    megatron_core: "megatron.core",
    // What PEFT itself adds for SEQ_CLS: the two names that transformers' classifiers go by.
    modules_to_save: ["classifier", "score"],
    peft_type: "LORA",
    r: method.rank,
    rank_pattern: {},
    revision: null,
    target_modules: method.targetModules,
    task_type: "SEQ_CLS",
    use_dora: false,
    use_rslora: method.useRslora,
  };
  const tensors = new Map([...weights].map(([name, tensor]) => [prefix + name, tensor]));
  return [{ name: weightsFile, tensors }, { name: configFile, content: toJson(config) }];
}

/** Fields that change what is computed in a way that this engine does not do. */
const unsupported = [
  "alora_invocation_tokens",
  "alpha_pattern",
  "arrow_config",
  "bias",
  "exclude_modules",
  "fan_in_fan_out",
  "kasa_config",
  "layer_replication",
  "layers_to_transform",
  "lora_bias",
  "monteclora_config",
  "rank_pattern",
  "target_parameters",
  "trainable_token_indices",
  "use_bdlora",
  "use_dora",
  "use_qalora",
];

function isNeutral(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === "none";
}

/**
 * Reads a LoRA folder that PEFT or this project wrote. Throws a UserError where the folder is of
 * another PEFT method, asks for what this engine does not compute, or does not fit the model.
 */
export async function readLora(folder: Folder, config: BertConfig): Promise<LoadedRun> {
  const fields = await readJsonObject(folder, configFile);
  const method = parseLora(fields, pathIn(folder, configFile));
  const found = await readTensors(
    folder,
    weightsFile,
    (name) => name.startsWith(prefix) ? name.slice(prefix.length) : name,
  );
  const classes = classesOf(found, folder.name);
  const specs = methodParameters(config, method, classes).filter((spec) => spec.trainable);
  const weights = exactTensors(found, specs, folder.name);
  return { method, weights, labels: await labelsOfRun(folder, classes) };
}

function parseLora(fields: Record<string, unknown>, path: string): LoraMethod {
  const fail = (field: string, wanted: string): never => {
    throw new UserError(
      `${path}: "${field}" is ${JSON.stringify(fields[field])}; ${wanted} is supported.`,
    );
  };
  const number = (field: string, fallback: number): number => {
    const value = fields[field] ?? fallback;
    return typeof value === "number" ? value : fail(field, "only a number");
  };
  if (fields.peft_type !== "LORA") fail("peft_type", `only "LORA"`);
  const other = unsupported.find((field) => !isNeutral(fields[field]));
  if (other !== undefined) fail(other, "only its default");
  const init = fields.init_lora_weights;
  if (typeof init === "string" && !["gaussian", "orthogonal", "eva"].includes(init)) {
    // PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA change the base weights that the adapter belongs to.
    fail("init_lora_weights", "only a start that leaves the base weights as they are");
  }
  const targets = fields.target_modules;
  if (!Array.isArray(targets) || !targets.every((target) => typeof target === "string")) {
    return fail("target_modules", "only a list of module names");
  }
  const rank = number("r", 8);
  if (!Number.isInteger(rank) || rank < 1) fail("r", "only a positive whole number");
  return {
    method: "lora",
    rank,
    alpha: number("lora_alpha", 8),
    dropout: number("lora_dropout", 0),
    targetModules: targets,
    useRslora: fields.use_rslora === true,
  };
}

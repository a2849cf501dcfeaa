/** What all folders of Hugging Face's PEFT have in common: two files, and the prefix of its tensors' names. */
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { isObject, readJsonObject, shown, toJson } from "../files/json.ts";
import type { RunFile } from "../files/run_file.ts";
import { declareModel, type EncoderConfig, encoderOf } from "../encoders/mod.ts";
import {
  adapterConfigFile,
  checkNoPickle,
  classesOf,
  type ExportRequest,
  labelsOfRun,
  type NamedTensors,
  readTensors,
} from "./run_files.ts";

const weightsFile = "adapter_model.safetensors";
const prefix = "base_model.model.";
/** What PEFT puts into the name of a layer that it has wrapped. */
export const baseLayer = "base_layer";
const base = `.${baseLayer}.`;
/** With every bias trained, PEFT writes a saved module's twice more: the base's, and the trained one again. */
const copy = /\.(original_module|modules_to_save)\./;

/** The two files of a run, from the fields that are the method's own; `rename` gives PEFT's names. */
export function peftFiles(
  { baseModel, weights }: ExportRequest,
  fields: Record<string, unknown>,
  rename: (name: string) => string = (name) => name,
): RunFile[] {
  const config = {
    auto_mapping: null,
    base_model_name_or_path: baseModel.name,
    fan_in_fan_out: false,
    inference_mode: true,
    revision: null,
    task_type: "SEQ_CLS",
    ...fields,
  };
  const tensors = new Map([...weights].map(([name, tensor]) => [prefix + rename(name), tensor]));
  return [{ name: weightsFile, tensors }, { name: adapterConfigFile, content: toJson(config) }];
}

/** The names by which PEFT knows a head: the encoder's own, and `score`, which PEFT adds for SEQ_CLS. */
export function headModules(config: EncoderConfig): string[] {
  const { specs } = declareModel(config, 2);
  const modules = specs.filter(({ role }) => role === "head").map(({ name }) => name.split(".")[0]);
  return [...new Set([...modules, "score"])];
}

/** The modules that PEFT is to save whole: the head's, and what else trains whole. */
export function modulesToSave({ config }: ExportRequest, others: readonly string[] = []): string[] {
  return [...new Set([...headModules(config), ...others])];
}

/** The fields of a PEFT folder's config, each read with a check. */
export class PeftFields {
  readonly path: string;
  readonly fields: Record<string, unknown>;

  constructor(path: string, fields: Record<string, unknown>) {
    this.path = path;
    this.fields = fields;
  }

  fail(field: string, wanted: string): never {
    throw new UserError(
      `${this.path}: "${field}" is ${shown(this.fields[field])}; ${wanted} is supported.`,
    );
  }

  number(field: string, fallback: number): number {
    const value = this.fields[field] ?? fallback;
    return typeof value === "number" ? value : this.fail(field, "only a number");
  }

  names(field: string, fallback?: string[]): string[] {
    const value = this.fields[field] ?? fallback;
    return Array.isArray(value) && value.every((name) => typeof name === "string")
      ? value
      : this.fail(field, "only a list of module names");
  }

  /** Whether a field asks for nothing. */
  isNeutral(field: string): boolean {
    const value = this.fields[field];
    if (Array.isArray(value)) return value.length === 0;
    if (isObject(value)) return Object.keys(value).length === 0;
    return value === undefined || value === null || value === false || value === "none";
  }

  /** Throws where a field other than these asks for something: what it would have changed is unknown. */
  only(known: readonly string[]): void {
    const readable = new Set([...withoutEffect, ...known]);
    const other = Object.keys(this.fields).find((field) =>
      !readable.has(field) && !this.isNeutral(field)
    );
    if (other !== undefined) this.fail(other, "only its default");
  }

  /** A regular expression of Python's. Throws where it is none, or where JavaScript reads it otherwise. */
  expression(field: string, make: () => RegExp): RegExp {
    try {
      return make();
    } catch {
      this.fail(field, "only regular expressions that JavaScript reads too");
    }
  }
}

/** Fields of every config that tell where a folder comes from, or that {@link readPeftFolder} has checked. */
const withoutEffect = [
  "auto_mapping",
  "base_model_name_or_path",
  "inference_mode",
  "modules_to_save",
  "peft_type",
  "peft_version",
  "revision",
  "task_type",
];

/** Throws where the adapter is of another task: a classifier of tokens has tensors of the same names. */
function checkTask(fields: PeftFields, { type }: EncoderConfig): void {
  const { task_type: task, auto_mapping: mapping } = fields.fields;
  if (!fields.isNeutral("task_type") && task !== "SEQ_CLS") {
    fields.fail("task_type", `only "SEQ_CLS"`);
  }
  const { architecture } = encoderOf({ type });
  if (isObject(mapping) && mapping.base_model_class !== architecture) {
    fields.fail("auto_mapping", `only ${architecture}`);
  }
}

/** A PEFT folder: its config's fields, its tensors by our names, and the labels that a run.json beside it has. */
export async function readPeftFolder(
  folder: Folder,
  config: EncoderConfig,
): Promise<{ fields: PeftFields; tensors: NamedTensors; labels?: string[] }> {
  const fields = new PeftFields(
    `${folder.name}/${adapterConfigFile}`,
    await readJsonObject(folder, adapterConfigFile),
  );
  checkTask(fields, config);
  await checkNoPickle(folder, weightsFile, {
    pickle: "adapter_model.bin",
    advice: "Save it again without safe_serialization=False",
  });
  const tensors = await readTensors(
    folder,
    weightsFile,
    (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name).replace(base, "."),
  );
  for (const name of tensors.keys()) if (copy.test(name)) tensors.delete(name);
  const classes = classesOf(tensors, config, folder.name);
  return {
    fields,
    tensors,
    labels: await labelsOfRun(folder, classes),
  };
}

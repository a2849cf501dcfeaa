/** Saving a trained run in the format that other programs read, and reading it again. */
import { join } from "node:path";
import type { BertConfig } from "../bert/config.ts";
import { fullModelFiles, readFullModel } from "../bert/export.ts";
import { bertParameters } from "../bert/parameters.ts";
import { UserError } from "../files/errors.ts";
import { exists, readJsonObject } from "../files/json.ts";
import { adapterHubFiles, readAdapterHub } from "./adapterhub_files.ts";
import { baseSeed, initialValues } from "./model.ts";
import {
  outputAdapterFiles,
  outputAdapterType,
  readOutputAdapter,
} from "./output_adapter_files.ts";
import { loraFiles, readLora } from "./peft_files.ts";
import {
  checkTrainedTensors,
  type ExportRequest,
  type LoadedRun,
  type NamedTensors,
  type RunFile,
  writeRunFiles,
} from "./run_files.ts";

export type { ExportRequest, LoadedRun, NamedTensors } from "./run_files.ts";

/**
 * Writes a trained run into a folder, the classifier always with it: LoRA as PEFT does, adapters as
 * AdapterHub does (`output` in a format of our own), a full model as transformers does. Each file
 * appears whole or not at all, the config last. Returns the files' names and their bytes together.
 * Throws where the weights are not exactly the method's trainable tensors.
 */
export async function exportRun(
  request: ExportRequest,
): Promise<{ files: string[]; bytes: number }> {
  checkTrainedTensors(request);
  return await writeRunFiles(request.folder, await filesOf(request));
}

/**
 * Writes a model that starts at random as transformers does, with a classifier that is as new: what LoRA
 * and adapters that were trained over it need beside them wherever they are loaded.
 */
export async function exportRandomBase(
  request: Omit<ExportRequest, "method" | "weights">,
): Promise<void> {
  const weights: NamedTensors = new Map();
  for (const spec of bertParameters(request.config, request.labels.length)) {
    weights.set(spec.name, { shape: spec.shape, data: initialValues(spec, baseSeed) });
  }
  await exportRun({ ...request, method: { method: "full" }, weights });
}

async function filesOf(request: ExportRequest): Promise<RunFile[]> {
  const { method } = request;
  if (method.method === "full") return await fullModelFiles(request);
  if (method.method === "lora") return loraFiles(request, method);
  return method.placement === "output"
    ? outputAdapterFiles(request, method)
    : adapterHubFiles(request, method);
}

/**
 * Reads a run's folder, written by {@link exportRun} or by PEFT, AdapterHub or transformers, for a
 * base model of the given architecture. Labels are undefined where the folder names none: PEFT's
 * has no place for them, so they come from the run.json in it or above it. Throws a
 * UserError where the folder is none of these formats or does not fit the model.
 */
export async function readRun(folder: string, config: BertConfig): Promise<LoadedRun> {
  const path = join(folder, "adapter_config.json");
  if (!(await exists(path))) {
    if (await exists(join(folder, "config.json"))) return await readFullModel(folder, config);
    throw new UserError(
      `${folder} holds neither adapter_config.json nor config.json: it is not the folder of a ` +
        `trained run.`,
    );
  }
  const fields = await readJsonObject(path);
  if ("peft_type" in fields) return await readLora(folder, config);
  if (fields.adapter_type === outputAdapterType) return await readOutputAdapter(folder, config);
  return await readAdapterHub(folder, config);
}

/** Saving a trained run in the format that other programs read, and reading it again. */
import type { BertConfig } from "../bert/config.ts";
import { fullModelFiles, readFullModel } from "../bert/export.ts";
import { bertParameters } from "../bert/parameters.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { readJsonObject } from "../files/json.ts";
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
} from "./run_files.ts";

export type { ExportRequest, LoadedRun, NamedTensors } from "./run_files.ts";

/**
 * The files of a trained run, the classifier always with it: LoRA as PEFT writes it, adapters as
 * AdapterHub does (`output` in a format of our own), a full model as transformers does. The config is
 * last, so that a folder that has one is whole. Throws where the weights are not exactly the method's
 * trainable tensors.
 */
export async function exportRun(request: ExportRequest): Promise<RunFile[]> {
  checkTrainedTensors(request);
  return await filesOf(request);
}

/**
 * The files of a model that starts at random, as transformers writes it, with a classifier that is as new: what LoRA
 * and adapters that were trained over it need beside them wherever they are loaded.
 */
export async function exportRandomBase(
  request: Omit<ExportRequest, "method" | "weights">,
): Promise<RunFile[]> {
  const weights: NamedTensors = new Map();
  for (const spec of bertParameters(request.config, request.labels.length)) {
    weights.set(spec.name, { shape: spec.shape, data: initialValues(spec, baseSeed) });
  }
  return await exportRun({ ...request, method: { method: "full" }, weights });
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
export async function readRun(folder: Folder, config: BertConfig): Promise<LoadedRun> {
  if (!(await folder.has("adapter_config.json"))) {
    if (await folder.has("config.json")) return await readFullModel(folder, config);
    throw new UserError(
      `${folder.name} holds neither adapter_config.json nor config.json: it is not the folder of a ` +
        `trained run.`,
    );
  }
  const fields = await readJsonObject(folder, "adapter_config.json");
  if ("peft_type" in fields) return await readLora(folder, config);
  if (fields.adapter_type === outputAdapterType) return await readOutputAdapter(folder, config);
  return await readAdapterHub(folder, config);
}

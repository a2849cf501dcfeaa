/** A trained run as files in the format that other programs read, and read again. */
import { counted, UserError } from "../errors.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { readJsonObject } from "../files/json.ts";
import { definitionOf, methodParameters, ownerOf } from "./methods.ts";
import {
  adapterConfigFile,
  checkExact,
  classesOf,
  exactTensors,
  type ExportRequest,
  type LoadedRun,
  type RunFile,
} from "./run_files.ts";

export type { ExportRequest, LoadedRun, NamedTensors } from "./run_files.ts";

/** Seed of encoder tensors that no checkpoint holds: theirs alone, so that a new pooler starts alike in every run. */
export const baseSeed = 0;

/**
 * The files of a trained run, the classifier always with it: LoRA and IA³ as PEFT writes them, adapters as
 * AdapterHub does (`output` in a format of our own), a full model as transformers does; the config comes last.
 * Throws where the weights are not exactly the method's trainable tensors.
 */
export async function exportRun(request: ExportRequest): Promise<RunFile[]> {
  const { method, config, labels, weights } = request;
  const specs = methodParameters(config, method, labels.length);
  checkExact(weights, specs.filter((spec) => spec.trainable));
  return await definitionOf(method).files(request, method);
}

/**
 * Reads a run's folder, written by this project or by PEFT, AdapterHub or transformers, for a
 * base model of the given architecture. Labels are undefined where the folder names none: PEFT's
 * has no place for them, so they come from the run.json in it. Throws a UserError where the folder is none of
 * these formats or does not fit the model.
 */
export async function readRun(folder: Folder, config: EncoderConfig): Promise<LoadedRun> {
  const file = adapterConfigFile;
  const fields = await folder.has(file) ? await readJsonObject(folder, file) : undefined;
  if (!fields && !(await folder.has("config.json"))) {
    throw new UserError(
      `${folder.name} holds neither ${file} nor config.json: it is not the folder of a trained run.`,
    );
  }
  const { method, tensors, labels } = await ownerOf(fields, pathIn(folder, file))
    .read(folder, config);
  const classes = classesOf(tensors, config, folder.name);
  if (labels !== undefined && labels.length !== classes) {
    throw new UserError(
      `${folder.name} names ${counted(labels.length, "label")}, but its classifier has ${
        counted(classes, "class", "classes")
      }.`,
    );
  }
  const specs = methodParameters(config, method, classes);
  const trained = specs.filter((spec) => spec.trainable);
  return { method, weights: exactTensors(tensors, trained, folder.name), labels };
}

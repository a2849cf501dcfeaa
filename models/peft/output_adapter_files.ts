/**
 * Folders of an `output` adapter, p + A(p) on the pooled vector. No other library has it, so the
 * format is this project's own: `adapter_config.json` with the fields below, and
 * `adapter.safetensors` with our names,
 *
 *     output_adapter.emotion.adapter_down.0.weight  [size, hidden]    .bias [size]
 *     output_adapter.emotion.adapter_up.weight      [hidden, size]    .bias [hidden]
 *     classifier.weight                             [classes, hidden] .bias [classes]
 *
 * logits = classifier(dropout(p + up(relu(down(p))))), p = tanh(pooler([CLS])).
 */
import type { BertConfig } from "../bert/config.ts";
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { readJsonObject, toJson } from "../files/json.ts";
import { adapterActivation, adapterName } from "./adapter.ts";
import { type AdapterMethod, methodParameters } from "./method.ts";
import {
  classesOf,
  exactTensors,
  type ExportRequest,
  type LoadedRun,
  readTensors,
  type RunFile,
} from "./run_files.ts";

const configFile = "adapter_config.json";
const weightsFile = "adapter.safetensors";

/** What `adapter_type` says in our own adapter_config.json. */
export const outputAdapterType = "pooled_output_bottleneck";

/** The files of an `output` adapter run. */
export function outputAdapterFiles(
  { baseModel, config, labels, weights }: ExportRequest,
  method: AdapterMethod,
): RunFile[] {
  const fields = {
    adapter_type: outputAdapterType,
    base_model_name_or_path: baseModel.name,
    format_version: 1,
    hidden_size: config.hiddenSize,
    labels,
    model_type: "bert",
    name: adapterName,
    non_linearity: adapterActivation("output"),
    placement: "output",
    size: method.size,
  };
  return [
    { name: weightsFile, tensors: weights },
    { name: configFile, content: toJson(fields) },
  ];
}

/** Reads an `output` adapter's folder. Throws a UserError where it does not fit the model. */
export async function readOutputAdapter(folder: Folder, config: BertConfig): Promise<LoadedRun> {
  const path = pathIn(folder, configFile);
  const { format_version: formatVersion, labels, size } = await readJsonObject(folder, configFile);
  if (formatVersion !== 1) {
    throw new UserError(
      `${path}: "format_version" is ${JSON.stringify(formatVersion)}; only 1 is supported.`,
    );
  }
  if (typeof size !== "number" || !Number.isInteger(size) || size < 1) {
    throw new UserError(`${path}: "size" should be a positive whole number.`);
  }
  const method: AdapterMethod = { method: "adapter", size, placement: "output" };
  const found = await readTensors(folder, weightsFile);
  const classes = classesOf(found, folder.name);
  if (
    !Array.isArray(labels) || labels.length !== classes ||
    !labels.every((label) => typeof label === "string")
  ) {
    throw new UserError(
      `${path}: "labels" should be the names of the classifier's ${classes} classes.`,
    );
  }
  const specs = methodParameters(config, method, classes).filter((spec) => spec.trainable);
  return { method, weights: exactTensors(found, specs, folder.name), labels };
}

/**
 * Folders of an `output` adapter, p + A(p) on the pooled vector. No other library has it, so the
 * format is this project's own: `adapter_config.json` with the fields below, and
 * `adapter.safetensors` with our names, for BERT
 *
 *     bert.pooler.adapters.emotion.adapter_down.0.weight  [size, hidden]    .bias [size]
 *     bert.pooler.adapters.emotion.adapter_up.weight      [hidden, size]    .bias [hidden]
 *     classifier.weight                                   [classes, hidden] .bias [classes]
 *
 * and for other encoders their prefix and the tensors of their heads.
 *
 *     logits = classifier(dropout(p + up(relu(down(p))))),   p = tanh(pooler([CLS]))
 *
 * where RoBERTa's p is the first layer of its head, and DistilBERT's the same with ReLU.
 */
import { type EncoderConfig, encoderOf } from "../encoders/mod.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { readJsonObject, shown, toJson } from "../files/json.ts";
import type { RunFile } from "../files/run_file.ts";
import type { AdapterMethod } from "./adapter.ts";
import { adapterName } from "./adapterhub_files.ts";
import type { ReadMethod } from "./method.ts";
import { adapterConfigFile, classesOf, type ExportRequest, readTensors } from "./run_files.ts";

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
    model_type: encoderOf(config).type,
    name: adapterName,
    non_linearity: "relu",
    placement: "output",
    size: method.size,
  };
  return [
    { name: weightsFile, tensors: weights },
    { name: adapterConfigFile, content: toJson(fields) },
  ];
}

/** Reads an `output` adapter's folder. Throws a UserError where its config is not as above. */
export async function readOutputAdapter(
  folder: Folder,
  config: EncoderConfig,
): Promise<ReadMethod<AdapterMethod>> {
  const path = `${folder.name}/${adapterConfigFile}`;
  const { format_version: formatVersion, labels, size } = await readJsonObject(
    folder,
    adapterConfigFile,
  );
  if (formatVersion !== 1) {
    throw new UserError(
      `${path}: "format_version" is ${shown(formatVersion)}; only 1 is supported.`,
    );
  }
  if (typeof size !== "number" || !Number.isInteger(size) || size < 1) {
    throw new UserError(`${path}: "size" should be a positive whole number.`);
  }
  const tensors = await readTensors(folder, weightsFile);
  const classes = classesOf(tensors, config, folder.name);
  if (
    !Array.isArray(labels) || labels.length !== classes ||
    !labels.every((label) => typeof label === "string")
  ) {
    throw new UserError(
      `${path}: "labels" should be the names of the classifier's ${classes} classes.`,
    );
  }
  return { method: { method: "adapter", size, placement: "output" }, tensors, labels };
}

/** What the tests of run folders share: requests, weights that tell their places apart, goldens by our names. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { sizeOf } from "../../engine/shape.ts";
import { type EncoderConfig, parseConfig } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { type NamedTensors, readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { type ExportRequest, exportRun, readRun as readRunOf } from "../../models/peft/export.ts";
import { type Method, methodParameters } from "../../models/peft/methods.ts";
import { folderTest, goldenFolder } from "../files/temporary.ts";
import { baseOf } from "../models/goldens.ts";

/** The architecture of a golden run's base. */
export async function configOf(run: string): Promise<EncoderConfig> {
  return parseConfig(await readJsonObject(hostFolder(baseOf(run)), "config.json"));
}

export const config = await configOf("full");
/** The golden models', in the order of their classifiers' rows; not sorted, so that a sort shows. */
export const labels = ["sadness", "joy", "love", "anger", "fear"];

export const readRun = (folder: string, model: EncoderConfig) =>
  readRunOf(hostFolder(folder), model);

/** Exports a run and writes its files. */
export async function save(folder: string, request: ExportRequest) {
  return await writeFiles(folder, await exportRun(request));
}

export function requestOf(
  method: Method,
  weights: NamedTensors,
  more: Partial<ExportRequest> = {},
): ExportRequest {
  return {
    method,
    config,
    labels,
    baseModel: { name: "golden-bert", folder: goldenFolder("model") },
    weights,
    tokenizerFiles: [],
    ...more,
  };
}

/** The request of a golden run's own weights. */
export function goldenRequest(
  run: string,
  model: EncoderConfig,
  method: Method,
  weights: NamedTensors,
): ExportRequest {
  // A base's folder is called as its maker named it; BERT's is `model`.
  const base = baseOf(run);
  const baseModel = {
    name: `golden-${basename(base).replace("model", "bert")}`,
    folder: hostFolder(base),
  };
  return requestOf(method, weights, { config: model, baseModel });
}

/** Tensors of a method whose values all differ. */
export function distinctWeights(method: Method, model: EncoderConfig = config): NamedTensors {
  let next = 0;
  return new Map(
    methodParameters(model, method, labels.length).filter((spec) => spec.trainable).map((spec) => [
      spec.name,
      {
        shape: spec.shape,
        data: Float32Array.from({ length: sizeOf(spec.shape) }, () => ++next / 1024),
      },
    ]),
  );
}

/** The values with which a golden run starts, under the names of PEFT's or AdapterHub's files. */
export async function goldenStart(run: string): Promise<NamedTensors> {
  const all = await readTensors(goldenFolder(run), "golden.safetensors");
  return new Map(
    [...all].filter(([name]) => name.startsWith("init.")).map((
      [name, tensor],
    ) => [name.replace(/^init\./, ""), tensor]),
  );
}

export async function fails(promise: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** Writes some fields of a folder's JSON file anew. */
export async function change(
  folder: string,
  file: string,
  fields: Record<string, unknown>,
): Promise<void> {
  const all = { ...await readJsonObject(hostFolder(folder), file), ...fields };
  await Deno.writeTextFile(join(folder, file), toJson(all));
}

/** A folder, the method that wrote it, some fields of a JSON file set differently, and what is said of it. */
export type Refused = readonly [
  what: string,
  method: Method,
  file: string,
  fields: Record<string, unknown>,
  message: RegExp,
];

/** A test that a folder is refused. */
export function refusedTest([what, method, file, fields, message]: Refused): void {
  folderTest(`a folder with ${what} is refused`, async (folder) => {
    await save(folder, requestOf(method, distinctWeights(method)));
    await change(folder, file, fields);
    await fails(readRun(folder, config), message);
  });
}

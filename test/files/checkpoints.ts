/** The golden encoder's checkpoint, and folders with its tensors under other names or in other files. */
import assert from "node:assert/strict";
import { declareModel, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { goldenFolder } from "./temporary.ts";

export const config = parseConfig(await readJsonObject(goldenFolder("model"), "config.json"));
export const classes = 5;
export const specsOf = (count = classes) => declareModel(config, count).specs;
export const stored = await readTensors(goldenFolder("model"), "model.safetensors");

export type Stored = typeof stored;

export async function write(
  folder: string,
  tensors: Stored,
  name = "model.safetensors",
): Promise<void> {
  await writeFiles(folder, [{ name, tensors }]);
}

export function renamed(rename: (name: string) => string): Stored {
  return new Map([...stored].map(([name, tensor]) => [rename(name), tensor]));
}

export async function fails(folder: string, message: RegExp, model = config): Promise<void> {
  await assert.rejects(
    openWeights(hostFolder(folder), model, classes),
    (error) => error instanceof UserError && message.test(error.message),
  );
}

/**
 * The golden encoder's weights as a safetensors file of 16-bit floats, which the project does not write; the bytes of
 * one tensor are given out as another type's.
 */
export function inF16(
  tensors: Stored,
  other?: { name: string; dtype: string },
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, { shape, data }]) => ({
    name,
    shape,
    bytes: new Uint8Array(new Float16Array(data).buffer),
  }));
  let end = 0;
  const header = Object.fromEntries(entries.map(({ name, shape, bytes }) => {
    const begin = end;
    end += bytes.length;
    const kind = name === other?.name
      ? { dtype: other.dtype, shape: [bytes.length] }
      : { dtype: "F16", shape };
    return [name, { ...kind, data_offsets: [begin, end] }];
  }));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let offset = 8 + json.length;
  for (const { bytes } of entries) {
    file.set(bytes, offset);
    offset += bytes.length;
  }
  return file;
}

/** The model that everything on the page lies over: its files, read once, and its frozen weights on the GPU. */
import type { Device } from "../../engine/device.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { type EncoderConfig, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { type Folder, memoryFolder } from "../../models/files/folder.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { createBase } from "../../models/model.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text/tokenizer.ts";

/** The files of the built-in model, as the page has them below its own address. */
export const baseFiles = [
  "README.md",
  "vocab.txt",
  "tokenizer_config.json",
  "model.safetensors",
  "config.json",
] as const;

export interface Base {
  name: string;
  folder: Folder;
  config: EncoderConfig;
  tokenizer: Tokenizer;
  /** Its weights under a classifier of these labels, which starts new. The caller closes them. */
  open(labels: readonly string[]): Promise<WeightSource>;
  /** Its frozen weights on a device, for models to lie over; put there when first asked for. */
  frozen(device: Device): Promise<Parameters>;
}

/** Reads a model's files; `name` is what downloads call it. Throws a UserError where one is damaged. */
export async function readBase(name: string, files: ReadonlyMap<string, Blob>): Promise<Base> {
  const folder = memoryFolder(name, files);
  const config = parseConfig(await readJsonObject(folder, "config.json"));
  const tokenizer = await loadTokenizer(folder, config.vocabSize);
  const open = (labels: readonly string[]) => openWeights(folder, config, labels);
  let placed: Promise<Parameters> | undefined;
  const place = async (device: Device) => {
    const weights = await open(["0", "1"]);
    try {
      return await createBase(device, { config, weights });
    } finally {
      weights.close();
    }
  };
  return { name, folder, config, tokenizer, open, frozen: (device) => placed ??= place(device) };
}

/** The model that everything on the page lies over: its files, read once, and its frozen weights on the GPU. */
import type { Device } from "../../engine/device.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { type EncoderConfig, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { listed, UserError } from "../../models/errors.ts";
import { type Folder, memoryFolder } from "../../models/files/folder.ts";
import { hexOf } from "../../models/files/hex.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { createBase } from "../../models/model.ts";
import { formatCount } from "../../models/numbers.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text/tokenizer.ts";

/** The files of the built-in model, as the page has them below its own address. */
export const baseFiles = [
  "README.md",
  "vocab.txt",
  "tokenizer_config.json",
  "model.safetensors",
  "config.json",
] as const;

/** Where a base comes from; what is the reader's own, nobody else finds by its name. */
export type Origin = "built-in" | "hub" | "files";

export interface Base {
  name: string;
  origin: Origin;
  /** Tells it from every other base, whatever that is called. */
  key: string;
  folder: Folder;
  config: EncoderConfig;
  tokenizer: Tokenizer;
  /** What a reader should know of its files, a sentence each. */
  notices: string[];
  /** Its weights under a classifier of these labels, which starts new. The caller closes them. */
  open(labels: readonly string[]): Promise<WeightSource>;
  /** Its frozen weights on a device, for models to lie over; put there when first asked for. */
  frozen(device: Device): Promise<Parameters>;
  /** Takes them off the device. */
  free(): Promise<void>;
}

/** `bert, 12 layers of 768, 109,482,240 parameters` */
export function aboutModel(config: EncoderConfig): string {
  const { type, layers, hiddenSize } = config;
  const { total } = countParameters(config, { method: "full" }, 2);
  return `${type}, ${layers} layers of ${hiddenSize}, ${formatCount(total)} parameters`;
}

/** Bytes at a file's ends that go into a base's key. */
const endBytes = 1 << 16;

/** A hash of all files' names, sizes and ends: two models differ in their weights' ends, if they differ. */
async function keyOf(files: ReadonlyMap<string, Blob>): Promise<string> {
  const parts: (string | Blob)[] = [];
  for (const [name, file] of [...files].sort(([one], [other]) => one < other ? -1 : 1)) {
    parts.push(`${name} ${file.size}\n`, file.slice(0, endBytes), file.slice(-endBytes));
  }
  const content = await new Blob(parts).arrayBuffer();
  return hexOf(await crypto.subtle.digest("SHA-256", content));
}

/** Reads a model's files; `name` is what downloads call it. Throws a UserError where one is missing or damaged. */
export async function readBase(
  { name, origin }: { name: string; origin: Origin },
  files: ReadonlyMap<string, Blob>,
): Promise<Base> {
  const folder = memoryFolder(name, files);
  if (!files.has("config.json")) {
    const there = listed([...files.keys()], 4) || "no files";
    throw new UserError(
      `There is no config.json among ${there}. Choose the files of one model together: ` +
        `config.json, its safetensors file and its tokenizer.`,
    );
  }
  const config = parseConfig(await readJsonObject(folder, "config.json"));
  const tokenizer = await loadTokenizer(folder, config.vocabSize);
  const open = (labels: readonly string[]) => openWeights(folder, config, labels);
  const { notes } = await checked(open);
  let placed: Promise<Parameters> | undefined;
  const place = async (device: Device) => {
    const weights = await open(["0", "1"]);
    try {
      return await createBase(device, { config, weights });
    } catch (error) {
      placed = undefined; // where there is no room now, there may be later
      throw error;
    } finally {
      weights.close();
    }
  };
  return {
    name,
    origin,
    key: await keyOf(files),
    folder,
    config,
    tokenizer,
    notices: [...tokenizer.notices, ...notes],
    open,
    frozen: (device) => placed ??= place(device),
    async free() {
      const parameters = await placed?.catch(() => undefined);
      placed = undefined;
      parameters?.destroy();
    },
  };
}

/** Opens weights once, so that what is wrong with them is told before they are used. */
async function checked(open: (labels: readonly string[]) => Promise<WeightSource>) {
  const weights = await open(["0", "1"]);
  weights.close();
  return { notes: weights.notes.filter((note) => note !== weights.headNote) };
}

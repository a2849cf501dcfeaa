/** The safetensors files of a checkpoint folder, one or many, seen as one. */
import { join } from "node:path";
import { UserError } from "./errors.ts";
import { exists, isObject, readJsonObject } from "./json.ts";
import { openSafetensors, type SafetensorsFile, type TensorInfo } from "./safetensors.ts";

export interface Checkpoint {
  tensors: Map<string, TensorInfo>;
  read(name: string): Promise<Float32Array>;
  close(): void;
}

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists. Throws a
 * UserError naming the file that is missing or malformed.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const single = join(folder, "model.safetensors");
  if (await exists(single)) return await openSafetensors(single);
  const index = join(folder, "model.safetensors.index.json");
  if (await exists(index)) return await openShards(folder, index);
  if (await exists(join(folder, "pytorch_model.bin"))) {
    throw new UserError(
      `${folder} holds its weights as pytorch_model.bin only, which can run code when it is loaded. ` +
        `Convert it with Python: AutoModel.from_pretrained(folder).save_pretrained(folder).`,
    );
  }
  throw new UserError(
    `${folder} holds neither model.safetensors nor model.safetensors.index.json. ` +
      `Name the folder of a BERT model as Hugging Face's transformers saves it.`,
  );
}

async function openShards(folder: string, index: string): Promise<Checkpoint> {
  const { weight_map: map } = await readJsonObject(index);
  if (!isObject(map)) throw new UserError(`${index} has no "weight_map".`);
  const shards = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    const owners = new Map<string, SafetensorsFile>();
    const tensors = new Map<string, TensorInfo>();
    for (const [name, fileName] of Object.entries(map)) {
      if (typeof fileName !== "string" || /[\\/]/.test(fileName)) {
        throw new UserError(
          `${index}: "${name}" lies in ${JSON.stringify(fileName)}, no file name.`,
        );
      }
      let shard = shards.get(fileName);
      if (shard === undefined) {
        shard = await openSafetensors(join(folder, fileName));
        shards.set(fileName, shard);
      }
      const info = shard.tensors.get(name);
      if (info === undefined) {
        throw new UserError(`${shard.path} lacks the tensor "${name}" that ${index} places there.`);
      }
      owners.set(name, shard);
      tensors.set(name, info);
    }
    const read = async (name: string): Promise<Float32Array> => {
      const owner = owners.get(name);
      if (owner === undefined) throw new UserError(`${index} lists no tensor "${name}".`);
      return await owner.read(name);
    };
    return { tensors, read, close };
  } catch (error) {
    close();
    throw error;
  }
}

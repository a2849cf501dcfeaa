/** The safetensors files of a checkpoint folder, one or many, seen as one. */
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "./folder.ts";
import type { SafetensorsFile, TensorInfo } from "./safetensors.ts";
import { indexFile, noWeights, readShardIndex, weightsFile } from "./shards.ts";
import { openWeightsFile } from "./weights_file.ts";

export interface Checkpoint {
  tensors: Map<string, TensorInfo>;
  read(name: string): Promise<Float32Array>;
  close(): void;
}

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists. Throws a
 * UserError naming the file that is missing or malformed.
 */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  if (await folder.has(weightsFile)) return await openWeightsFile(await folder.open(weightsFile));
  if (await folder.has(indexFile)) return await openShards(folder);
  throw noWeights(folder.name, await folder.list());
}

async function openShards(folder: Folder): Promise<Checkpoint> {
  const index = pathIn(folder, indexFile);
  const shards = new Map<string, SafetensorsFile>();
  const close = () => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    const owners = new Map<string, SafetensorsFile>();
    const tensors = new Map<string, TensorInfo>();
    for (const [name, file] of await readShardIndex(folder)) {
      let shard = shards.get(file);
      if (shard === undefined) {
        shard = await openWeightsFile(await folder.open(file));
        shards.set(file, shard);
      }
      const info = shard.tensors.get(name);
      if (info === undefined) {
        throw new UserError(`${shard.name} lacks the tensor "${name}" that ${index} places there.`);
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

/** What the weights files of a folder hold, by their headers alone. */
import { messageOf, UserError } from "../../models/errors.ts";
import type { ByteSource } from "../../models/files/byte_source.ts";
import type { Folder } from "../../models/files/folder.ts";
import type { TensorInfo } from "../../models/files/safetensors.ts";
import { indexFile, readShardIndex } from "../../models/files/shards.ts";
import { openWeightsFile } from "../../models/files/weights_file.ts";

/** The tensors of a file, or of the files that an index lists. */
export interface Weights {
  file: string;
  /** How many files an index lists; undefined for a file by itself. */
  shards?: number;
  metadata: Record<string, string>;
  tensors: TensorInfo[];
}

/** What a folder has of weights, and sentences on what could not be read. */
export interface FoundWeights {
  weights: Weights[];
  damaged: string[];
  notes: string[];
}

/** Reads the header of a safetensors file, and closes it. Throws a UserError where it is none. */
export async function readWeights(source: ByteSource, file: string): Promise<Weights> {
  const opened = await openWeightsFile(source);
  opened.close();
  return { file, metadata: opened.metadata, tensors: [...opened.tensors.values()] };
}

/** The message of an error that is about the user's files; throws any other again. */
export function sentenceOf(error: unknown): string {
  if (error instanceof UserError) return messageOf(error);
  throw error;
}

/** Reads the headers of the safetensors files among `files`; those that an index lists become one entry. */
export async function findWeights(
  folder: Folder,
  files: readonly string[],
): Promise<FoundWeights> {
  const found: FoundWeights = { weights: [], damaged: [], notes: [] };
  const read = new Map<string, Weights>();
  for (const file of files.filter((name) => name.endsWith(".safetensors"))) {
    try {
      read.set(file, await readWeights(await folder.open(file), file));
    } catch (error) {
      found.damaged.push(sentenceOf(error));
    }
  }
  if (files.includes(indexFile)) {
    try {
      const shards = [...new Set((await readShardIndex(folder)).values())].sort();
      const parts = shards.flatMap((shard) => read.get(shard) ?? []);
      for (const shard of shards) {
        if (!files.includes(shard)) {
          found.damaged.push(`${folder.name} has no ${shard}, which ${indexFile} names.`);
        }
        read.delete(shard);
      }
      found.weights.push({
        file: indexFile,
        shards: shards.length,
        metadata: Object.assign({}, ...parts.map(({ metadata }) => metadata)),
        tensors: parts.flatMap(({ tensors }) => tensors),
      });
    } catch (error) {
      found.damaged.push(sentenceOf(error));
    }
  }
  found.weights.push(...read.values());
  const pickles = files.filter((name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name));
  if (pickles.length > 0) {
    found.notes.push(
      `Not opened, as pickles can run code when they are loaded: ${pickles.join(", ")}.`,
    );
  }
  return found;
}

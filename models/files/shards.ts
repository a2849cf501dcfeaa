/** Where a checkpoint keeps its weights: in one file, or in shards that an index lists. */
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "./folder.ts";
import { isObject, readJsonObject, shown } from "./json.ts";

/** The weights of a small model. */
export const weightsFile = "model.safetensors";

/** Lists the shards of a large one. */
export const indexFile = "model.safetensors.index.json";

/**
 * The file beside the index in which each tensor lies, by the tensor's name. Throws a UserError where
 * the index is no such list.
 */
export async function readShardIndex(folder: Folder): Promise<Map<string, string>> {
  const index = pathIn(folder, indexFile);
  const { weight_map: map } = await readJsonObject(folder, indexFile);
  if (!isObject(map) || Object.keys(map).length === 0) {
    throw new UserError(`${index} has no "weight_map" from tensors to files beside it.`);
  }
  const files = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string" || /[\\/]/.test(file)) {
      throw new UserError(`${index}: "${tensor}" lies in ${shown(file)}, no file name.`);
    }
    files.set(tensor, file);
  }
  return files;
}

/** What to say of a model, `where`, that has these files and no weights that we read. */
export function noWeights(where: string, files: readonly string[]): UserError {
  const pickled = files.find((name) => /^pytorch_model.*\.bin$/.test(name));
  if (pickled === undefined) {
    return new UserError(`${where} has neither ${weightsFile} nor ${indexFile}.`, {
      remedy: { kind: "otherModel" },
    });
  }
  return new UserError(
    `${where} has its weights as ${pickled} only, as safe_serialization=False saves them: a ` +
      `pickle, which can run code when it is loaded; we read ${weightsFile}. Convert it with Python's transformers, ` +
      `AutoModel.from_pretrained("${where}").save_pretrained("converted"), and copy its ` +
      `tokenizer's files beside it.`,
    { remedy: { kind: "useModel", name: "converted" } },
  );
}

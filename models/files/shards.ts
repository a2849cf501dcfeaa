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

/** Weights in other formats, by their files' names, and how transformers reads them. */
const otherWeights: { files: RegExp; format: string; options?: string; convertible: boolean }[] = [
  {
    files: /^pytorch_model.*\.bin(\.index\.json)?$/,
    format:
      "as safe_serialization=False saves them: a pickle, which can run code when it is loaded",
    convertible: true,
  },
  {
    files: /^tf_model.*\.h5(\.index\.json)?$/,
    format: "in TensorFlow's format, which transformers 5 reads no more",
    options: ", from_tf=True",
    convertible: true,
  },
  {
    files: /^flax_model.*\.msgpack(\.index\.json)?$/,
    format: "in Flax's format, which transformers 5 reads no more",
    options: ", from_flax=True",
    convertible: true,
  },
  { files: /\.(ckpt|ckpt\.index|ckpt\.meta)$/, format: "as a checkpoint", convertible: false },
  { files: /\.gguf$/, format: "in llama.cpp's format, for inference", convertible: false },
  { files: /(^|\/)[^/]+\.(onnx|ort)$/, format: "as ONNX, for inference", convertible: false },
  { files: /\.ot$/, format: "in rust-bert's format", convertible: false },
  { files: /\.(bin|pt|pth|pkl)$/, format: "probably a pickle of PyTorch's", convertible: false },
];

/** What to say of a model, `where`, that has these files and no weights that we read. */
export function noWeights(where: string, files: readonly string[]): UserError {
  for (const { files: pattern, format, options = "", convertible } of otherWeights) {
    const file = files.find((name) => pattern.test(name));
    if (file === undefined) continue;
    const only = `${where} has its weights as ${file} only, ${format}; we read ${weightsFile}.`;
    if (!convertible) return new UserError(only, { remedy: { kind: "otherModel" } });
    return new UserError(
      `${only} Convert it with Python's transformers${options && " 4"}, ` +
        `AutoModel.from_pretrained("${where}"${options}).save_pretrained("converted"), and copy its ` +
        `tokenizer's files beside it.`,
      { remedy: { kind: "useModel", name: "converted" } },
    );
  }
  const named = files.find((name) => name.endsWith(".safetensors"));
  return new UserError(
    `${where} has neither ${weightsFile} nor ${indexFile}` +
      (named === undefined
        ? "."
        : `, only ${named}. If that holds the model, call it ${weightsFile}.`),
    { remedy: { kind: "otherModel" } },
  );
}

/** What a trained run or a model is written as: files by name, before anything is written. */
import type { Dtype } from "../../engine/pack.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "./folder.ts";
import { encodeSafetensors } from "./safetensors.ts";
import { openWeightsFile } from "./weights_file.ts";

/** Tensors by name. */
export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** A file to be written: text, bytes or tensors. */
export type RunFile =
  | { name: string; content: string | Uint8Array }
  | { name: string; tensors: NamedTensors; /** f32 unless given. */ dtype?: Dtype };

/** A file's bytes in pieces that follow one another; those of tensors are views, not copies. */
export function piecesOf(file: RunFile): Uint8Array[] {
  if ("tensors" in file) {
    const tensors = [...file.tensors].map(([name, tensor]) => ({ name, ...tensor }));
    return encodeSafetensors(tensors, undefined, file.dtype);
  }
  const { content } = file;
  return [typeof content === "string" ? new TextEncoder().encode(content) : content];
}

/**
 * Reads a small safetensors file whole, under the names that `rename` gives. Throws a UserError where it is none, or
 * holds what is no finite number.
 */
export async function readTensors(
  folder: Folder,
  name: string,
  rename: (name: string) => string = (name) => name,
): Promise<NamedTensors> {
  const source = await folder.open(name);
  const file = await openWeightsFile(source);
  try {
    const tensors: NamedTensors = new Map();
    for (const { name, shape } of file.tensors.values()) {
      const data = await file.read(name);
      checkFinite(data, `${source.name}: "${name}"`);
      tensors.set(rename(name), { shape, data });
    }
    return tensors;
  } finally {
    file.close();
  }
}

/** Throws where a value is no finite number: what is computed with it would fail later, and not say why. */
export function checkFinite(values: Float32Array, where: string): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const exponent = 0x7f800000; // all ones in NaN and in infinities
  for (let i = 0; i < words.length; i++) {
    if ((words[i] & exponent) !== exponent) continue;
    throw new UserError(
      `${where} holds ${values[i]} (value ${i} of ${values.length}): the file is damaged. ` +
        `Download or write it again.`,
    );
  }
}

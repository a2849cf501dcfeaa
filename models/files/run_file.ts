/** What a trained run or a model is written as: files by name, before anything is written. */
import type { Folder } from "./folder.ts";
import { encodeSafetensors, openSafetensors } from "./safetensors.ts";

/** Tensors by name. */
export type NamedTensors = Map<string, { shape: number[]; data: Float32Array }>;

/** A file to be written: text, bytes or tensors. */
export type RunFile =
  | { name: string; content: string | Uint8Array }
  | { name: string; tensors: NamedTensors };

/** A file's bytes in pieces that follow one another; those of tensors are views, not copies. */
export function piecesOf(file: RunFile): Uint8Array[] {
  if ("tensors" in file) {
    return encodeSafetensors([...file.tensors].map(([name, tensor]) => ({ name, ...tensor })));
  }
  const { content } = file;
  return [typeof content === "string" ? new TextEncoder().encode(content) : content];
}

/** Reads a small safetensors file whole, under the names that `rename` gives. */
export async function readTensors(
  folder: Folder,
  name: string,
  rename: (name: string) => string = (name) => name,
): Promise<NamedTensors> {
  const file = await openSafetensors(await folder.open(name));
  try {
    const tensors: NamedTensors = new Map();
    for (const { name, shape } of file.tensors.values()) {
      tensors.set(rename(name), { shape, data: await file.read(name) });
    }
    return tensors;
  } finally {
    file.close();
  }
}

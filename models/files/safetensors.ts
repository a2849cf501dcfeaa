/**
 * Reading and writing safetensors, the file format of Hugging Face's checkpoints, one tensor at a
 * time: a model's weights are never in memory as a whole file.
 */
import { UserError } from "./errors.ts";
import {
  encodeHeader,
  headerLength,
  parseHeader,
  type PlacedTensor,
  type TensorInfo,
} from "./safetensors_header.ts";
import { writeAll, writeWhole } from "./write.ts";

export type { Dtype, TensorInfo } from "./safetensors_header.ts";

export interface SafetensorsFile {
  path: string;
  metadata: Record<string, string>;
  tensors: Map<string, TensorInfo>;
  /** Reads one tensor from disk as float32; F64 is rounded, F16 and BF16 are exact. */
  read(name: string): Promise<Float32Array>;
  close(): void;
}

/**
 * Opens a safetensors file and reads its header only. Throws a UserError naming the file where it is
 * missing, cut off or malformed; `read` throws one for a tensor that the file lacks or that holds
 * no floating-point numbers. Close it after use.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`There is no file ${path}.`, { cause: error });
  }
  try {
    const { size } = await file.stat();
    const prefix = new Uint8Array(Math.min(8, size));
    await readExactly(file, prefix, path);
    const json = new Uint8Array(headerLength(prefix, size, path));
    await readExactly(file, json, path);
    const dataStart = 8 + json.length;
    const { metadata, tensors } = parseHeader(json, size - dataStart, path);
    // Reads share one file position, so they wait for each other.
    let previous: Promise<unknown> = Promise.resolve();
    const read = (name: string): Promise<Float32Array> => {
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new UserError(`${path} holds no tensor "${name}".`);
      const toFloat32 = conversion(tensor, path);
      const next = previous.then(async () => {
        const bytes = new Uint8Array(tensor.byteLength);
        await file.seek(dataStart + tensor.begin, Deno.SeekMode.Start);
        await readExactly(file, bytes, path);
        return toFloat32(bytes.buffer);
      });
      previous = next.catch(() => {});
      return next;
    };
    return {
      path,
      metadata,
      tensors,
      // A thrown UserError becomes a rejection.
      read: async (name) => await read(name),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readExactly(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  for (let filled = 0; filled < bytes.length;) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) throw new UserError(`${path} ended while it was being read.`);
    filled += count;
  }
}

/** Typed arrays are little-endian, as the format is, on every machine that Deno runs on. */
function conversion(
  { name, dtype, shape }: PlacedTensor,
  path: string,
): (buffer: ArrayBuffer) => Float32Array {
  switch (dtype) {
    case "F32":
      return (buffer) => new Float32Array(buffer);
    case "F64":
      return (buffer) => new Float32Array(new Float64Array(buffer));
    case "F16":
      return (buffer) => new Float32Array(new Float16Array(buffer));
    case "BF16":
      // The upper half of a float32.
      return (buffer) => {
        const halves = new Uint16Array(buffer);
        const words = new Uint32Array(halves.length);
        for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16;
        return new Float32Array(words.buffer);
      };
    default:
      throw new UserError(
        `${path}: "${name}" is ${dtype} [${
          shape.join(", ")
        }]; only F32, F16, BF16 and F64 tensors ` +
          `can be read as weights.`,
      );
  }
}

/**
 * Writes float32 tensors to a safetensors file, whole or not at all, and returns its size in bytes.
 * Tensors are ordered by name, as the reference implementation orders them, so that the same
 * tensors give the same file. Throws where a shape does not fit its data or a name comes twice.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<{ name: string; shape: readonly number[]; data: Float32Array }>,
  metadata: Record<string, string> = { format: "pt" },
): Promise<number> {
  const ordered = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [i, { name, shape, data }] of ordered.entries()) {
    const size = shape.reduce((product, side) => product * side, 1);
    if (size !== data.length) {
      throw new Error(
        `Tensor "${name}" of shape [${shape.join(", ")}] should hold ${size} values, but holds ` +
          `${data.length}.`,
      );
    }
    if (name === "__metadata__" || ordered[i + 1]?.name === name) {
      throw new Error(`The tensor name "${name}" is taken.`);
    }
  }
  const header = encodeHeader(
    ordered.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength })),
    metadata,
  );
  return await writeWhole(path, async (file) => {
    await writeAll(file, header);
    let written = header.length;
    for (const { data } of ordered) {
      await writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      written += data.byteLength;
    }
    return written;
  });
}

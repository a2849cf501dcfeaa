/**
 * Reading and writing safetensors, the file format of Hugging Face's checkpoints, one tensor at a
 * time: a model's weights are never in memory as a whole file.
 */
import { type Dtype as StoredDtype, pack, unpack } from "../../engine/pack.ts";
import { UserError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import {
  encodeHeader,
  headerLength,
  parseHeader,
  type PlacedTensor,
  type TensorInfo,
} from "./safetensors_header.ts";

export type { Dtype, TensorInfo } from "./safetensors_header.ts";

export interface SafetensorsFile {
  /** Its source's. */
  name: string;
  metadata: Record<string, string>;
  tensors: Map<string, TensorInfo>;
  /** Reads one tensor as float32; F64 is rounded, F16 and BF16 are exact. */
  read(name: string): Promise<Float32Array>;
  close(): void;
}

/**
 * Reads the header of a safetensors file, and takes its source over: that is closed with the file, or
 * when this throws. Throws a UserError naming the file where it is cut off or malformed; `read`
 * throws one for a tensor that the file lacks or that holds no floating-point numbers.
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const { name: file, byteLength: size } = source;
  const bytes = async (begin: number, length: number): Promise<ArrayBuffer> => {
    const read = await source.slice(begin, begin + length);
    if (read.byteLength === length) return read;
    throw new UserError(`${file} ended while it was being read.`);
  };
  try {
    const prefix = new Uint8Array(await bytes(0, Math.min(8, size)));
    const json = new Uint8Array(await bytes(8, headerLength(prefix, size, file)));
    const dataStart = 8 + json.length;
    const { metadata, tensors } = parseHeader(json, size - dataStart, file);
    return {
      name: file,
      metadata,
      tensors,
      async read(name) {
        const tensor = tensors.get(name);
        if (tensor === undefined) throw new UserError(`${file} holds no tensor "${name}".`);
        checkSize(tensor, file);
        const toFloat32 = conversion(tensor, file);
        return toFloat32(await bytes(dataStart + tensor.begin, tensor.byteLength));
      },
      close: () => source.close?.(),
    };
  } catch (error) {
    source.close?.();
    throw error;
  }
}

/** Twice what the largest models have in one tensor; beyond it lies what a typed array holds. */
const mostTensorBytes = 2 ** 32;

/** Throws a UserError where a tensor is larger than what can be read of one. */
export function checkSize({ name, shape, byteLength }: TensorInfo, file: string): void {
  if (byteLength <= mostTensorBytes) return;
  throw new UserError(
    `${file}: "${name}" [${shape.join(", ")}] takes ${byteLength} bytes; at most ` +
      `${mostTensorBytes} of a tensor can be read.`,
  );
}

/** Typed arrays are little-endian, as the format is, on every machine that has WebGPU. */
function conversion(
  { name, dtype, shape }: PlacedTensor,
  file: string,
): (buffer: ArrayBuffer) => Float32Array {
  switch (dtype) {
    case "F32":
      return (buffer) => new Float32Array(buffer);
    case "F64":
      return (buffer) => new Float32Array(new Float64Array(buffer));
    case "F16":
      return (buffer) => unpack(new Uint16Array(buffer), "f16");
    case "BF16":
      return (buffer) => unpack(new Uint16Array(buffer), "bf16");
    default:
      throw new UserError(
        `${file}: "${name}" is ${dtype} [${shape.join(", ")}]; only F32, F16, BF16 and F64 ` +
          `tensors can be read as weights.`,
      );
  }
}

/**
 * The bytes of a safetensors file of float32 tensors, in pieces that follow one another: the header,
 * then views of the tensors' own data, so that nothing is copied, or, where another dtype is asked for, the values
 * rounded to it. Tensors are ordered by name, as the reference implementation orders them, so that the same tensors give
 * the same file. Throws where a shape does not fit its data or a name comes twice, and a RangeError where a value is
 * beyond the dtype's range.
 */
export function encodeSafetensors(
  tensors: Iterable<{ name: string; shape: readonly number[]; data: Float32Array }>,
  metadata: Record<string, string> = { format: "pt" },
  dtype: StoredDtype = "f32",
): Uint8Array[] {
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
  const stored = ordered.map(({ data }) => dtype === "f32" ? data : pack(data, dtype));
  const header = encodeHeader(
    ordered.map(({ name, shape }, i) => ({ name, shape, byteLength: stored[i].byteLength })),
    metadata,
    dtype === "f32" ? "F32" : dtype === "f16" ? "F16" : "BF16",
  );
  const views = stored.map(({ buffer, byteOffset, byteLength }) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  );
  return [header, ...views];
}

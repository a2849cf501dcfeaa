/**
 * The header of a safetensors file: 8 bytes of little-endian length, then JSON that gives each
 * tensor's dtype, shape and place in the bytes that follow. Checked as strictly as the reference
 * implementation does (huggingface/safetensors, `tensor.rs`): tensors lie one after another without
 * holes or overlaps and fill the file exactly.
 */
import { messageOf, UserError } from "../errors.ts";
import { isObject, isTooDeep, mostLevels, shown } from "./json.ts";

/** Bits of one value. */
const dtypeBits = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  C64: 64,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E5M2FNUZ: 8,
  F8_E4M3FNUZ: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
} as const;

export type Dtype = keyof typeof dtypeBits;

export interface TensorInfo {
  name: string;
  dtype: Dtype;
  shape: number[];
  byteLength: number;
}

/** A tensor and where its bytes start, counted from the end of the header. */
export interface PlacedTensor extends TensorInfo {
  begin: number;
}

/** The reference implementation reads no longer header either. */
const maxHeaderBytes = 100_000_000;

/**
 * Reads the length field. Throws a UserError where no header of that length can be in a file of
 * `fileBytes`.
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, path: string): number {
  if (fileBytes < 8 || prefix.length < 8) {
    throw new UserError(
      `${path} is not a safetensors file: ${fileBytes} bytes hold no header. ` +
        `Download or write it again.`,
    );
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw new UserError(
      `${path} is not a safetensors file: its first 8 bytes announce a header of ${length} bytes; ` +
        `at most ${maxHeaderBytes} are allowed.`,
    );
  }
  if (8n + length > BigInt(fileBytes)) {
    throw new UserError(
      `${path} is cut off: its header should take ${length} bytes, but the file has only ` +
        `${fileBytes}. Download or write it again.`,
    );
  }
  return Number(length);
}

/**
 * Reads the JSON of a header, of which `dataBytes` of tensors follow. Throws a UserError that names
 * the file and the first tensor that cannot be right.
 */
export function parseHeader(
  json: Uint8Array,
  dataBytes: number,
  path: string,
): { metadata: Record<string, string>; tensors: Map<string, PlacedTensor> } {
  const fail = (what: string, cause?: unknown): never => {
    throw new UserError(`${path} is not a valid safetensors file: ${what}`, { cause });
  };
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(json);
    if (isTooDeep(text)) throw new Error(`more than ${mostLevels} levels deep`);
    header = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON (${messageOf(error)}).`, error);
  }
  if (!isObject(header)) return fail("its header is not a JSON object.");
  const metadata: Record<string, string> = {};
  const tensors = new Map<string, PlacedTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (!isObject(entry)) return fail(`the entry "${name}" of its header is not an object.`);
    if (name !== "__metadata__") {
      tensors.set(name, parseTensor(name, entry, fail));
      continue;
    }
    for (const [key, value] of Object.entries(entry)) {
      if (typeof value !== "string") return fail(`its metadata "${key}" is not a string.`);
      metadata[key] = value;
    }
  }
  let end = 0;
  for (
    const tensor of [...tensors.values()].sort((a, b) => a.begin - b.begin || size(a) - size(b))
  ) {
    if (tensor.begin !== end) {
      fail(
        `"${tensor.name}" starts at byte ${tensor.begin} of the data, but the tensor before it ends ` +
          `at ${end}: they ${tensor.begin < end ? "overlap" : "leave a hole"}.`,
      );
    }
    end += tensor.byteLength;
  }
  if (end > dataBytes) {
    throw new UserError(
      `${path} is cut off: its tensors take ${end} bytes, but only ${dataBytes} follow the header. ` +
        `Download or write it again.`,
    );
  }
  if (end < dataBytes) fail(`${dataBytes - end} bytes at its end belong to no tensor.`);
  return { metadata, tensors };
}

const size = (tensor: TensorInfo) => tensor.byteLength;

function parseTensor(
  name: string,
  entry: Record<string, unknown>,
  fail: (what: string) => never,
): PlacedTensor {
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(dtypeBits, dtype)) {
    return fail(`"${name}" has the unknown dtype ${shown(dtype)}.`);
  }
  if (!isSizes(shape)) return fail(`"${name}" has the shape ${shown(shape)}.`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`"${name}" has the data_offsets ${shown(offsets)}.`);
  }
  const known = dtype as Dtype;
  const expected = shape.reduce((product, side) => product * side, 1) * dtypeBits[known] / 8;
  const byteLength = offsets[1] - offsets[0];
  if (byteLength !== expected) {
    return fail(
      `"${name}", ${dtype} [${shape.join(", ")}], should take ${expected} bytes, but its ` +
        `data_offsets [${offsets.join(", ")}] give ${byteLength}.`,
    );
  }
  return { name, dtype: known, shape, byteLength, begin: offsets[0] };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/**
 * The bytes of a header for F32 tensors that lie in the given order, length field included, padded
 * with spaces to a multiple of 8 bytes so that the data after it is aligned.
 */
export function encodeHeader(
  tensors: readonly { name: string; shape: readonly number[]; byteLength: number }[],
  metadata: Record<string, string>,
  dtype: Dtype,
): Uint8Array {
  const entries: [string, unknown][] = [["__metadata__", metadata]];
  let begin = 0;
  for (const { name, shape, byteLength } of tensors) {
    const end = begin + byteLength;
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

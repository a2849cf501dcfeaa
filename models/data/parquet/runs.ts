/** The encodings of Parquet that count: runs of equal values, packed bits, differences. */
import { Damage } from "./thrift.ts";

/** Part of a page: the bytes [at, end). */
export interface Section {
  bytes: Uint8Array;
  at: number;
  end: number;
}

/** By how many values a run of packed ones may go beyond what there is. */
const mostFilledUp = 4096;

/** An unsigned number of 7 bits a byte, as hyparquet reads it: of 32 bits. */
function varint(section: Section): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    if (section.at >= section.end) throw new Damage("its values end too early");
    const byte = section.bytes[section.at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Damage("it holds a number of more than 32 bits");
}

/** The `width` bits, at most 32, that begin at a bit of the bytes. */
function bitsAt(bytes: Uint8Array, from: number, bit: number, width: number): number {
  let value = 0;
  for (let taken = 0; taken < width;) {
    const at = bit + taken;
    const some = Math.min(8 - (at & 7), width - taken);
    const part = (bytes[from + (at >> 3)] >> (at & 7)) & ((1 << some) - 1);
    value += part * 2 ** taken;
    taken += some;
  }
  return value;
}

/**
 * Reads `count` values of `width` bits in the hybrid of run lengths and packed bits, and tells each with how often it
 * comes. Throws a {@link Damage} where they are fewer, or a run is longer than what is left: hyparquet 1.31.5 would
 * write that run all the same, up to 2³¹ values.
 * See https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE = 3)
 */
export function readRuns(
  section: Section,
  width: number,
  count: number,
  visit: (value: number, times: number) => void,
): void {
  if (width > 32) throw new Damage(`its values have ${width} bits`);
  const { bytes, end } = section;
  for (let seen = 0; seen < count;) {
    const header = varint(section);
    const packed = (header & 1) === 1;
    const times = Math.floor(header / 2) * (packed ? 8 : 1);
    const left = Math.min(times, count - seen);
    const size = Math.ceil((packed ? times : 1) * width / 8);
    const from = section.at;
    // Packed values may be filled up, DuckDB's to 256, and the bytes that only fill up be left out.
    if (times > left + (packed ? mostFilledUp : 0)) {
      throw new Damage(`a run of ${times} values stands where ${count - seen} are left`);
    }
    if (from + (packed ? Math.ceil(left * width / 8) : size) > end) {
      throw new Damage("its values end too early");
    }
    section.at = Math.min(from + size, end);
    if (packed) {
      for (let index = 0; index < left; index++) {
        visit(bitsAt(bytes, from, index * width, width), 1);
      }
    } else visit(bitsAt(bytes, from, 0, size * 8), times);
    seen += times;
  }
}

/**
 * Walks `count` values that are kept as differences, in blocks of miniblocks. Throws a {@link Damage} where the sizes
 * of blocks make no sense: hyparquet 1.31.5 would walk backwards by negative ones.
 * See https://parquet.apache.org/docs/file-format/data-pages/encodings/ (DELTA_BINARY_PACKED = 5)
 */
export function skipDeltas(section: Section, count: number): void {
  const block = varint(section);
  const miniblocks = varint(section);
  const each = block / miniblocks;
  if (miniblocks < 1 || miniblocks > 512 || each < 8 || each % 8 !== 0) {
    throw new Damage(`it has blocks of ${block} values in ${miniblocks} parts`);
  }
  varint(section); // how many values there are, once more
  skipNumber(section); // the first value
  for (let seen = 1; seen < count;) {
    skipNumber(section); // the least difference
    const widths = section.at;
    section.at += miniblocks;
    for (let index = 0; index < miniblocks && seen < count; index++) {
      if (widths + index >= section.end) throw new Damage("its values end too early");
      const width = section.bytes[widths + index];
      if (width > 64) throw new Damage(`its differences have ${width} bits`);
      section.at += each * width / 8;
      seen += each;
    }
  }
}

/** A number of up to 64 bits, in at most ten bytes. */
function skipNumber(section: Section): void {
  for (let size = 0; size < 10; size++) {
    if (section.at >= section.end) throw new Damage("its values end too early");
    if (section.bytes[section.at++] < 0x80) return;
  }
  throw new Damage("it holds a number of more than 64 bits");
}

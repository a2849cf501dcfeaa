/**
 * Thrift's compact protocol, in which Parquet keeps its footer and the headers of pages. hyparquet reads it too, but
 * believes what a damaged file says; here every length is held against the bytes that are left.
 */

export type Fields = Map<number, Value>;
export type Value = number | boolean | Uint8Array | Value[] | Fields;

/** Deeper than Parquet's own structures go. */
const deepest = 32;

/** What is wrong with a file's bytes, as the end of a sentence: "its footer says that …". */
export class Damage extends Error {}

/**
 * Reads a struct: its fields by number, and where it ends. 64-bit integers become numbers, so that large ones are
 * rounded. Throws a {@link Damage} where the bytes are no struct.
 * See https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export function readStruct(view: DataView, start: number): { fields: Fields; end: number } {
  let at = start;

  const byte = (): number => {
    if (at >= view.byteLength) throw new Damage("it ends too early");
    return view.getUint8(at++);
  };

  /** An unsigned number of 7 bits a byte, of at most so many bits. */
  const varint = (bits: number): number => {
    let value = 0;
    for (let shift = 0; shift < bits; shift += 7) {
      const next = byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80 && value < 2 ** bits) return value;
      if (next < 0x80) break;
    }
    throw new Damage(`it holds a number of more than ${bits} bits`);
  };

  const zigzag = (bits: number): number => {
    const value = varint(bits);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };

  const length = (): number => {
    const value = varint(32);
    const left = view.byteLength - at;
    if (value > left) {
      throw new Damage(`it announces ${value} bytes or items where ${left} are left`);
    }
    return value;
  };

  const element = (type: number, depth: number): Value => {
    switch (type) {
      case 1:
      case 2:
        return type === 1;
      case 3:
        return byte() << 24 >> 24;
      case 4:
      case 5:
        return zigzag(32);
      case 6:
        return zigzag(64);
      case 7: {
        if (at + 8 > view.byteLength) throw new Damage("it ends too early");
        at += 8;
        return view.getFloat64(at - 8, true);
      }
      case 8: {
        const size = length();
        at += size;
        return new Uint8Array(view.buffer, view.byteOffset + at - size, size);
      }
      case 9: {
        const head = byte();
        const long = head >> 4 === 15;
        const size = long ? length() : head >> 4;
        const inner = head & 15;
        const items: Value[] = [];
        // Booleans in a list have a byte each.
        for (let index = 0; index < size; index++) {
          items.push(inner === 1 || inner === 2 ? byte() === 1 : element(inner, depth + 1));
        }
        return items;
      }
      case 12:
        return struct(depth + 1);
      default:
        throw new Damage(`it holds a value of the unknown type ${type}`);
    }
  };

  const struct = (depth: number): Fields => {
    if (depth > deepest) throw new Damage(`it is nested more than ${deepest} deep`);
    const fields: Fields = new Map();
    for (let id = 0;;) {
      const head = byte();
      const type = head & 15;
      if (type === 0) return fields;
      id = head >> 4 === 0 ? zigzag(32) : id + (head >> 4);
      fields.set(id, element(type, depth));
    }
  };

  const fields = struct(0);
  return { fields, end: at };
}

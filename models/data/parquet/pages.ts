/**
 * The pages of a column, checked before hyparquet reads them: version 1.31.5 loops for ever where a header lacks a
 * length (it reads on from NaN), and takes whatever memory a header asks for.
 */
import type { CompressionCodec, ParquetType } from "hyparquet";
import { readRuns, type Section, skipDeltas } from "./runs.ts";
import { Damage, type Fields, readStruct } from "./thrift.ts";
import { checkRatio, type Unpack, unpackerOf } from "./unpack.ts";

/** What the footer says of a column within a group of rows; its values are no lists. */
export interface Chunk {
  codec: CompressionCodec | undefined;
  type: ParquetType;
  /** Bytes of a value of the type FIXED_LEN_BYTE_ARRAY. */
  typeLength: number | undefined;
  /** How many of the column and the structs around it may be null. */
  maxDefinition: number;
  rows: number;
  /** Whether it lies in no struct: its pages are then read only as far as the rows go. */
  flat: boolean;
}

interface Page {
  kind: "dictionary" | "data" | "data2";
  encoding: number;
  values: number;
  /** Of a page of version 2: how many values are null. */
  nulls: number;
}

/** Larger than any writer's row group: parquet-cpp's are of 2²⁰ rows, and were of 2²⁶. */
const mostValues = 2 ** 26;

const encodings = { plain: 0, plainDictionary: 2, rle: 3, deltas: 5, lengths: 6, prefixes: 7 };
const isDictionary = (encoding: number) => encoding === encodings.plainDictionary || encoding === 8;

/** A count in a header. Throws where it is missing, negative or too large. */
function count(fields: Fields | undefined, id: number, what: string, most = 2 ** 31): number {
  const value = fields?.get(id);
  if (typeof value !== "number" || value < 0) throw new Damage(`a page lacks its ${what}`);
  if (value > most) {
    throw new Damage(`a page announces ${value} for its ${what}, of ${most} at most`);
  }
  return value;
}

function structIn(fields: Fields, id: number): Fields | undefined {
  const value = fields.get(id);
  return value instanceof Map ? value : undefined;
}

/** The bytes that so many values take at least, each for itself. */
function leastBytes({ type, typeLength = 0 }: Chunk, values: number): number {
  const each = {
    BOOLEAN: 1 / 8,
    INT32: 4,
    FLOAT: 4,
    INT64: 8,
    DOUBLE: 8,
    INT96: 12,
    BYTE_ARRAY: 4,
  };
  return Math.ceil(values * (type === "FIXED_LEN_BYTE_ARRAY" ? typeLength : each[type]));
}

/**
 * Checks the headers of a column's pages, and gives the function that unpacks them, which checks what is in them and
 * is to be called with the pages in their order, as hyparquet does for a codec. Both throw a {@link Damage}; a
 * UserError where the codec is not known.
 */
export function checkPages(bytes: Uint8Array, chunk: Chunk): Unpack {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unpack = unpackerOf(chunk.codec);
  const packed: Page[] = [];
  let dictionary: number | undefined;
  let rows = 0;
  // hyparquet takes a last byte for nothing.
  for (let at = 0; at < bytes.length - 1 && !(chunk.flat && rows >= chunk.rows);) {
    const { fields, end } = readStruct(view, at);
    const size = count(fields, 3, "compressed size", bytes.length - end);
    const unpackedSize = count(fields, 2, "size");
    checkRatio(chunk.codec, size, unpackedSize);
    const { page, levels, isPacked } = pageOf(fields);
    if (page.kind === "dictionary") {
      if (leastBytes(chunk, page.values) > unpackedSize) {
        throw new Damage(`a dictionary announces ${page.values} values in ${unpackedSize} bytes`);
      }
      dictionary = page.values;
    } else {
      rows += page.values;
      if (isDictionary(page.encoding) && dictionary === undefined) {
        throw new Damage("a page's dictionary is missing");
      }
    }
    if (rows > chunk.rows) {
      throw new Damage(`its pages hold more than the ${chunk.rows} rows of their group`);
    }
    if (page.kind === "data2") {
      const { repetition, definition } = levels;
      if (repetition + definition > Math.min(size, unpackedSize)) {
        throw new Damage(`a page of ${size} bytes announces ${repetition + definition} for levels`);
      }
      const from = end + repetition;
      const section = { bytes, at: from, end: from + definition };
      const present = presentIn(section, page.values, chunk.maxDefinition);
      if (present !== page.values - page.nulls) {
        throw new Damage(`a page announces ${page.nulls} nulls and has ${page.values - present}`);
      }
      if (!isPacked) checkValues(bytes.subarray(from + definition, end + size), page);
    }
    if (isPacked) packed.push(page);
    at = end + size;
  }
  if (rows !== chunk.rows) throw new Damage(`its pages hold ${rows} of ${chunk.rows} rows`);

  function checkValues(content: Uint8Array, page: Page): void {
    if (page.kind === "dictionary") return;
    const section: Section = { bytes: content, at: 0, end: content.length };
    let present = page.values - page.nulls;
    if (page.kind === "data" && chunk.maxDefinition > 0) {
      const levels = lengthPrefixed(section);
      present = presentIn(levels, page.values, chunk.maxDefinition);
    }
    checkEncoding(section, page, present, chunk, dictionary ?? 0);
  }

  return (input, length) => {
    const page = packed.shift();
    if (page === undefined) throw new Damage("a page is not where its column says");
    const content = unpack(input, length);
    checkValues(content, page);
    return content;
  };
}

/** The levels' sizes are those of a page of version 2. */
function pageOf(fields: Fields) {
  const none = { repetition: 0, definition: 0 };
  switch (fields.get(1)) {
    case 0: {
      const head = structIn(fields, 5);
      const values = count(head, 1, "number of values", mostValues);
      // 3 is RLE; what came before it is found nowhere any more.
      if (count(head, 3, "encoding of levels") !== 3) {
        throw new Damage("a page has levels of an encoding that is not known");
      }
      const page: Page = { kind: "data", encoding: count(head, 2, "encoding"), values, nulls: 0 };
      return { page, levels: none, isPacked: true };
    }
    case 2: {
      const head = structIn(fields, 7);
      const values = count(head, 1, "number of values", mostValues);
      const page: Page = { kind: "dictionary", encoding: encodings.plain, values, nulls: 0 };
      return { page, levels: none, isPacked: true };
    }
    case 3: {
      const head = structIn(fields, 8);
      const values = count(head, 1, "number of values", mostValues);
      const page: Page = {
        kind: "data2",
        encoding: count(head, 4, "encoding"),
        values,
        nulls: count(head, 2, "number of nulls", values),
      };
      if (count(head, 3, "number of rows") !== values) {
        throw new Damage(`a page has ${values} values for other ${head?.get(3)} rows`);
      }
      const definition = count(head, 5, "length of levels");
      const repetition = count(head, 6, "length of levels");
      return { page, levels: { repetition, definition }, isPacked: head?.get(7) !== false };
    }
    default:
      throw new Damage("a page is of no kind that is known");
  }
}

/** The part that a length of 4 bytes announces; the section goes on behind it. */
function lengthPrefixed(section: Section): Section {
  const { bytes, at, end } = section;
  const size = at + 4 > end
    ? Infinity
    : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
  if (at + 4 + size > end) throw new Damage("a page's levels are longer than the page");
  section.at = at + 4 + size;
  return { bytes, at: at + 4, end: section.at };
}

/** How many of a page's values are there: those whose definition level is the highest. */
function presentIn(section: Section, values: number, maxDefinition: number): number {
  if (maxDefinition === 0) return values;
  let present = 0;
  readRuns(section, 32 - Math.clz32(maxDefinition), values, (level, times) => {
    if (level === maxDefinition) present += times;
  });
  return present;
}

function checkEncoding(
  section: Section,
  { kind, encoding }: Page,
  present: number,
  chunk: Chunk,
  dictionary: number,
): void {
  if (present === 0) return;
  if (isDictionary(encoding)) {
    const width = section.bytes[section.at++];
    if (width === undefined) throw new Damage("a page's values are missing");
    // hyparquet reads nothing more of a page of version 1: all are the dictionary's first.
    if (width === 0 && kind === "data") return;
    readRuns(section, width, present, (index) => {
      if (index >= dictionary) {
        throw new Damage(`value ${index} of a dictionary of ${dictionary} is asked for`);
      }
    });
  } else if (encoding === encodings.rle) {
    readRuns(lengthPrefixed(section), 1, present, () => {});
  } else if (encoding === encodings.deltas || encoding === encodings.lengths) {
    skipDeltas(section, present);
  } else if (encoding === encodings.prefixes) {
    skipDeltas(section, present);
    skipDeltas(section, present);
  } else if (leastBytes(chunk, present) > section.end - section.at) {
    throw new Damage(`a page of ${section.end - section.at} bytes announces ${present} values`);
  }
}

/** Parquet files, read a column at a time by parts. */
import { type FileMetaData, parquetMetadataAsync, parquetScan } from "hyparquet";
import { messageOf, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { isObject } from "../files/json.ts";
import { cellText, CompoundCell } from "./cell.ts";
import { checkPages } from "./parquet/pages.ts";
import {
  chunkOf,
  columnsOf,
  footerOf,
  isDecimal,
  maxDefinition,
  type ParquetColumn,
} from "./parquet/schema.ts";
import { Damage, readStruct } from "./parquet/thrift.ts";
import { exactValue, parsers } from "./parquet/values.ts";
import type { Table } from "./table.ts";

function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * The names of a class column, which Hugging Face's `datasets` keeps in the schema's metadata under
 * `huggingface`: {"info": {"features": {column: {"names": […], "_type": "ClassLabel"}}}}.
 */
function classNames(metadata: FileMetaData, path: readonly string[]): string[] | undefined {
  const text = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const names = field(["info", "features", ...path].reduce(field, json), "names");
  return Array.isArray(names) && names.every((name) => typeof name === "string")
    ? names
    : undefined;
}

/** The error of a file that cannot be read, in words for what was thrown. */
function unreadable(start: string, cause: unknown): UserError {
  // What hyparquet says where it stumbled over bytes that make no sense is about its own code.
  const stumbled = cause instanceof TypeError || cause instanceof RangeError;
  const what = cause instanceof UserError
    ? messageOf(cause)
    : `the file is damaged or was cut off${stumbled ? "" : ` (${messageOf(cause)})`}`;
  return new UserError(`${start}: ${what}.`, { cause });
}

/** How many rows a byte of a file may stand for: with fewer, and a million besides, nothing can be learnt. */
const mostRowsPerByte = 64;

/** Reads the footer and checks that it may be believed. Throws a {@link Damage} where it may not. */
async function readFooter(file: ByteSource): Promise<FileMetaData> {
  const { byteLength } = file;
  const end = byteLength < 12
    ? new Uint8Array()
    : new Uint8Array(await file.slice(byteLength - 8, byteLength));
  const magic = new TextDecoder("latin1").decode(end.subarray(4));
  if (magic === "PARE") throw new UserError("it is encrypted, and only plain files are read");
  if (magic !== "PAR1") throw new Damage("it does not end as Parquet files do");
  const size = new DataView(end.buffer).getUint32(0, true);
  if (size > byteLength - 12) throw new Damage(`a footer of ${size} bytes is announced`);
  const footer = await file.slice(byteLength - 8 - size, byteLength - 8);
  readStruct(new DataView(footer), 0);
  const metadata = await parquetMetadataAsync(file, { geoparquet: false });
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (rows !== Number(metadata.num_rows) || metadata.row_groups.some((g) => g.num_rows < 0n)) {
    throw new Damage(`it announces ${metadata.num_rows} rows and has ${rows}`);
  }
  if (rows > mostRowsPerByte * byteLength + 1e6) {
    throw new Damage(`${rows} rows are announced in ${byteLength} bytes`);
  }
  return metadata;
}

type Group = FileMetaData["row_groups"][number];

/** The values of a column in a group of rows, as hyparquet gives them. */
async function readGroup(
  file: ByteSource,
  metadata: FileMetaData,
  column: ParquetColumn,
  group: Group,
): Promise<ArrayLike<unknown>> {
  const rows = Number(group.num_rows);
  if (rows === 0) return [];
  const chunk = chunkOf(group, column);
  if (chunk === undefined) throw new UserError("it is encrypted, or kept in another file");
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const size = Number(chunk.total_compressed_size);
  if (start < 0 || size < 0 || start + size > file.byteLength) {
    throw new Damage(`it should lie in bytes ${start} to ${start + size} of ${file.byteLength}`);
  }
  const buffer = await file.slice(start, start + size);
  const element = column.elements[column.elements.length - 1];
  const unpack = checkPages(new Uint8Array(buffer), {
    codec: chunk.codec,
    type: chunk.type,
    typeLength: element.type_length,
    maxDefinition: maxDefinition(column),
    rows,
    flat: column.path.length === 1,
  });
  const scan = await parquetScan({
    file: {
      byteLength: file.byteLength,
      slice: (from, to = start + size) => buffer.slice(from - start, to - start),
    },
    // hyparquet takes functions that unpack by the names of codecs: so each page goes through ours.
    metadata: footerOf(metadata, column, group, chunk, "checked"),
    compressors: { checked: unpack } as Record<string, typeof unpack>,
    parsers,
    utf8: !isDecimal(element),
  });
  const [top, ...inner] = column.path;
  const values = await scan.readColumn({ column: top, rowStart: 0, rowEnd: rows });
  if (values.length !== rows) throw new Damage(`${values.length} of ${rows} values are there`);
  if (inner.length === 0) return values;
  return Array.from(values as ArrayLike<unknown>, (value) => inner.reduce(field, value));
}

/**
 * Reads a Parquet file's schema; the source stays open for its columns. Fields of structs are columns by dotted names.
 * Whole numbers of a class column become the names that the file carries for them, and -1, which stands for "not
 * labelled", becomes empty. Throws a `UserError` where the file is no Parquet, or a damaged one.
 */
export async function openParquet(file: ByteSource): Promise<Table> {
  const { name: path } = file;
  let metadata: FileMetaData;
  let columns: ParquetColumn[];
  try {
    metadata = await readFooter(file);
    columns = columnsOf(metadata);
  } catch (cause) {
    throw unreadable(`Cannot read ${path} as Parquet`, cause);
  }
  return {
    columns: columns.map(({ name }) => name),
    rows: Number(metadata.num_rows),
    async read(name) {
      const column = columns.find((column) => column.name === name);
      if (column === undefined) throw new UserError(`${path} has no column "${name}".`);
      if (column.compound !== undefined) {
        throw new CompoundCell(`${path}: "${name}"`, column.compound);
      }
      const names = classNames(metadata, column.path);
      const element = column.elements[column.elements.length - 1];
      const texts: string[] = [];
      for (const group of metadata.row_groups) {
        let values: ArrayLike<unknown>;
        try {
          values = await readGroup(file, metadata, column, group);
        } catch (cause) {
          throw unreadable(`Cannot read column "${name}" of ${path}`, cause);
        }
        for (let index = 0; index < values.length; index++) {
          const where = `${path}, row ${texts.length + 1}: "${name}"`;
          const text = cellText(exactValue(values[index], element), where);
          texts.push(names === undefined ? text : classText(text, names, where));
        }
      }
      return texts;
    },
  };
}

/** A class's name for its number. Throws a UserError where there is none. */
function classText(text: string, names: readonly string[], where: string): string {
  if (!/^-?\d+$/.test(text)) return text;
  if (text === "-1") return "";
  const name = names[Number(text)];
  if (name === undefined) {
    throw new UserError(`${where} is ${text}, but the file names only ${names.length} classes.`);
  }
  return name;
}

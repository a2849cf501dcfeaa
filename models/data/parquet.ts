/** Parquet files, read a column at a time by parts. */
import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { messageOf, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { isObject } from "../files/json.ts";
import { cellText } from "./cell.ts";
import type { Table } from "./table.ts";

function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * The names of a class column, which Hugging Face's `datasets` keeps in the schema's metadata under
 * `huggingface`: {"info": {"features": {column: {"names": […], "_type": "ClassLabel"}}}}.
 */
function classNames(metadata: FileMetaData, column: string): string[] | undefined {
  const text = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const names = field(field(field(field(json, "info"), "features"), column), "names");
  return Array.isArray(names) && names.every((name) => typeof name === "string")
    ? names
    : undefined;
}

/**
 * Reads a Parquet file's schema; the source stays open for its columns. Whole numbers of a class column become the names that the file carries for
 * them, and -1, which stands for "not labelled", becomes empty. Throws a `UserError` where the file
 * is no Parquet.
 */
export async function openParquet(file: ByteSource): Promise<Table> {
  const { name: path } = file;
  let metadata: FileMetaData;
  try {
    metadata = await parquetMetadataAsync(file);
  } catch (cause) {
    throw new UserError(`Cannot read ${path} as Parquet: ${messageOf(cause)}.`, { cause });
  }
  return {
    columns: parquetSchema(metadata).children.map(({ element }) => element.name),
    rows: Number(metadata.num_rows),
    async read(column) {
      let rows: Record<string, unknown>[];
      try {
        rows = await parquetReadObjects({ file, metadata, columns: [column], compressors });
      } catch (cause) {
        throw new UserError(
          `Cannot read column "${column}" of ${path}: ${messageOf(cause)}.`,
          { cause },
        );
      }
      const names = classNames(metadata, column);
      return rows.map((row, index) => {
        const text = cellText(row[column], `${path}, row ${index + 1}: "${column}"`);
        if (names === undefined || !/^-?\d+$/.test(text)) return text;
        if (text === "-1") return "";
        const name = names[Number(text)];
        if (name === undefined) {
          throw new UserError(
            `${path}, row ${index + 1}: "${column}" is ${text}, but the file names only ` +
              `${names.length} classes.`,
          );
        }
        return name;
      });
    },
  };
}

/** A file of rows and named columns, whatever its format. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { isGzip, unpackGzip, withoutGzip } from "../files/gzip.ts";
import { delimitedTable } from "./delimited.ts";
import type { Quoting } from "./delimited_rows.ts";
import { parseJsonLines } from "./json_lines.ts";
import { openParquet } from "./parquet.ts";
import { mostTextBytes, readText } from "./text_decoding.ts";

export interface Table {
  /** Column names in the file's order. */
  columns: string[];
  rows: number;
  /** What may be a mistake in the file, or in these columns of it, for the reader to judge. */
  notices?(columns: readonly string[]): UserError[];
  /** A column's values as text, "" for null. Throws a `UserError` where a value is no scalar. */
  read(column: string): Promise<string[]>;
}

/** How a file is read where its bytes do not tell. */
export interface TableOptions {
  /** Of text, as {@link encodingNamed} returns it; a byte order mark goes before it. */
  encoding?: string;
  /** Of delimited text. */
  quoting?: Quoting;
}

/** The formats we read, by file name extension. */
export const tableExtensions = [".parquet", ".csv", ".tsv", ".jsonl", ".ndjson"];

/**
 * The extension of a file name or path, in lower case, with its dot; "" where it has none. Of `a.csv.gz` it is that of
 * what was compressed.
 */
export function extensionOf(path: string): string {
  return /[^\\/](\.[^.\\/]*)$/.exec(withoutGzip(path))?.[1].toLowerCase() ?? "";
}

/** Whether a file name ends as one of the formats that we read. */
export function isTable(path: string): boolean {
  return tableExtensions.includes(extensionOf(path));
}

/**
 * Opens a Parquet, CSV, TSV (both with a first line that names the columns) or JSON Lines file, compressed by gzip or
 * not; the end of the source's name tells which. The source stays open, for a Parquet file's columns are read when they
 * are asked for. Throws a UserError for another extension and for what cannot be read, with the line number.
 */
export async function openTable(source: ByteSource, options: TableOptions = {}): Promise<Table> {
  const { name } = source;
  if (!isTable(name)) {
    throw new UserError(
      `Cannot tell the format of ${name}. Data sets are files that end in ${
        tableExtensions.join(", ")
      }.`,
    );
  }
  const content = await isGzip(source) ? await unpackGzip(source, mostTextBytes) : source;
  const extension = extensionOf(name);
  if (extension === ".parquet") return await openParquet(content);
  const text = await readText(content, options.encoding);
  if (extension === ".jsonl" || extension === ".ndjson") return parseJsonLines(text, name);
  return delimitedTable(text, name, { usual: extension === ".tsv" ? "\t" : ",", ...options });
}

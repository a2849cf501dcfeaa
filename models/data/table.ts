/** A file of rows and named columns, whatever its format. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { unpacked } from "../files/gzip.ts";
import { delimitedTable } from "./delimited.ts";
import type { Quoting } from "./delimited_rows.ts";
import { parseJsonTable } from "./json_table.ts";
import { kindOfSource } from "./kind.ts";
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

/**
 * Opens a Parquet, CSV, TSV (both with a first line that names the columns) or JSON file, compressed by gzip or not; the
 * end of the source's name tells which. The source stays open, for a Parquet file's columns are read when they are asked
 * for. Throws a UserError for another kind of file, which its first bytes may tell, and for what cannot be read, with
 * the line number.
 */
export async function openTable(source: ByteSource, options: TableOptions = {}): Promise<Table> {
  const { name } = source;
  const content = await unpacked(source, mostTextBytes);
  const kind = await kindOfSource(content);
  if (kind === "parquet") {
    // Loaded only now: half of a page's code would be what unpacks Parquet.
    const { openParquet } = await import("./parquet.ts");
    return await openParquet(content);
  }
  const text = await readText(content, options.encoding);
  if (kind === "json") return parseJsonTable(text, name);
  return delimitedTable(text, name, { usual: kind === "tsv" ? "\t" : ",", ...options });
}

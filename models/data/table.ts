/** A file of rows and named columns, whatever its format. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { parseDelimited } from "./delimited.ts";
import { parseJsonTable } from "./json_table.ts";
import { kindOfSource } from "./kind.ts";
import { openParquet } from "./parquet.ts";

export interface Table {
  /** Column names in the file's order. */
  columns: string[];
  rows: number;
  /** A column's values as text, "" for null. Throws a `UserError` where a value is no scalar. */
  read(column: string): Promise<string[]>;
}

export { extensionOf, isTable, tableExtensions } from "./kind.ts";

/** A source's text. Throws a `UserError` where it is not UTF-8. */
export async function readText(source: ByteSource): Promise<string> {
  const bytes = await source.slice(0);
  try {
    // A byte order mark is dropped by the decoder.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(
      `${source.name} is not UTF-8 text. Convert it, for example with: ` +
        `iconv -f WINDOWS-1252 -t UTF-8 old.csv > new.csv`,
      { cause },
    );
  }
}

function delimitedTable(text: string, delimiter: string, source: string): Table {
  const [header, ...rows] = parseDelimited(text, delimiter, source);
  if (header === undefined) throw new UserError(`${source} is empty.`);
  const columns = header.fields.map((name) => name.trim());
  const twice = columns.find((name, index) => columns.indexOf(name) < index);
  if (twice !== undefined) {
    throw new UserError(`${source}, line ${header.line}: two columns are called "${twice}".`);
  }
  for (const { line, fields } of rows) {
    if (fields.length !== columns.length) {
      throw new UserError(
        `${source}, line ${line}: ${fields.length} fields, but the first line names ` +
          `${columns.length} columns (${columns.join(", ")}). ` +
          `A field that holds a ${delimiter === "\t" ? "tab" : "comma"} or a line end is quoted.`,
      );
    }
  }
  return {
    columns,
    rows: rows.length,
    read(column) {
      const index = columns.indexOf(column);
      return Promise.resolve(rows.map(({ fields }) => fields[index]));
    },
  };
}

/**
 * Opens a Parquet, CSV, TSV (both with a first line that names the columns) or JSON file; the end of
 * the source's name tells which. The source stays open, for a Parquet file's columns are read when they
 * are asked for. Throws a UserError for another kind of file, which its first bytes may tell, and for
 * what cannot be read, with the line number.
 */
export async function openTable(source: ByteSource): Promise<Table> {
  const { name } = source;
  switch (await kindOfSource(source)) {
    case "parquet":
      return await openParquet(source);
    case "csv":
      return delimitedTable(await readText(source), ",", name);
    case "tsv":
      return delimitedTable(await readText(source), "\t", name);
    case "json":
      return parseJsonTable(await readText(source), name);
  }
}

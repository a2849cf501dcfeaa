/** Texts alone, without labels: lines of a text file, or a column of a table. */
import type { ByteSource } from "../files/byte_source.ts";
import { UserError } from "../errors.ts";
import { findColumn } from "./columns.ts";
import { isGzip, unpackGzip } from "../files/gzip.ts";
import { checkPlainText, extensionOf, isTable, tableExtensions } from "./kind.ts";
import { openTable, type TableOptions } from "./table.ts";
import { mostTextBytes, readText } from "./text_decoding.ts";

/** Which of a file's texts, and how it is read. */
export interface TextOptions extends TableOptions {
  textColumn?: string;
}

export interface Texts {
  /** In the file's order, as they stand there, empty ones too. */
  texts: string[];
  /** What may be a mistake in the file, for the reader to judge. */
  notices: readonly UserError[];
}

/**
 * The texts of a file. A `.txt` file has one a line, every other file that is read has named columns. Throws a
 * `UserError` for another extension, a column that is not there, and what cannot be read.
 */
export async function readTexts(source: ByteSource, options: TextOptions = {}): Promise<Texts> {
  const { name } = source;
  if (extensionOf(name) === ".txt") {
    const content = await isGzip(source) ? await unpackGzip(source, mostTextBytes) : source;
    await checkPlainText(content);
    return { texts: (await readText(content, options.encoding)).split(/\r\n?|\n/), notices: [] };
  }
  if (!isTable(name)) {
    throw new UserError(
      `Cannot tell the format of ${name}. Texts are files that end in .txt (one a line) or ${
        tableExtensions.join(", ")
      }.`,
    );
  }
  const { columns, read, notices } = await openTable(source, options);
  const column = findColumn(columns, "text", options.textColumn, name);
  return { texts: await read(column), notices: notices?.([column]) ?? [] };
}

/** Texts alone, without labels: lines of a text file, or a column of a table. */
import type { ByteSource } from "../files/byte_source.ts";
import { UserError } from "../errors.ts";
import { findColumn } from "./columns.ts";
import { checkPlainText } from "./kind.ts";
import { extensionOf, isTable, openTable, readText, tableExtensions } from "./table.ts";

/**
 * The texts of a file, in their order, without blanks around them; empty ones are left out. A `.txt` file has one a line,
 * every other file that is read has named columns. Throws a `UserError` for another extension, a column that is not
 * there, and what cannot be read.
 */
export async function readTexts(source: ByteSource, textColumn?: string): Promise<string[]> {
  const texts = await textsIn(source, textColumn);
  return texts.map((text) => text.trim()).filter((text) => text !== "");
}

async function textsIn(source: ByteSource, textColumn?: string): Promise<string[]> {
  const { name } = source;
  if (extensionOf(name) === ".txt") {
    await checkPlainText(source);
    return (await readText(source)).split(/\r\n?|\n/);
  }
  if (!isTable(name)) {
    throw new UserError(
      `Cannot tell the format of ${name}. Texts are files that end in .txt (one a line) or ${
        tableExtensions.join(", ")
      }.`,
    );
  }
  const table = await openTable(source);
  return await table.read(findColumn(table.columns, "text", textColumn, name));
}

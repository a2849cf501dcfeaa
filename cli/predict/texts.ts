/** The texts to label: arguments, a file's column, or the lines of standard input. */
import { findColumn } from "../../models/data/columns.ts";
import { openTable, readText } from "../../models/data/table.ts";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { fileSource, readError } from "../../models/host/files.ts";
import { formatCount } from "../shared/format.ts";
import type { PredictFlags } from "./flags.ts";

/** What is read of `Deno.stdin`. */
export interface Input {
  isTerminal(): boolean;
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
}

export interface Texts {
  /** Trimmed, as in training; none is empty. */
  texts: string[];
  /** What the reader must not overlook. */
  notices: string[];
}

const ways = `Give texts as arguments, --file with a table, or lines on standard input.`;

async function columnOf(path: string, asked: string | undefined): Promise<string[]> {
  const source = await fileSource(path);
  try {
    const table = await openTable(source);
    return await table.read(findColumn(table.columns, "text", asked, source.name));
  } finally {
    source.close?.();
  }
}

async function linesOf(input: Input): Promise<string[]> {
  if (input.isTerminal()) throw new UserError(`There is no text. ${ways}`, { exitCode: 2 });
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await new Response(input.readable).arrayBuffer());
  } catch (error) {
    throw readError("standard input", error);
  }
  return (await readText(bytesSource(bytes, "Standard input"))).split("\n");
}

/** Reads the texts; empty ones are left out, under a notice where they are a file's. Throws a UserError where there are none. */
export async function readTexts(
  { texts, file, textColumn }: Pick<PredictFlags, "texts" | "file" | "textColumn">,
  input: Input,
): Promise<Texts> {
  if (file !== undefined && texts.length > 0) {
    throw new UserError(`--file and texts as arguments contradict each other; give one.`, {
      exitCode: 2,
    });
  }
  if (file === undefined && textColumn !== undefined) {
    throw new UserError(`--text_column names a column of --file, which is not given.`, {
      exitCode: 2,
    });
  }
  const read = file !== undefined
    ? await columnOf(file, textColumn)
    : texts.length > 0
    ? texts
    : await linesOf(input);
  const kept = read.map((text) => text.trim()).filter((text) => text !== "");
  if (kept.length === 0) {
    const where = file ?? "Standard input";
    throw new UserError(`${where} holds no text. ${ways}`, { exitCode: file ? 1 : 2 });
  }
  const empty = file === undefined ? 0 : read.length - kept.length;
  const notices = empty === 0
    ? []
    : [`${formatCount(empty)} of the ${formatCount(read.length)} rows are empty: left out.`];
  return { texts: kept, notices };
}

/** What a data set's files hold: their columns, and how many rows. */
import { chooseTable, pathsInFolder } from "../../models/data/choose.ts";
import { findColumns } from "../../models/data/columns.ts";
import { isHidden, isTable, kindOfSource, tableExtensions } from "../../models/data/kind.ts";
import { readLabels } from "../../models/data/part_rows.ts";
import { openTable, type Table } from "../../models/data/table.ts";
import { type Remedy, UserError } from "../../models/errors.ts";
import type { ByteSource } from "../../models/files/byte_source.ts";
import { isGzip } from "../../models/files/gzip.ts";
import type { Folder } from "../../models/files/folder.ts";
import { fileSource } from "../../models/host/files.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import { countOf, formatBytes } from "../shared/format.ts";
import { quoted } from "../shared/shell.ts";
import { type Found, foundIn } from "./found.ts";

/** On disk training looks into folders below only where a folder's own files hold no training data. */
export type Where = "disk" | "hub";

/** Texts are read whole to count their rows: larger ones are not. */
const mostBytes = { disk: 100e6, hub: 5e6 };

/** A folder with tables; `files` are named relative to it. */
export async function inspectDataFolder(
  folder: Folder,
  files: readonly string[],
  where: Where,
): Promise<Found> {
  const found = foundIn(folder.name, "dataset");
  const tables = files.filter((name) => isTable(name) && !isHidden(name));
  found.details.files = tables;
  await guarded(found, async () => {
    const within = where === "hub" ? tables : pathsInFolder(tables);
    const { train, validation, test, notices } = chooseTable(within, folder.name);
    found.notes.push(...notices);
    if (train.length < tables.length) found.details.trained_on = train;
    const open = (name: string) => folder.open(name);
    await describe(found, train, open, where);
    for (const [part, files] of [["validated_on", validation], ["tested_on", test]] as const) {
      if (files === undefined) continue;
      const { rows } = await read(files, open, where);
      found.details[part] = [
        ...files,
        ...(rows === undefined ? [] : [countOf(rows, "row")]),
      ];
    }
  });
  return found;
}

/** A table by itself. */
export async function inspectTable(path: string): Promise<Found> {
  const found = foundIn(path, "dataset");
  await guarded(found, () => describe(found, [path], fileSource, "disk"));
  return found;
}

async function guarded(found: Found, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    found.problems.push(messageWithAdvice(error));
    const flags = error.remedy && flagsFor(error.remedy, found.path);
    if (flags === undefined) found.damaged = true;
    else found.use = { command: `deno task train --dataset ${flags}` };
  }
}

/** What `--dataset` takes, and the flags beside it, where these are the way out of a mistake. */
function flagsFor(remedy: Remedy, path: string): string | undefined {
  switch (remedy.kind) {
    case "nameColumn":
      return `${quoted(path)} --text_column NAME --label_column NAME`;
    case "chooseDataset":
      return quoted(remedy.example);
    case "nameEncoding":
      return `${quoted(path)} --encoding ${remedy.likely ?? "NAME"}`;
    case "plainQuotes":
      return `${quoted(path)} --quoting none`;
  }
}

/** What one table's files, in order, hold; `look` sees each table that is opened. */
async function read(
  paths: readonly string[],
  open: (path: string) => Promise<ByteSource>,
  where: Where,
  look?: (table: Table, source: ByteSource) => Promise<void>,
): Promise<{ bytes: number; rows?: number }> {
  let bytes = 0;
  let rows: number | undefined = 0;
  for (const path of paths) {
    const source = await open(path);
    try {
      bytes += source.byteLength;
      const isText = await isGzip(source) || await kindOfSource(source) !== "parquet";
      if (isText && source.byteLength > mostBytes[where]) {
        rows = undefined; // not all are counted
        continue;
      }
      const table = await openTable(source);
      if (rows !== undefined) rows += table.rows;
      await look?.(table, source);
    } finally {
      source.close?.();
    }
  }
  return { bytes, rows };
}

/** Adds what the training data's files, in order, hold. */
async function describe(
  found: Found,
  paths: readonly string[],
  open: (path: string) => Promise<ByteSource>,
  where: Where,
): Promise<void> {
  // What is known last is told first.
  Object.assign(found.details, { size: undefined, rows: undefined, columns: undefined });
  const { bytes, rows } = await read(paths, open, where, async (table, source) => {
    found.details.columns ??= table.columns;
    const { textColumn, labelColumn } = findColumns(table.columns, {}, source.name);
    Object.assign(found.details, { text_column: textColumn, label_column: labelColumn });
    const notices = table.notices?.([textColumn, labelColumn]) ?? [];
    found.notes.push(...notices.map((notice) => messageWithAdvice(notice)));
    if (where === "hub" || source.byteLength > mostBytes.disk) return;
    // As training does: what is wrong with values shows only here.
    await table.read(textColumn);
    await readLabels(table, labelColumn);
  });
  found.details.size = formatBytes(bytes);
  found.details.rows = rows;
  if (rows === undefined) {
    found.notes.push(
      `Above ${formatBytes(mostBytes[where])} a text is not read to count its rows.`,
    );
  }
  if (rows === 0) found.problems.push("It has columns and no rows.");
  else found.use = { command: `deno task train --dataset ${quoted(found.path)}` };
}

/** For the reader of "nothing known": the ends of tables' names. */
export const tableEnds = tableExtensions.join(", ");

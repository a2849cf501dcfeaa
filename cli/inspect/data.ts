/** What a data set's files hold: their columns, and how many rows. */
import { chooseTable } from "../../models/data/choose.ts";
import { findColumns } from "../../models/data/columns.ts";
import {
  extensionOf,
  isTable,
  openTable,
  type Table,
  tableExtensions,
} from "../../models/data/table.ts";
import { type Remedy, UserError } from "../../models/errors.ts";
import type { ByteSource } from "../../models/files/byte_source.ts";
import { isGzip } from "../../models/files/gzip.ts";
import { type Folder, pathIn } from "../../models/files/folder.ts";
import { checkDownloaded, checkText } from "../../models/files/signature.ts";
import { fileSource } from "../../models/host/files.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import { formatBytes } from "../shared/format.ts";
import { quoted } from "../shared/shell.ts";
import { type Found, foundIn } from "./found.ts";

/** Training looks for tables in a folder alone, but in all folders of a repository on the hub. */
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
  const tables = files.filter(isTable);
  found.details.files = tables;
  await guarded(found, async () => {
    const within = tables.filter((name) => where === "hub" || !name.includes("/"));
    const chosen = chooseTable(within, folder.name);
    if (chosen.length < tables.length) found.details.trained_on = chosen;
    await describe(found, chosen, (name) => folder.open(name), where);
  });
  if (where === "hub") return found;
  const below = tables.find((name) => name.includes("/"));
  if (tables.every((name) => name.includes("/")) && below !== undefined) {
    found.problems = [`Its tables lie in folders below, of which training looks into none.`];
    const inner = pathIn(folder, below.slice(0, below.lastIndexOf("/")));
    found.use = { command: `deno task train --dataset ${quoted(inner)}` };
  }
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

/** Adds what one table's files, in order, hold. */
async function describe(
  found: Found,
  paths: readonly string[],
  open: (path: string) => Promise<ByteSource>,
  where: Where,
): Promise<void> {
  let bytes = 0;
  let rows = 0;
  let counted = true;
  const tables: { path: string; table: Table }[] = [];
  for (const path of paths) {
    const source = await open(path);
    try {
      bytes += source.byteLength;
      const text = extensionOf(path) !== ".parquet";
      const packed = await isGzip(source);
      await (text && !packed ? checkText : checkDownloaded)(source);
      if (text && source.byteLength > mostBytes[where]) {
        counted = false;
        continue;
      }
      const table = await openTable(source);
      rows += table.rows;
      tables.push({ path: source.name, table });
    } finally {
      source.close?.();
    }
  }
  found.details.size = formatBytes(bytes);
  if (counted) found.details.rows = rows;
  else {found.notes.push(
      `Above ${formatBytes(mostBytes[where])} a text is not read to count its rows.`,
    );}
  found.details.columns = tables[0]?.table.columns;
  for (const { path, table } of tables) {
    const { textColumn, labelColumn } = findColumns(table.columns, {}, path);
    const notices = table.notices?.([textColumn, labelColumn]) ?? [];
    found.notes.push(...notices.map((notice) => messageWithAdvice(notice)));
    Object.assign(found.details, { text_column: textColumn, label_column: labelColumn });
  }
  if (counted && rows === 0) found.problems.push("It has columns and no rows.");
  else found.use = { command: `deno task train --dataset ${quoted(found.path)}` };
}

/** For the reader of "nothing known": the ends of tables' names. */
export const tableEnds = tableExtensions.join(", ");

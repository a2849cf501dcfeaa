/** What a data set's files hold: their columns, and how many rows. */
import { chooseTable } from "../../models/data/choose.ts";
import { findColumns } from "../../models/data/columns.ts";
import { readLabels } from "../../models/data/load.ts";
import { isHidden, isTable, kindOfSource, tableExtensions } from "../../models/data/kind.ts";
import { openTable } from "../../models/data/table.ts";
import { UserError } from "../../models/errors.ts";
import type { ByteSource } from "../../models/files/byte_source.ts";
import { type Folder, pathIn } from "../../models/files/folder.ts";
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
  const tables = files.filter((name) => isTable(name) && !isHidden(name));
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
    if (error.remedy?.kind === "nameColumn") {
      const columns = "--text_column NAME --label_column NAME";
      found.use = { command: `deno task train --dataset ${quoted(found.path)} ${columns}` };
    } else if (error.remedy?.kind === "chooseDataset") {
      found.use = { command: `deno task train --dataset ${quoted(error.remedy.example)}` };
    } else found.damaged = true;
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
  // What is known last is told first.
  Object.assign(found.details, { size: undefined, rows: undefined, columns: undefined });
  for (const path of paths) {
    const source = await open(path);
    try {
      bytes += source.byteLength;
      const text = await kindOfSource(source) !== "parquet";
      if (text && source.byteLength > mostBytes[where]) {
        counted = false;
        continue;
      }
      const table = await openTable(source);
      rows += table.rows;
      found.details.columns ??= table.columns;
      const { textColumn, labelColumn } = findColumns(table.columns, {}, source.name);
      Object.assign(found.details, { text_column: textColumn, label_column: labelColumn });
      if (where === "disk" && source.byteLength <= mostBytes.disk) {
        // As training does: what is wrong with values shows only here.
        await table.read(textColumn);
        await readLabels(table, labelColumn);
      }
    } finally {
      source.close?.();
    }
  }
  found.details.size = formatBytes(bytes);
  if (counted) found.details.rows = rows;
  else {found.notes.push(
      `Above ${formatBytes(mostBytes[where])} a text is not read to count its rows.`,
    );}
  if (counted && rows === 0) found.problems.push("It has columns and no rows.");
  else found.use = { command: `deno task train --dataset ${quoted(found.path)}` };
}

/** For the reader of "nothing known": the ends of tables' names. */
export const tableEnds = tableExtensions.join(", ");

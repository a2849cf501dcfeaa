/** Data sets as labelled examples. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { CompoundCell, multiLabel } from "./cell.ts";
import { cleanRows, type Example } from "./clean.ts";
import { findColumns } from "./columns.ts";
import { openTable, type Table } from "./table.ts";

export type { Example } from "./clean.ts";

/** A data set, cleaned, before the split. */
export interface Dataset {
  /** What was asked for: a path, a hub id, or "sample". */
  name: string;
  /** Where it came from, for people. */
  source: string;
  /** Whether it is the built-in sample. */
  sample: boolean;
  /** Sorted. */
  labels: string[];
  examples: Example[];
  textColumn: string;
  labelColumn: string;
  rowsRead: number;
  emptyRows: number;
  duplicates: number;
  /** Texts that occur with more than one label; all are kept. */
  conflicts: number;
  /** SHA-256, in hex, over the examples. */
  hash: string;
  /** What the reader must not overlook. */
  notices: string[];
}

/** Where a data set was found: what {@link Dataset} tells of it, and its files. */
export interface DatasetFiles extends Pick<Dataset, "name" | "source" | "sample" | "notices"> {
  /** One file, or the shards of one table in their order. They stay open. */
  files: readonly ByteSource[];
}

/** The labels of a table's rows. Throws a UserError where they cannot be read, or are lists. */
export async function readLabels(table: Table, column: string): Promise<string[]> {
  try {
    return await table.read(column);
  } catch (error) {
    throw error instanceof CompoundCell && error.what === "a list" ? multiLabel(error) : error;
  }
}

/**
 * Reads and cleans a data set. Labels come from the data; empty rows and exact duplicates are dropped
 * and counted. Throws a `UserError` where it cannot be read, or has not at least two classes.
 */
export async function readDataset(
  { files, ...about }: DatasetFiles,
  asked: { textColumn?: string; labelColumn?: string } = {},
): Promise<Dataset> {
  let found: { textColumn: string; labelColumn: string } | undefined;
  const texts: string[] = [];
  const labels: string[] = [];
  for (const file of files) {
    const table = await openTable(file);
    found ??= findColumns(table.columns, asked, file.name);
    const { textColumn, labelColumn } = findColumns(table.columns, found, file.name);
    for (const text of await table.read(textColumn)) texts.push(text);
    for (const label of await readLabels(table, labelColumn)) labels.push(label);
  }
  const cleaned = await cleanRows(texts, labels);
  if (found === undefined || cleaned.labels.length < 2) {
    throw new UserError(
      `${about.source} has ${cleaned.labels.length} classes after cleaning` +
        (cleaned.labels.length === 1 ? ` ("${cleaned.labels[0]}")` : "") +
        `; a classifier needs at least 2. Of ${texts.length} rows, ${cleaned.emptyRows} were empty.`,
    );
  }
  return { ...about, ...found, rowsRead: texts.length, ...cleaned };
}

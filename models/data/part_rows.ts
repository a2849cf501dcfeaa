/** The rows of one part of a data set, from the shards of its table. */
import { UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { CompoundCell, multiLabel } from "./cell.ts";
import type { RawRows } from "./clean.ts";
import { findColumns } from "./columns.ts";
import { isMissingLabel, normalLabel } from "./labels.ts";
import { openTable, type Table, type TableOptions } from "./table.ts";

export interface PartRows extends RawRows {
  texts: string[];
  labels: string[];
  textColumn: string;
  labelColumn: string;
  /** The name of the first shard, and its columns. */
  name: string;
  columns: string[];
  /** What its files' reader noticed of the two columns. */
  notices: UserError[];
  /** Another column, of all shards. */
  read(column: string): Promise<string[]>;
}

const hasColumn = ({ columns }: Table, name: string) =>
  columns.some((column) => column.toLowerCase() === name.toLowerCase());

const quoted = (columns: readonly string[]) => columns.map((column) => `"${column}"`).join(", ");

/** The columns of a table that a part needs; throws where a later shard has others than the first. */
function columnsOf(
  table: Table,
  asked: { textColumn?: string; labelColumn?: string },
  file: ByteSource,
  first: Pick<PartRows, "name" | "columns"> | undefined,
) {
  try {
    return findColumns(table.columns, asked, file.name);
  } catch (error) {
    if (first === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(
      `The parts of the data differ in their columns: ${first.name} has ${
        quoted(first.columns)
      }, ` +
        `and ${file.name} has ${
          quoted(table.columns)
        }. Give them the same columns, or name one file.`,
      { cause: error },
    );
  }
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
 * Reads texts and labels, by the columns that were asked for or found; `train` is the part whose columns others have too.
 * Such a part may lack the labels: they are empty then. Throws a `UserError` where a shard lacks a column.
 */
export async function readPart(
  files: readonly ByteSource[],
  asked: TableOptions & { textColumn?: string; labelColumn?: string },
  train?: PartRows,
): Promise<PartRows> {
  const texts: string[] = [];
  const labels: string[] = [];
  const tables: Table[] = [];
  const notices: UserError[] = [];
  const { encoding, quoting } = asked;
  let found: { textColumn: string; labelColumn: string } | undefined = train;
  let first: Pick<PartRows, "name" | "columns"> | undefined = train;
  for (const file of files) {
    const table = await openTable(file, { encoding, quoting });
    if (train !== undefined && !hasColumn(table, train.labelColumn)) {
      // Kaggle's and many others' test files: the labels are kept back.
      const blank = { ...table, columns: [...table.columns, train.labelColumn] };
      const { textColumn } = columnsOf(blank, train, file, first);
      notices.push(...table.notices?.([textColumn]) ?? []);
      for (const text of await table.read(textColumn)) {
        texts.push(text);
        labels.push("");
      }
    } else {
      const { textColumn, labelColumn } = columnsOf(table, found ?? asked, file, first);
      found ??= { textColumn, labelColumn };
      notices.push(...table.notices?.([textColumn, labelColumn]) ?? []);
      for (const text of await table.read(textColumn)) texts.push(text);
      for (const label of await readLabels(table, labelColumn)) labels.push(label);
    }
    first ??= { columns: table.columns, name: file.name };
    tables.push(table);
  }
  const { textColumn, labelColumn } = found!;
  const { name, columns } = first!;
  return {
    texts,
    labels,
    textColumn,
    labelColumn,
    name,
    columns,
    notices,
    read: async (column) => (await Promise.all(tables.map((table) => table.read(column)))).flat(),
  };
}

const isMinusOne = (label: string) => /^-1(\.0*)?$/.test(normalLabel(label));

/**
 * Whether no row of a part has a label: none is there, or all are -1, as Hugging Face's `datasets` write it and no row of the
 * training part has it.
 */
export function isUnlabelled({ labels }: RawRows, train: RawRows): boolean {
  const none = train.labels.some(isMinusOne)
    ? isMissingLabel
    : (label: string) => isMissingLabel(label) || isMinusOne(label);
  return labels.every(none);
}

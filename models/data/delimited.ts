/** Tables of comma-, semicolon-, tab- or pipe-separated text whose first line names the columns. */
import { type Remedy, UserError } from "../errors.ts";
import { columnNames } from "./column_names.ts";
import {
  type DelimitedRows,
  delimitedRows,
  type Quoting,
  withPlainLineEnds,
} from "./delimited_rows.ts";
import { delimiterName, findDelimiter, separatorLine } from "./delimiter.ts";
import { findSwallowed, withoutQuoting } from "./swallowed.ts";
import type { Table } from "./table.ts";

/** The line, from 1, of a place in a text. */
function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf("\n"); end >= 0 && end < at; end = text.indexOf("\n", end + 1)) {
    line++;
  }
  return line;
}

/** Throws a `UserError` where a quoted field does not end, or goes on after its closing quote. */
function checkQuotes({ text, broken }: DelimitedRows, delimiter: string, source: string): void {
  if (broken === undefined) return;
  throw new UserError(
    `${source}, line ${lineAt(text, broken.at)}: a quoted field starts here and ` +
      (broken.ends ? "text follows its closing quote. " : "never ends. ") +
      `A field that starts with a quote is quoted whole, with each quote inside it written "".`,
    { remedy: withoutQuoting(text, delimiter) },
  );
}

/** What the fields of every row are held against. */
interface Fit {
  header: readonly string[];
  delimiter: string;
  where(row: number): string;
  rows: number;
  remedy: Remedy | undefined;
}

/**
 * The fields of a row, one a column: surplus empty ones go, and columns without a name may be missing. Throws a
 * `UserError` where there are more or fewer.
 */
function fitted(fields: string[], row: number, fit: Fit): string[] {
  const { header, delimiter } = fit;
  if (fields.length === header.length) return fields;
  const surplus = fields.slice(header.length);
  if (surplus.length > 0 && surplus.every((field) => field.trim() === "")) {
    return fields.slice(0, header.length);
  }
  const missing = header.slice(fields.length);
  if (missing.length > 0 && missing.every((name) => name.trim() === "")) {
    return [...fields, ...missing.map(() => "")];
  }
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const cutOff = missing.length > 0 && row === fit.rows - 1;
  throw new UserError(
    `${fit.where(row)}: ${count(fields.length, "field")}, but the first line names ` +
      `${count(header.length, "column")} (${header.join(", ")}). ` +
      (cutOff
        ? `It is the last row: the file may be cut off.`
        : `A field that holds ${delimiterName(delimiter)} or a line end is quoted.`),
    { remedy: fit.remedy },
  );
}

/** Whether each row has one field more than there are names, and begins with its number: R writes tables so. */
function areNumbered(rows: readonly string[][], header: readonly string[]): boolean {
  const first = Number(rows[0]?.[0]);
  return (first === 0 || first === 1) &&
    rows.every((fields, row) =>
      fields.length === header.length + 1 && fields[0] === `${first + row}`
    );
}

/**
 * Reads delimited text. The delimiter is found, or told by a first line `sep=;`; `usual` is taken where two would do.
 * Throws a `UserError` with the line number for what cannot be read.
 */
export function delimitedTable(
  content: string,
  source: string,
  { usual, quoting = "standard" }: { usual: string; quoting?: Quoting },
): Table {
  const plain = withPlainLineEnds(content);
  const told = separatorLine(plain);
  const text = told?.text ?? plain;
  const delimiter = told?.delimiter ?? findDelimiter(text, usual, quoting);
  const parsed = delimitedRows(text, delimiter, quoting);
  const { rows: [first, ...rows], starts } = parsed;
  if (first === undefined) throw new UserError(`${source} is empty.`);
  checkQuotes(parsed, delimiter, source);
  const swallowed = quoting === "none" ? undefined : findSwallowed(parsed, delimiter);
  const remedy = swallowed && withoutQuoting(text, delimiter);
  const lineOf = (row: number) => lineAt(parsed.text, starts[row]);
  const where = (row: number) => `${source}, line ${lineOf(row + 1)}`;
  const header = areNumbered(rows, first) ? ["", ...first] : first;
  const fit = { header, delimiter, where, rows: rows.length, remedy };
  const fields = rows.map((row, index) => fitted(row, index, fit));
  const columns = columnNames(header);
  return {
    columns,
    rows: rows.length,
    notices(read) {
      const twice = read.filter((column) =>
        header.filter((name) => name.trim() === column).length > 1
      );
      const found = twice.map((column) =>
        new UserError(
          `${source}: several columns are called "${column}". The first is read; the next is called ` +
            `"${column}.1".`,
        )
      );
      if (swallowed === undefined) return found;
      const line = lineOf(swallowed.row) + swallowed.before;
      const sentence = `${source}, line ${line}: a quote starts a field that spans ` +
        `${swallowed.lines} lines; ${rows.length} rows were read.`;
      return [...found, new UserError(sentence, { remedy })];
    },
    read(column) {
      const index = columns.indexOf(column);
      return Promise.resolve(fields.map((row) => row[index]));
    },
  };
}

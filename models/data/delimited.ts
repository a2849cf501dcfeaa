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

/**
 * The fields of a row, one a column: surplus empty ones go, and columns without a name may be missing. Throws a
 * `UserError` where there are more or fewer.
 */
function fitted(
  fields: string[],
  { header, delimiter, where, remedy }: {
    header: readonly string[];
    delimiter: string;
    where(): string;
    remedy: Remedy | undefined;
  },
): string[] {
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
  throw new UserError(
    `${where()}: ${count(fields.length, "field")}, but the first line names ` +
      `${count(header.length, "column")} (${header.join(", ")}). ` +
      `A field that holds ${delimiterName(delimiter)} or a line end is quoted.`,
    { remedy },
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
  const { rows: [header, ...rows], starts } = parsed;
  if (header === undefined) throw new UserError(`${source} is empty.`);
  const line = (row: number) => lineAt(parsed.text, starts[row + 1]);
  checkQuotes(parsed, delimiter, source);
  const swallowed = quoting === "none" ? undefined : findSwallowed(parsed, delimiter);
  const remedy = swallowed && withoutQuoting(text, delimiter);
  const fields = rows.map((row, index) => {
    const where = () => `${source}, line ${line(index)}`;
    return fitted(row, { header, delimiter, where, remedy });
  });
  const notices = swallowed === undefined ? [] : [
    new UserError(
      `${source}, line ${
        line(swallowed.row - 1) + swallowed.before
      }: a quote starts a field that ` +
        `spans ${swallowed.lines} lines; ${rows.length} rows were read.`,
      { remedy },
    ),
  ];
  const columns = columnNames(header);
  return {
    columns,
    rows: rows.length,
    notices,
    read(column) {
      const index = columns.indexOf(column);
      return Promise.resolve(fields.map((row) => row[index]));
    },
  };
}

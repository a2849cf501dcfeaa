/** Fields that a quote has stretched over rows: texts that are full of quotes, and quoted by nobody. */
import type { Remedy } from "../errors.ts";
import { type DelimitedRows, delimitedRows } from "./delimited_rows.ts";

/** A field that spans lines which look like rows. */
export interface SwallowedRows {
  /** Index of its row. */
  row: number;
  /** Lines of the row before it begins. */
  before: number;
  /** The lines it spans. */
  lines: number;
}

/** Fewer lines than this within a field are not looked at; more than this of them are a text seldom. */
const few = 3;
const many = 20;

/** The first field whose inner lines look like rows, or that spans many lines and much of the text. */
export function findSwallowed(
  { rows, text }: DelimitedRows,
  delimiter: string,
): SwallowedRows | undefined {
  const columns = rows[0].length;
  let all: number | undefined;
  for (const [row, fields] of rows.entries()) {
    let before = 0;
    for (const field of fields) {
      if (!field.includes("\n")) continue;
      const lines = field.split("\n");
      const inner = lines.slice(1, -1).filter((line) => line.trim() !== "");
      const alike = inner.filter((line) => line.split(delimiter).length === columns).length;
      const rowLike = inner.length >= few && columns > 1 && alike >= 0.8 * inner.length;
      if (lines.length > many) all ??= text.split("\n").length;
      if (rowLike || (all !== undefined && lines.length > many && 4 * lines.length > all)) {
        return { row, before, lines: lines.length };
      }
      before += lines.length - 1;
    }
  }
}

/** The way out where quotes enclose nothing: none where rows would then have fields too many or too few. */
export function withoutQuoting(text: string, delimiter: string): Remedy | undefined {
  const { rows: [header, ...rows] } = delimitedRows(text, delimiter, "none");
  return header !== undefined && rows.every((fields) => fields.length === header.length)
    ? { kind: "plainQuotes", rows: rows.length }
    : undefined;
}

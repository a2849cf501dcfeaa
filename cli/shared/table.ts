/** Tables for a terminal and for Markdown. */
import { harmless } from "./terminal.ts";

export interface Column {
  title: string;
  /** Numbers stand right. */
  right?: boolean;
  /** Cut with "…" when the table is too wide; one column at most. */
  shrinks?: boolean;
}

const gap = "  ";

/** The length of the longest text, of any number of them. */
export const widest = (texts: readonly string[]): number =>
  texts.reduce((most, { length }) => Math.max(most, length), 0);

/** Splits a title into two lines where that makes its column narrower by more than a little. */
function titleLines(title: string, widestCell: number): [string, string] {
  const space = title.lastIndexOf(" ");
  return space < 0 || title.length <= widestCell + 2
    ? ["", title]
    : [title.slice(0, space), title.slice(space + 1)];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** The lines of a table at most `width` columns wide, as far as the shrinking column allows; cells are made harmless. */
export function renderTable(columns: Column[], rows: string[][], width = 80): string[] {
  const shown = rows.map((row) => row.map(harmless));
  const cellWidths = columns.map((_, index) => widest(shown.map((row) => row[index])));
  const titles = columns.map((column, index) => titleLines(column.title, cellWidths[index]));
  const widths = columns.map((_, index) => Math.max(cellWidths[index], widest(titles[index])));
  const total = widths.reduce((sum, each) => sum + each, gap.length * (columns.length - 1));
  const shrinking = columns.findIndex((column) => column.shrinks);
  if (total > width && shrinking >= 0) {
    const least = Math.max(widest(titles[shrinking]), 4);
    widths[shrinking] = Math.max(least, widths[shrinking] - (total - width));
  }
  const line = (cells: string[]) =>
    cells.map((cell, index) => {
      const fitted = cut(cell, widths[index]);
      return columns[index].right ? fitted.padStart(widths[index]) : fitted.padEnd(widths[index]);
    }).join(gap).trimEnd();
  const head = titles.some(([first]) => first !== "")
    ? [line(titles.map(([first]) => first)), line(titles.map(([, second]) => second))]
    : [line(titles.map(([, second]) => second))];
  const rule = widths.map((each) => "─".repeat(each)).join(gap);
  return [...head, rule, ...shown.map(line)];
}

/** Text that Markdown shows as it is, as far as it could be a page's code, or end its line. */
export const escapeMarkdown = (text: string): string =>
  harmless(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The same table in Markdown. */
export function renderMarkdown(columns: Column[], rows: string[][]): string[] {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(columns.map((column) => column.title)),
    line(columns.map((column) => (column.right ? "---:" : "---"))),
    ...rows.map(line),
  ];
}

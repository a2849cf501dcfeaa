/** Markdown as `deno fmt` leaves it, so that what is generated stays as it is. */
import type { Column } from "../cli/shared/table.ts";
import { wrap } from "../cli/shared/terminal.ts";

/** A table with aligned cells; empty for no rows. */
export function markdownTable(columns: readonly Column[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = columns.map(({ title }, index) =>
    Math.max(3, title.length, ...escaped.map((row) => row[index].length))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, index) =>
        columns[index].right ? cell.padStart(widths[index]) : cell.padEnd(widths[index])
      ).join(" | ")
    } |`;
  const rule = columns.map(({ right }, index) =>
    right ? `${"-".repeat(widths[index] - 1)}:` : "-".repeat(widths[index])
  );
  return [line(columns.map(({ title }) => title)), line(rule), ...escaped.map(line)];
}

/** A paragraph, wrapped. */
export function paragraph(text: string): string[] {
  return wrap(text, 100);
}

/** What stands between `<!-- name:start -->` and `<!-- name:end -->`. Throws where a marker is missing. */
export function replaceSection(document: string, name: string, lines: readonly string[]): string {
  const [start, end] = ["start", "end"].map((edge) => `<!-- ${name}:${edge} -->`);
  const from = document.indexOf(start);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) {
    throw new Error(`The document has no lines "${start}" and "${end}", in this order.`);
  }
  const body = [start, "", ...lines, ...(lines.length > 0 ? [""] : [])].join("\n");
  return `${document.slice(0, from)}${body}\n${document.slice(to)}`;
}

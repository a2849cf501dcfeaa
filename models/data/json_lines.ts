/** JSON Lines: one JSON object a line. */
import { UserError } from "../errors.ts";
import { isObject, parseJson } from "../files/json.ts";
import { cellText } from "./cell.ts";
import type { Table } from "./table.ts";

/**
 * Reads text with one JSON object a line; its columns are the keys of all objects. Empty lines are
 * skipped. Throws a `UserError` with the line number.
 */
export function parseJsonLines(text: string, source: string): Table {
  const rows: { line: number; fields: Map<string, unknown> }[] = [];
  const columns = new Set<string>();
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const where = `${source}, line ${index + 1}`;
    const value = parseJson(content, where);
    if (!isObject(value)) {
      throw new UserError(`${where}: expected an object such as {"text": "…", "label": "…"}.`);
    }
    const fields = new Map(Object.entries(value));
    for (const column of fields.keys()) columns.add(column);
    rows.push({ line: index + 1, fields });
  }
  if (rows.length === 0) throw new UserError(`${source} is empty.`);
  return {
    columns: [...columns],
    rows: rows.length,
    // An executor rather than `Promise.resolve`, so that a throw becomes a rejection.
    read: (column) =>
      new Promise((resolve) =>
        resolve(
          rows.map(({ line, fields }) =>
            cellText(fields.get(column), `${source}, line ${line}: "${column}"`)
          ),
        )
      ),
  };
}

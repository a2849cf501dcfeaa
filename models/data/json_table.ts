/** Rows in JSON: an object a line, an array of objects, or what pandas and datasets write. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { cellText } from "./cell.ts";
import { rowsOf } from "./json_document.ts";
import { jsonError, type JsonRow, parseExactly } from "./json_exact.ts";
import type { Table } from "./table.ts";

/** Deeper fields are no columns. */
const deepest = 32;

/** The columns of a row: fields of objects in it by dotted names. */
function addColumns(row: JsonRow, columns: Set<string>, prefix = "", depth = 1): void {
  for (const [key, value] of Object.entries(row)) {
    const name = `${prefix}${key}`;
    if (isObject(value) && depth < deepest) addColumns(value, columns, `${name}.`, depth + 1);
    else columns.add(name);
  }
}

/** A field by its dotted name; a key that has the dots itself goes before. */
function valueAt(row: JsonRow, name: string): unknown {
  if (Object.hasOwn(row, name)) return row[name];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const outer = name.slice(0, dot);
    const inner = Object.hasOwn(row, outer) ? row[outer] : undefined;
    if (!isObject(inner)) continue;
    const value = valueAt(inner, name.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Objects on lines of their own; undefined where the first line is none by itself. */
function parseLines(text: string, source: string): Map<number, JsonRow> | undefined {
  const rows = new Map<number, JsonRow>();
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const where = `${source}, line ${index + 1}`;
    let value: unknown;
    try {
      value = parseExactly(content);
    } catch (error) {
      if (rows.size === 0) return undefined;
      throw jsonError(source, text, error, index + 1);
    }
    if (!isObject(value)) {
      throw new UserError(`${where}: expected an object such as {"text": "…", "label": "…"}.`);
    }
    rows.set(index + 1, value);
  }
  return rows;
}

/**
 * Reads rows from JSON; their columns are the keys of all of them. Empty lines are skipped. Throws a `UserError` with
 * the line number, or where lines tell nothing, the row's.
 */
export function parseJsonTable(text: string, source: string): Table {
  if (text.trim() === "") throw new UserError(`${source} is empty.`);
  const lines = /^\s*\[/.test(text) ? undefined : parseLines(text, source);
  const isDocument = lines === undefined || lines.size === 1;
  const rows = isDocument
    ? rowsOf(text, source).map((row, index): [string, JsonRow] => [`row ${index + 1}`, row])
    : [...lines].map(([line, row]): [string, JsonRow] => [`line ${line}`, row]);
  const columns = new Set<string>();
  for (const [, row] of rows) addColumns(row, columns);
  if (columns.size === 0) throw new UserError(`${source} has rows without any field.`);
  return {
    columns: [...columns],
    rows: rows.length,
    // An executor rather than `Promise.resolve`, so that a throw becomes a rejection.
    read: (column) =>
      new Promise((resolve) =>
        resolve(
          rows.map(([place, row]) =>
            cellText(valueAt(row, column), `${source}, ${place}: "${column}"`)
          ),
        )
      ),
  };
}

/** The rows of a JSON document: an array of objects, or one of the ways in which pandas writes a table. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { jsonError, type JsonRow, parseExactly } from "./json_exact.ts";

const example = `[{"text": "…", "label": "…"}, …]`;
const byPandas = `With pandas: df.to_json(path, orient="records", lines=True)`;

const isIndex = (key: string) => /^-?\d+$/.test(key);
const areLists = (values: unknown[]): values is unknown[][] => values.every(Array.isArray);

/** Rows of which each column has one value a key, or a place. */
function fromColumns(columns: Record<string, JsonRow>): JsonRow[] {
  const rows = new Map<string, JsonRow>();
  for (const [name, column] of Object.entries(columns)) {
    for (const [key, value] of Object.entries(column)) {
      const row = rows.get(key) ?? {};
      // As JSON.parse makes it: a column may be called __proto__.
      Object.defineProperty(row, name, { value, enumerable: true });
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

/** pandas' `orient="split"`: {"columns": […], "index": […], "data": [[…], …]}. */
function fromSplit({ columns, data }: JsonRow, source: string): JsonRow[] | undefined {
  if (!Array.isArray(columns) || !Array.isArray(data) || !areLists(data)) return undefined;
  return data.map((values, index) => {
    if (values.length !== columns.length) {
      throw new UserError(
        `${source}, row ${index + 1}: ${values.length} values, but ${columns.length} columns ` +
          `(${columns.join(", ")}).`,
      );
    }
    return Object.fromEntries(values.map((value, at) => [String(columns[at]), value]));
  });
}

/** An object as a table, where it can be only one; undefined where it is a row by itself. */
function fromObject(value: JsonRow, source: string): JsonRow[] | undefined {
  const split = fromSplit(value, source);
  if (split) return split;
  // pandas' orient="table", and what wraps an array of rows: {"version": …, "data": [{…}, …]}.
  for (const key of ["data", "rows"]) {
    const rows = value[key];
    if (Array.isArray(rows) && rows.length > 0 && rows.every(isObject)) {
      // As the hub's viewer answers: {"rows": [{"row_idx": 0, "row": {…}}, …]}.
      return rows.every(({ row, row_idx }) => isObject(row) && row_idx !== undefined)
        ? rows.map(({ row }) => row as JsonRow)
        : rows;
    }
  }
  const keys = Object.keys(value);
  const columns = Object.values(value);
  if (columns.length > 1 && areLists(columns)) {
    if (new Set(columns.map(({ length }) => length)).size > 1) return undefined;
    return fromColumns(value as Record<string, JsonRow>);
  }
  if (columns.length === 0 || !columns.every(isObject)) return undefined;
  const inner = columns.flatMap(Object.keys);
  // pandas' own orient="columns": {"text": {"0": …, "1": …}, "label": {"0": …, "1": …}}.
  if (inner.every(isIndex) && !keys.every(isIndex)) {
    return fromColumns(value as Record<string, JsonRow>);
  }
  // pandas' orient="index": {"0": {"text": …, "label": …}, "1": …}.
  if (keys.every(isIndex) && !inner.every(isIndex)) return columns;
  if (columns.length === 1 && inner.length < 50) return undefined; // a row, of nested fields
  throw new UserError(
    `${source} is an object of objects, and nothing tells its rows from its columns; expected ` +
      `an array of rows, ${example}, or an object a line. ${byPandas}`,
  );
}

/** What to say of text that is no document, and whose first line is no object either. */
function documentError(text: string, source: string, cause: unknown): UserError {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (/^\s*\{/.test(text) && lines.length > 1) {
    if (/^\s*\{/.test(lines[1])) {
      try {
        parseExactly(lines[0]);
      } catch (error) {
        return jsonError(source, lines[0], error, text.split("\n").indexOf(lines[0]) + 1);
      }
    }
    if (/after JSON/.test(String(cause))) {
      return new UserError(
        `${source} holds objects that go over several lines, one after another; each needs a line ` +
          `of its own: jq -c . old.json > new.jsonl`,
        { cause },
      );
    }
  }
  if (/^\s*[[{]/.test(text)) return jsonError(source, text, cause);
  return new UserError(
    `${source}, line 1: expected an object such as {"text": "…", "label": "…"}.`,
    { cause },
  );
}

/** The rows of a document. Throws a UserError where it is no JSON, or holds no rows. */
export function rowsOf(text: string, source: string): JsonRow[] {
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch (error) {
    throw documentError(text, source, error);
  }
  if (isObject(value)) return fromObject(value, source) ?? [value];
  if (!Array.isArray(value)) {
    throw new UserError(
      `${source}, line 1: expected an object such as {"text": "…", "label": "…"}.`,
    );
  }
  if (value.length === 0) throw new UserError(`${source} is an empty array: it has no rows.`);
  const other = value.findIndex((row) => !isObject(row));
  if (other >= 0) {
    const nameless = Array.isArray(value[other]) ? ", and these rows name no columns" : "";
    throw new UserError(
      `${source}, row ${other + 1}: expected an object such as {"text": "…", "label": "…"}` +
        `${nameless}. ${byPandas}`,
    );
  }
  return value;
}

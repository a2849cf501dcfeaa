/** JSON files as Python writes and reads them. */
import { messageOf, UserError } from "../errors.ts";
import { type Folder, pathIn } from "./folder.ts";

declare global {
  // ES2025's "JSON.parse source text access", in V8 since 11.4, not yet in TypeScript's library.
  interface JSON {
    rawJSON(text: string): unknown;
    isRawJSON(value: unknown): boolean;
  }
}

/**
 * A number that stays a float in Python: 1 becomes `1.0`, where `JSON.stringify` would write `1`.
 * AdapterHub's loader tests `isinstance(scaling, float)`.
 */
export function float(value: number): unknown {
  return JSON.rawJSON(Number.isInteger(value) ? value.toFixed(1) : String(value));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text with two spaces of indent and sorted keys: `json.dumps(value, indent=2, sort_keys=True)`. */
export function toJson(value: unknown): string {
  const sorted = (_key: string, inner: unknown) =>
    isObject(inner) && !JSON.isRawJSON(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  return JSON.stringify(value, sorted, 2) + "\n";
}

/** A value of a file, for a message: of one that is long, or that JSON cannot write, as much as tells it. */
export function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value); // 1e999
  const text = JSON.stringify(value);
  return text.length <= 300 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}

/** Levels of lists and objects within one another, beyond which nothing of ours is: functions that go down would fail. */
const mostLevels = 200;

function checkLevels(text: string, where: string): void {
  let levels = 0;
  for (const [mark] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (mark === "[" || mark === "{") levels++;
    else if (mark === "]" || mark === "}") levels--;
    if (levels > mostLevels) {
      throw new UserError(`${where} is JSON of more than ${mostLevels} levels, which is not read.`);
    }
  }
}

/** Parses JSON. Throws a UserError naming where it stands: a file, or a line of one. */
export function parseJson(text: string, where: string): unknown {
  checkLevels(text, where);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${where} is not JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** Reads a JSON object. Throws a UserError naming the file where it is missing or something else. */
export async function readJsonObject(
  folder: Folder,
  name: string,
): Promise<Record<string, unknown>> {
  const path = pathIn(folder, name);
  const value = parseJson(await folder.text(name), path);
  if (!isObject(value)) throw new UserError(`${path} is not a JSON object.`);
  return value;
}

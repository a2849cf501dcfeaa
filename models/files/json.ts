/** JSON files as Python writes and reads them. */
import { messageOf, UserError } from "./errors.ts";

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

/** Reads a JSON object. Throws a UserError naming the file where it is missing or something else. */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not valid JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!isObject(value)) throw new UserError(`${path} is not a JSON object.`);
  return value;
}

/** Whether a file (or folder) exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // A part of the path that should be a folder is a file.
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

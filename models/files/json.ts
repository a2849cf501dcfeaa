/** JSON files as Python writes and reads them. */
import { messageOf, UserError } from "../errors.ts";
import { type Folder, pathIn } from "./folder.ts";
import { checkText } from "./signature.ts";

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

/** Levels of lists and objects; a tokenizer's file, which has the most, has some ten. */
export const mostLevels = 200;

/** Bytes that a file of JSON or a vocabulary may have; the largest tokenizers have a third of it. */
const mostBytes = 100e6;

/**
 * Parses JSON, with or without the byte-order mark that Windows' programs put first. Throws a UserError naming where
 * it stands, a file or a line of one, where it is none, or so deep that it was made to keep the reader busy.
 */
export function parseJson(text: string, where: string): unknown {
  if (isTooDeep(text)) {
    throw new UserError(
      `${where} has lists or objects more than ${mostLevels} levels deep: it is damaged.`,
    );
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    const number = /"((?:[^"\\]|\\.){1,100})"\s*:\s*(-?(?:NaN|Infinity))\b/.exec(text);
    if (number) {
      throw new UserError(`${where}: "${number[1]}" is ${number[2]}, which JSON has no word for.`, {
        cause,
      });
    }
    throw new UserError(`${where} is not JSON: ${messageOf(cause)}.`, { cause });
  }
}

/** Whether brackets stand more than {@link mostLevels} deep: V8 takes minutes for ten million. */
export function isTooDeep(text: string): boolean {
  if (text.length <= mostLevels) return false;
  let level = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) inString = !inString; // a quotation mark
    else if (inString) {
      if (code === 0x5c) i++; // a backslash and what it escapes
    } else if (code === 0x5b || code === 0x7b) {
      if (++level > mostLevels) return true;
    } else if (code === 0x5d || code === 0x7d) level--;
  }
  return false;
}

/** A small file's text. Throws a UserError where it is too large for what it should be, or no text. */
export async function readSmallText(folder: Folder, name: string): Promise<string> {
  const source = await folder.open(name);
  try {
    if (source.byteLength > mostBytes) {
      throw new UserError(
        `${source.name} takes ${source.byteLength} bytes; at most ${mostBytes} are read of such a file.`,
      );
    }
    await checkText(source);
    const bytes = new Uint8Array(await source.slice(0));
    const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
    return new TextDecoder(utf16 ? "utf-16le" : "utf-8").decode(bytes);
  } finally {
    source.close?.();
  }
}

/** Reads a JSON object. Throws a UserError naming the file where it is missing or something else. */
export async function readJsonObject(
  folder: Folder,
  name: string,
): Promise<Record<string, unknown>> {
  const path = pathIn(folder, name);
  const value = parseJson(await readSmallText(folder, name), path);
  if (!isObject(value)) throw new UserError(`${path} is not a JSON object.`);
  return value;
}

/** JSON as it is found in data sets: numbers keep their digits, and what Python writes is understood. */
import { messageOf, UserError } from "../errors.ts";

export type JsonRow = Record<string, unknown>;

/** A number whose digits a float may not keep: `9007199254740993`, `1.0`, `1e3`. */
const fragile = /\d{16}|\d[.eE]/;

/** Python's names for numbers that JSON lacks, outside of strings. */
const notNumbers = /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g;

/**
 * Parses JSON: a number whose text a float would change becomes that text, and Python's NaN null. Throws as
 * `JSON.parse` does.
 */
export function parseExactly(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { source: string }) =>
    typeof value === "number" && context && String(value) !== context.source
      ? context.source
      : value;
  const parse = (json: string) => fragile.test(json) ? JSON.parse(json, exact) : JSON.parse(json);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError) || !/NaN|Infinity/.test(text)) throw error;
    return parse(text.replace(notNumbers, (part) => part.startsWith('"') ? part : "null"));
  }
}

/** What is wrong with text that is no JSON, as a sentence. */
export function jsonError(where: string, cause: unknown): UserError {
  const what = cause instanceof RangeError ? "it is nested too deep" : messageOf(cause);
  return new UserError(`${where} is not JSON that can be read: ${what}.`, { cause });
}

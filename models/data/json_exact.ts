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

/** Longer text takes too long to be parsed again and again. */
const longestSearched = 2 ** 25;

/** The line on which text stops being JSON: what is before it ends too early, and is not wrong. */
function errorLine(text: string, message: string): number | undefined {
  const told = /\(line (\d+) column \d+\)/.exec(message)?.[1];
  if (told !== undefined) return Number(told);
  if (text.length > longestSearched) return undefined;
  const isBeginning = (end: number): boolean => {
    try {
      JSON.parse(text.slice(0, end));
      return true;
    } catch (error) {
      const place = /at position (\d+)/.exec(messageOf(error))?.[1];
      return Number(place) >= end || /end of JSON|Unterminated/.test(messageOf(error));
    }
  };
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isBeginning(middle)) good = middle;
    else bad = middle;
  }
  return text.slice(0, good + 1).trimEnd().split("\n").length;
}

/** What is wrong with text that is no JSON, as a sentence, with the line on which it stops being some. */
export function jsonError(
  source: string,
  text: string,
  cause: unknown,
  knownLine?: number,
): UserError {
  if (!(cause instanceof SyntaxError)) {
    return new UserError(`${source} cannot be read as JSON: it is nested too deep.`, { cause });
  }
  const { message } = cause;
  const line = knownLine ?? errorLine(text, message);
  const what = message.replace(/ in JSON at position.*$/, "");
  return new UserError(
    `${source}${line === undefined ? "" : `, line ${line}`} is not JSON: ${what}.`,
    { cause },
  );
}

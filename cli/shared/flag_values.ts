/**
 * The values that flags take: text to number, list, rate or scale. Each throws a sentence that
 * names the text; the parser puts the flag's name before it.
 */

import type { Factor } from "../../models/peft/method.ts";
import { type MethodName, methodNames } from "../../models/peft/methods.ts";
import { nameProblem } from "./file_names.ts";

/** One learning rate per method. */
export type LearningRates = Record<MethodName, number>;

/** Seeds are 32-bit words. */
export const mostSeed = 2 ** 32 - 1;

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number; `expected` describes which ones `accept` takes. */
function numberFrom(text: string, expected: string, accept: (value: number) => boolean): number {
  const value = decimal.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value) || !accept(value)) throw new Error(`"${text}" is not ${expected}.`);
  return value;
}

/** A whole number of at least `least` and, where given, at most `most`. */
export function parseWhole(text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const range = most === Number.MAX_SAFE_INTEGER
    ? `of at least ${least}`
    : `from ${least} to ${most}`;
  return numberFrom(
    text,
    `a whole number ${range}`,
    (value) => Number.isInteger(value) && value >= least && value <= most,
  );
}

/** A number above zero. */
export function parsePositive(text: string): number {
  return numberFrom(text, "a number above 0", (value) => value > 0);
}

/** A number of zero or more. */
export function parseNotNegative(text: string): number {
  return numberFrom(text, "a number of 0 or more", (value) => value >= 0);
}

/** A probability that leaves something over: 0 or more and below 1. */
export function parseProbability(text: string): number {
  return numberFrom(text, "a number from 0 to below 1", (value) => value >= 0 && value < 1);
}

/** `4,8,16`: comma-separated, none twice. */
function parseList<T>(text: string, parseItem: (item: string) => T): T[] {
  const items = text.split(",").map((item) => parseItem(item.trim()));
  const twice = items.find((item, index) => items.indexOf(item) !== index);
  if (twice !== undefined) throw new Error(`"${text}" names ${twice} twice.`);
  return items;
}

/** A list of whole numbers of at least 1, such as `4,8,16`. */
export function parseSizes(text: string): number[] {
  return parseList(text, (item) => parseWhole(item, 1));
}

/** A list of seeds, such as `1,2,3`. */
export function parseSeeds(text: string): number[] {
  return parseList(text, (item) => parseWhole(item, 0, mostSeed));
}

/** A list of whole numbers from 0, such as `0,1,11`. */
export function parseNumbers(text: string): number[] {
  return parseList(text, (item) => parseWhole(item, 0));
}

/** A list of module names, such as `query,value`. */
export function parseNames(text: string): string[] {
  return parseList(text, (item) => {
    if (!/^[\w.]+$/.test(item)) throw new Error(`"${item}" is not a module name.`);
    return item;
  });
}

/** `2r` (twice the rank) or a number. */
export function parseFactor(text: string): Factor {
  const expected = 'a number above 0 such as 16, or a multiple of the rank such as "2r"';
  const positive = (part: string): number => {
    if (!decimal.test(part) || !(Number(part) > 0) || !Number.isFinite(Number(part))) {
      throw new Error(`"${text}" is not ${expected}.`);
    }
    return Number(part);
  };
  if (!text.endsWith("r")) return { kind: "value", value: positive(text) };
  return { kind: "perRank", factor: text === "r" ? 1 : positive(text.slice(0, -1)) };
}

/** What `--learning_rate` asks for: runs at rates that are given, at rates that are searched for, or both side by side. */
export interface RateChoice {
  /** By method; one that is not named keeps the default. */
  rates: Partial<LearningRates>;
  given: boolean;
  tuned: boolean;
}

/** `tune`; or rates as {@link parseRates} takes them, or `shared` for the default; or both. */
export function parseLearningRates(text: string): RateChoice {
  const parts = text.split(",").map((part) => part.trim());
  const tuned = parts.includes("tune");
  const given = parts.filter((part) => part !== "tune").join(",");
  if (given === "" && !tuned) parsePositive(text); // says what is expected
  const rates = given === "" || given === "shared" ? {} : parseRates(given);
  return { rates, given: given !== "", tuned };
}

/**
 * `2e-5` for all methods, or `full=2e-5,lora=5e-4,adapter=1e-4`; a method that is not named keeps
 * the default. Returns only what was named.
 */
function parseRates(text: string): Partial<LearningRates> {
  if (!text.includes("=")) {
    const rate = parsePositive(text);
    return Object.fromEntries(methodNames.map((method) => [method, rate]));
  }
  const rates: Partial<LearningRates> = {};
  for (const part of text.split(",")) {
    const [name, rate, ...rest] = part.split("=").map((piece) => piece.trim());
    const method = methodNames.find((known) => known === name);
    if (method === undefined || rate === undefined || rest.length > 0) {
      throw new Error(
        `"${part}" is not of the form lora=5e-4, with a method of ${methodNames.join(", ")}; ` +
          `one rate for all is a number alone.`,
      );
    }
    if (rates[method] !== undefined) throw new Error(`"${text}" names ${method} twice.`);
    rates[method] = parsePositive(rate);
  }
  return rates;
}

/** The name of a folder, which every file system takes: no path separators, not hidden, not too long. */
export function parseFolderName(text: string): string {
  const problem = nameProblem(text);
  if (problem === undefined) return text;
  const [shown] = text.match(/^[^]{0,40}/u)!;
  const quoted = shown === text ? `"${text}"` : `"${shown}…"`;
  throw new Error(
    `${quoted} cannot be a folder's name: ${problem}. --output_dir says where the folder lies.`,
  );
}

/** Any text but the empty one. */
export function parseText(text: string): string {
  if (text.trim() === "") throw new Error("an empty text is no value.");
  return text;
}

/** A path, without a slash at its end, which names the same. */
export function parsePath(text: string): string {
  return parseText(text).replace(/([^\\/:])[\\/]+$/, "$1");
}

/** A list of some of these words, such as `full,lora`. */
export function parseChoices<Choice extends string>(
  text: string,
  choices: readonly Choice[],
): Choice[] {
  return parseList(text, (item) => {
    const choice = choices.find((known) => known === item);
    if (choice === undefined) throw new Error(`"${item}" is none of ${choices.join(", ")}.`);
    return choice;
  });
}

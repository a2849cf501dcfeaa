/** Which character separates the fields of a text. */
import { delimitedRows, type Quoting } from "./delimited_rows.ts";

/** Those that are looked for; the first of two that do as well is taken. */
const delimiters = [",", "\t", ";", "|"];

/** Never in a text (models/data/text_decoding.ts): of a single column, no delimiter. */
const none = "\0";

const namesOf: Readonly<Record<string, string>> = {
  ",": "comma",
  "\t": "tab",
  ";": "semicolon",
  "|": "pipe",
};

/** A delimiter for a sentence: `a comma`. */
export const delimiterName = (delimiter: string): string =>
  namesOf[delimiter] === undefined ? `"${delimiter}"` : `a ${namesOf[delimiter]}`;

/** Characters, and rows below the first line, that are looked at. */
const sampled = { characters: 65536, rows: 100 };

/** Excel's first line `sep=;`, which says the delimiter and is no row; the lines after it keep their numbers. */
export function separatorLine(text: string): { delimiter: string; text: string } | undefined {
  const line = /^"?sep=([^\n\r])"?[ \t,;|]*(?:\r?\n|$)/i.exec(text);
  return line === null
    ? undefined
    : { delimiter: line[1], text: `\n${text.slice(line[0].length)}` };
}

/**
 * The delimiter of a text: the one by which the first line names several columns and most rows below have as many
 * fields. Where two do as well it is `usual`. Without any in the first line it is one that is nowhere in the text.
 */
export function findDelimiter(text: string, usual: string, quoting: Quoting): string {
  const whole = text.length <= sampled.characters;
  const sample = text.slice(0, sampled.characters);
  const score = (delimiter: string): number => {
    const { rows: [header, ...rows] } = delimitedRows(sample, delimiter, quoting);
    if (header === undefined || header.length < 2) return -Infinity;
    // A sample may end within a row, or within quotes.
    const seen = rows.slice(0, whole ? sampled.rows : Math.min(sampled.rows, rows.length - 1));
    if (seen.length === 0) return 0.5;
    const fitting = seen.filter((fields) => fields.length === header.length).length;
    return fitting / seen.length;
  };
  const order = [usual, ...delimiters.filter((delimiter) => delimiter !== usual)];
  const scored = order.map((delimiter) => ({ delimiter, score: score(delimiter) }));
  const [best] = scored.toSorted((a, b) => b.score - a.score);
  return best.score === -Infinity ? none : best.delimiter;
}

/** What Python's tokenizers does to characters, in whatever version of Unicode its tables have them. */
import {
  accents,
  combiningMarks,
  decomposable,
  punctuation,
  removedCharacters,
} from "./unicode_tables.ts";

/** The inside of a regular expression's class, of a table that holds gaps and lengths in base 36. */
function classOf(table: string): string {
  const lengths = table.split(" ").map((length) => parseInt(length, 36));
  let next = 0;
  let ranges = "";
  const point = (value: number) => `\\u{${value.toString(16)}}`;
  for (let i = 0; i < lengths.length; i += 2) {
    const first = next + lengths[i];
    next = first + lengths[i + 1];
    ranges += `${point(first)}-${point(next - 1)}`;
  }
  return ranges;
}

const removed = new RegExp(`[${classOf(removedCharacters)}]+`, "gu");
const accent = new RegExp(`[${classOf(accents)}]+`, "gu");
const combining = new RegExp(`[${classOf(combiningMarks)}]+`, "gu");
const decomposed = new RegExp(`[${classOf(decomposable)}]+`, "gu");
const punctuationClass = classOf(punctuation);

const asciiOnly = /^\p{ASCII}*$/u;
const asciiRemoved = /[^\t\n\r\P{Cc}]+/gu;

/** Takes out controls and U+FFFD, and makes every blank a space. */
export function clean(text: string): string {
  if (asciiOnly.test(text)) return text.replace(asciiRemoved, "").replace(/[\t\n\r]/g, " ");
  return text.replace(removed, "").replace(/\p{White_Space}/gu, " ");
}

/** The ideographs that BERT knows. That 2B820–2B91F are missing is tokenizers' own slip. */
const ideograph =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** Puts a space before and after every Chinese character. */
export function spaceIdeographs(text: string): string {
  return text.replace(ideograph, " $& ");
}

/**
 * Canonical decomposition. A run of characters that tokenizers takes apart or reorders is as old as
 * its tables, and every later Unicode decomposes it alike; newer characters stay as they are.
 */
export function decompose(text: string): string {
  return asciiOnly.test(text) ? text : text.replace(decomposed, (run) => run.normalize("NFD"));
}

/** As BERT does: decomposes, and takes out what does not take up room of its own. */
export function stripAccents(text: string): string {
  return asciiOnly.test(text) ? text : decompose(text).replace(accent, "");
}

/** Takes out all combining marks; does not decompose. */
export function stripMarks(text: string): string {
  return text.replace(combining, "");
}

/** Unicode 17's letters, which Rust lowers and the engines' Unicode 16 does not yet. */
const newCapitals = /[\ua7ce\ua7d2\ua7d4\u{16ea0}-\u{16eb8}]/gu;

/** Lower case, letter by letter: a final sigma is no other letter, as JavaScript has it. */
export function lowercase(text: string): string {
  if (asciiOnly.test(text)) return text.toLowerCase();
  return text.replaceAll("Σ", "σ").toLowerCase().replace(newCapitals, (letter) => {
    const point = letter.codePointAt(0)!;
    return String.fromCodePoint(point + (point > 0xffff ? 0x1b : 1));
  });
}

const bertWord = new RegExp(
  `[^\\p{White_Space}${punctuationClass}]+|[${punctuationClass}]`,
  "gu",
);
const asciiBertWord = /[^\t-\r !-\/:-@[-`{-~]+|[!-\/:-@[-`{-~]/g;

/** Words between blanks, with every punctuation mark a word of its own. */
export function bertWords(text: string): string[] {
  return text.match(asciiOnly.test(text) ? asciiBertWord : bertWord) ?? [];
}

/** Letters, marks, digits and connectors, as the `\w` of Rust's regular expressions. */
export const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const wordsAndSymbols = new RegExp(
  `[${wordCharacters}]+|[^${wordCharacters}\\p{White_Space}]+`,
  "gu",
);

/** Runs of word characters and runs of other ones that are not blank. */
export function plainWords(text: string): string[] {
  return text.match(wordsAndSymbols) ?? [];
}

/** What stands between blanks. */
export function blankSeparated(text: string): string[] {
  return text.match(/\P{White_Space}+/gu) ?? [];
}

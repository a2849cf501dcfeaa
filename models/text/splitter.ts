/** Finding added tokens in a text, as Python's tokenizers does. */
import type { AddedToken } from "./added_tokens.ts";
import { wordCharacters } from "./unicode.ts";

/** A part of a text: an added token's id, or text between. */
export type Piece = number | string;

const endsWithWord = new RegExp(`[${wordCharacters}]$`, "u");
const startsWithWord = new RegExp(`^[${wordCharacters}]`, "u");
const blanksAtStart = /^\p{White_Space}*/u;

/** A token and the text it is looked for by, which is normalised where the token is. */
export interface Pattern {
  token: AddedToken;
  text: string;
}

/**
 * Makes the function that takes a text apart at its added tokens. Where several begin at a place the
 * longest one counts, also where it is then no single word and is left as text.
 */
export function makeSplitter(patterns: readonly Pattern[]): (text: string) => Piece[] {
  const byStart = new Map<string, Pattern[]>();
  for (const pattern of patterns.filter(({ text }) => text !== "" && text.isWellFormed())) {
    const start = pattern.text[0];
    byStart.set(start, [...byStart.get(start) ?? [], pattern]);
  }
  for (const list of byStart.values()) list.sort((a, b) => b.text.length - a.text.length);
  if (byStart.size === 0) return (text) => text === "" ? [] : [text];
  const units = [...byStart.keys()].map((unit) =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  );
  // Without the flag u, so that it finds halves of characters beyond the BMP too.
  const anyStart = new RegExp(`[${units.join("")}]`, "g");

  return (text) => {
    const pieces: Piece[] = [];
    let done = 0;
    anyStart.lastIndex = 0;
    for (let found = anyStart.exec(text); found !== null; found = anyStart.exec(text)) {
      const at = found.index;
      const match = byStart.get(found[0])!.find((pattern) => text.startsWith(pattern.text, at));
      if (match === undefined) continue;
      let start = at;
      let stop = at + match.text.length;
      anyStart.lastIndex = stop;
      const { token } = match;
      if (token.singleWord && besideWord(text, start, stop)) continue;
      if (token.lstrip) start = Math.max(done, blanksBefore(text, start));
      if (token.rstrip) stop += blanksAtStart.exec(text.slice(stop))![0].length;
      if (start > done) pieces.push(text.slice(done, start));
      pieces.push(token.id);
      // The search goes on within blanks that were taken along, which may begin another token.
      done = stop;
    }
    if (done < text.length) pieces.push(text.slice(done));
    return pieces;
  };
}

function besideWord(text: string, start: number, stop: number): boolean {
  // Two units hold the character before, whole.
  return endsWithWord.test(text.slice(Math.max(0, start - 2), start)) ||
    startsWithWord.test(text.slice(stop, stop + 2));
}

/** Where the blanks begin that end at `end`. */
function blanksBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && /\p{White_Space}/u.test(text[start - 1])) start--;
  return start;
}

/** The `pre_tokenizer` of a `tokenizer.json`: how a text is cut into words. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { typeIn } from "./kind.ts";
import { bertWords, blankSeparated, plainWords } from "./unicode.ts";

export type PreTokenizer = (text: string) => string[];

const simple: Record<string, PreTokenizer> = {
  BertPreTokenizer: bertWords,
  Whitespace: plainWords,
  WhitespaceSplit: blankSeparated,
};

/** Makes a WordPiece file's pre-tokenizer. Throws a `UserError` naming a kind that is not computed. */
export function makePreTokenizer(json: unknown, source: string): PreTokenizer {
  if (json === null || json === undefined) return (text) => text === "" ? [] : [text];
  const type = isObject(json) ? json.type : json;
  if (isObject(json) && type === "Sequence" && Array.isArray(json.pretokenizers)) {
    const steps = json.pretokenizers.map((step: unknown) => makePreTokenizer(step, source));
    return (text) => steps.reduce((words, step) => words.flatMap(step), [text]);
  }
  if (typeof type === "string" && Object.hasOwn(simple, type)) return simple[type];
  throw new UserError(
    `${source} has the pre_tokenizer ${typeIn(json)}, which is not computed here. Of a ` +
      `WordPiece tokenizer these are: ${Object.keys(simple).join(", ")} and a Sequence of them.`,
  );
}

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

/**
 * GPT-2's way of cutting a text into words. JavaScript's \s holds U+FEFF and lacks U+0085, other than
 * that of Python's tokenizers, where the property tells what a blank is.
 */
const gpt2Word =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * Makes a byte-level BPE's pre-tokenizer; its words are not yet in bytes. Throws a `UserError` where
 * the file's is of another kind.
 */
export function byteLevelWords(
  cutter: unknown,
  config: Record<string, unknown>,
  source: string,
): PreTokenizer {
  if (!isObject(cutter) || cutter.type !== "ByteLevel") {
    throw new UserError(
      `${source} is a BPE tokenizer, but not a byte-level one as RoBERTa has: its pre_tokenizer is ` +
        `${typeIn(cutter)}.`,
    );
  }
  // transformers lets the config decide, as of casing for BERT.
  const prefix = [config.add_prefix_space, cutter.add_prefix_space].find((value) =>
    typeof value === "boolean"
  );
  const whole = cutter.use_regex === false;
  return (text) => {
    const spaced = prefix === true && !text.startsWith(" ") ? " " + text : text;
    return whole ? [spaced] : spaced.match(gpt2Word) ?? [];
  };
}

/** What the two kinds of tokenizer, WordPiece and byte-level BPE, are made of and give. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import type { Normalizer } from "./normalizer.ts";
import type { PreTokenizer } from "./pre_tokenizer.ts";

/** The parsed content of a tokenizer's files. */
export interface TokenizerContent {
  /** What messages call it: the path of `tokenizer.json` or `vocab.txt`. */
  source: string;
  /** The structure of a `tokenizer.json`. */
  json: Record<string, unknown>;
  /** `special_tokens_map.json` over `tokenizer_config.json`; empty where there are none. */
  config: Record<string, unknown>;
  /** `added_tokens.json`: ids by token; empty where there is none. */
  added: Record<string, unknown>;
}

/** A tokenizer of one kind: what becomes of a text between its added tokens. */
export interface TokenizerKind {
  normalize: Normalizer;
  preTokenize: PreTokenizer;
  /** A word's token ids. */
  wordIds(word: string): readonly number[];
  /** Ids of the model's own tokens, without added ones. */
  vocabulary: ReadonlyMap<string, number>;
  /** Special tokens by their names in the config, such as `cls`. */
  special: Readonly<Record<string, string>>;
  /** The tokens that come before and after every text. */
  first: string;
  last: string;
  /** What to say where one of them is not in the vocabulary. */
  needs: string;
}

/** Ids are 32-bit numbers in Python's tokenizers. */
const idLimit = 2 ** 32;

/** Whether a value can be a token's id. */
export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < idLimit;
}

/** The model's vocabulary. Throws a `UserError` naming a token whose id is no whole number from 0 on. */
export function vocabularyOf(model: Record<string, unknown>, source: string): Map<string, number> {
  const vocabulary = new Map<string, number>();
  for (const [token, id] of Object.entries(isObject(model.vocab) ? model.vocab : {})) {
    if (!isId(id)) {
      throw new UserError(
        `${source} gives the token ${JSON.stringify(token)} the id ${
          JSON.stringify(id)
        }, which is ` +
          `not a whole number from 0 on.`,
      );
    }
    vocabulary.set(token, id);
  }
  return vocabulary;
}

/** A special token's text by its name in the config, such as `cls`; undefined where it names none. */
export function namedToken(config: Record<string, unknown>, name: string): string | undefined {
  const value = config[`${name}_token`];
  const content = isObject(value) ? value.content : value;
  return typeof content === "string" && content !== "" ? content : undefined;
}

/** Special tokens by name: those that the config names, over those that a kind has by default. */
export function specialTokens(
  config: Record<string, unknown>,
  defaults: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(defaults).map(([name, token]) => [name, namedToken(config, name) ?? token]),
  );
}

/** Keeps a word's ids, as most words come again. */
export function remembered(
  wordIds: (word: string) => readonly number[],
): (word: string) => readonly number[] {
  const known = new Map<string, readonly number[]>();
  return (word) => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const ids = wordIds(word);
    if (known.size >= 50_000) known.clear();
    if (word.length <= 100) known.set(word, ids);
    return ids;
  };
}

/** What a message calls a part of the file, such as a normalizer: its type, quoted. */
export function typeIn(json: unknown): string {
  const type = isObject(json) ? json.type : json;
  return type === undefined ? "of no type" : JSON.stringify(type).slice(0, 100);
}

/** A token in a message: as it is where that can be read. */
export function shownToken(token: unknown): string {
  return typeof token === "string" && /^[!-~]+$/.test(token)
    ? token
    : (JSON.stringify(token) ?? "of no text").slice(0, 100);
}

/** WordPiece, BERT's tokenizer (Devlin et al. 2019, https://arxiv.org/abs/1810.04805). */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { frameOf } from "./frame.ts";
import {
  namedToken,
  remembered,
  shownToken,
  specialTokens,
  type TokenizerContent,
  type TokenizerKind,
  vocabularyOf,
} from "./kind.ts";
import { makeNormalizer } from "./normalizer.ts";
import { makePreTokenizer } from "./pre_tokenizer.ts";

type Json = Record<string, unknown>;

const defaults = { unk: "[UNK]", sep: "[SEP]", pad: "[PAD]", cls: "[CLS]", mask: "[MASK]" };

/**
 * The structure of a `tokenizer.json` for a `vocab.txt`, one token a line, as transformers converts
 * it. The text is split at line ends only: a vocabulary may hold other blanks as tokens. Of a token
 * that stands there twice the last line counts.
 */
export function vocabularyTokenizer(text: string, config: Json): Json {
  const lines = text.replace(/\r?\n$/, "").split("\n");
  const tokens = lines.map((line) => /[!-~]$/.test(line.slice(-1)) ? line : withoutEnd(line));
  return {
    normalizer: { type: "BertNormalizer" },
    pre_tokenizer: { type: "BertPreTokenizer" },
    model: {
      type: "WordPiece",
      unk_token: namedToken(config, "unk") ?? defaults.unk,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  };
}

/** A line without the blanks at its end. */
const withoutEnd = (line: string) => line.replace(/\p{White_Space}+$/u, "");

/** `tokenizer_config.json` has the last word on casing and accents, as in transformers. */
function respectConfig(normalizer: unknown, config: Json): unknown {
  if (!isObject(normalizer) || normalizer.type !== "BertNormalizer") return normalizer;
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = config;
  const over: Json = {
    lowercase: do_lower_case,
    strip_accents,
    handle_chinese_chars: tokenize_chinese_chars,
  };
  const set = Object.entries(over).filter(([, value]) => typeof value === "boolean");
  return { ...normalizer, ...Object.fromEntries(set) };
}

/**
 * Makes a WordPiece tokenizer. Throws a `UserError` where its unknown token is not in its vocabulary,
 * or something in it is not computed.
 */
export function wordPiece(content: TokenizerContent): TokenizerKind {
  const { source, json, config } = content;
  const model = isObject(json.model) ? json.model : {};
  const special = specialTokens(config, defaults);
  const vocabulary = vocabularyOf(model, source);
  const needs = `BERT needs [CLS], [SEP] and [UNK]; tokenizer_config.json may name others as ` +
    `cls_token, sep_token and unk_token.`;
  const unknown = model.unk_token ?? special.unk;
  const unknownId = typeof unknown === "string" ? vocabulary.get(unknown) : undefined;
  if (unknownId === undefined) {
    throw new UserError(
      `${source} has no token ${
        shownToken(unknown)
      }, which stands for words that it does not know. ${needs}`,
    );
  }
  const frame = frameOf(json.post_processor, source);
  return {
    normalize: makeNormalizer(respectConfig(json.normalizer, config), source),
    preTokenize: makePreTokenizer(json.pre_tokenizer, source),
    wordIds: remembered(longestPieces(model, vocabulary, unknownId, source)),
    vocabulary,
    special,
    first: namedToken(config, "cls") ?? frame?.first ?? special.cls,
    last: namedToken(config, "sep") ?? frame?.last ?? special.sep,
    needs,
  };
}

/** From a word to ids: the longest piece that it begins with, then the longest of what is left. */
function longestPieces(
  model: Json,
  vocabulary: ReadonlyMap<string, number>,
  unknown: number,
  source: string,
): (word: string) => readonly number[] {
  const { continuing_subword_prefix: prefix = "##", max_input_chars_per_word: most = 100 } = model;
  if (typeof prefix !== "string") {
    throw new UserError(
      `${source}: continuing_subword_prefix is ${JSON.stringify(prefix)}, not a text.`,
    );
  }
  if (typeof most !== "number" || !Number.isInteger(most) || most < 0) {
    throw new UserError(
      `${source}: max_input_chars_per_word is ${
        JSON.stringify(most)
      }, not a whole number from 0 on.`,
    );
  }
  const inside = new Map<string, number>();
  let longest = 1;
  for (const [token, id] of vocabulary) {
    longest = Math.max(longest, token.length);
    if (token.startsWith(prefix)) inside.set(token.slice(prefix.length), id);
  }
  return (word) => {
    if (word.length > most && [...word].length > most) return [unknown];
    const ids: number[] = [];
    for (let start = 0; start < word.length;) {
      const pieces = start === 0 ? vocabulary : inside;
      let end = Math.min(word.length, start + longest);
      let id: number | undefined;
      for (; end > start; end--) {
        id = pieces.get(word.slice(start, end));
        if (id !== undefined && !insideCharacter(word, end)) break;
      }
      if (end === start) return [unknown];
      ids.push(id!);
      start = end;
    }
    return ids;
  };
}

/** Whether a place in a text lies between the two halves of a character beyond the BMP. */
function insideCharacter(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00 &&
    (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}

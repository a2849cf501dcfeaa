/** WordPiece, BERT's tokenizer (Devlin et al. 2019, https://arxiv.org/abs/1810.04805). */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import {
  packageTokenizer,
  specialToken,
  type TokenizerContent,
  type TokenizerKind,
} from "./package.ts";

type Json = Record<string, unknown>;

/**
 * The structure of a `tokenizer.json` for a `vocab.txt`, one token a line, as transformers converts
 * it. The text is split at line ends only: a vocabulary may hold other blanks as tokens.
 */
export function vocabularyTokenizer(text: string, config: Json): Json {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const special = ["pad", "unk", "cls", "sep", "mask"]
    .map((name) => bertToken(config, name))
    .filter((token) => token in vocab);
  return {
    version: "1.0",
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: bertToken(config, "unk"),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** A special token's text, e.g. "[CLS]" for `cls`. */
function bertToken(config: Json, name: string): string {
  return specialToken(config, name, `[${name.toUpperCase()}]`);
}

/** `tokenizer_config.json` has the last word on casing and accents, as in transformers. */
function respectConfig(tokenizer: Json, config: Json): void {
  const { normalizer } = tokenizer;
  if (!isObject(normalizer) || normalizer.type !== "BertNormalizer") return;
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = config;
  if (typeof do_lower_case === "boolean") normalizer.lowercase = do_lower_case;
  if (typeof strip_accents === "boolean") normalizer.strip_accents = strip_accents;
  if (typeof tokenize_chinese_chars === "boolean") {
    normalizer.handle_chinese_chars = tokenize_chinese_chars;
  }
}

/** Makes a WordPiece tokenizer. Throws a `UserError` where it lacks [CLS], [SEP] or [UNK]. */
export function wordPiece(content: TokenizerContent): TokenizerKind {
  const { source, json, config } = content;
  respectConfig(json, config);
  const tokenizer = packageTokenizer(content);
  const idOf = (name: string): number => {
    const token = bertToken(config, name);
    const id = tokenizer.token_to_id(token);
    if (id === undefined) {
      throw new UserError(
        `${source} has no token ${token}. BERT needs [CLS], [SEP] and [UNK]; ` +
          `tokenizer_config.json may name others as cls_token, sep_token and unk_token.`,
      );
    }
    return id;
  };
  idOf("unk");
  return { tokenizer, first: idOf("cls"), last: idOf("sep") };
}

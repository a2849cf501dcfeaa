/**
 * BERT's WordPiece tokenizer over `@huggingface/tokenizers`, from a checkpoint folder's
 * `tokenizer.json` or, in older ones, `vocab.txt`.
 */
import { join } from "node:path";
import { Tokenizer as WordPieceTokenizer } from "@huggingface/tokenizers";
import { messageOf, UserError } from "../files/errors.ts";

export interface Tokenizer {
  /** The highest token id, plus one. */
  vocabSize: number;
  /** Token ids `[CLS] … [SEP]` of a text, cut to `maxLength` with both kept. */
  encode(text: string, maxLength: number): number[];
  /** The files it was read from, to copy beside an exported model. */
  files: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
}

/** The files that belong to a BERT tokenizer; only `tokenizer.json` or `vocab.txt` is needed. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "vocab.txt",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
] as const;

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string, path: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path} is not JSON: ${messageOf(cause)}.`, { cause });
  }
  if (!isObject(value)) throw new UserError(`${path} is not a JSON object.`);
  return value;
}

/**
 * The structure of a `tokenizer.json` for a `vocab.txt`, one token a line, as transformers converts
 * it. The text is split at line ends only: a vocabulary may hold other blanks as tokens.
 */
function fromVocabulary(text: string, config: Json): Json {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const special = ["pad", "unk", "cls", "sep", "mask"]
    .map((name) => specialToken(config, name))
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
      unk_token: specialToken(config, "unk"),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** A special token's text, e.g. "[CLS]" for `cls`; old configs hold it inside an object. */
function specialToken(config: Json, name: string): string {
  const value = config[`${name}_token`];
  const content = isObject(value) ? value.content : value;
  return typeof content === "string" ? content : `[${name.toUpperCase()}]`;
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

async function readTokenizerFiles(folder: string): Promise<Tokenizer["files"]> {
  const files: Tokenizer["files"] = [];
  for (const name of tokenizerFileNames) {
    try {
      files.push({ name, bytes: await Deno.readFile(join(folder, name)) });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return files;
}

/**
 * Loads the tokenizer of a checkpoint folder: `tokenizer.json`, else `vocab.txt`, with
 * `tokenizer_config.json`'s casing. `embeddings` is the number of word embeddings of the model that
 * reads its ids. Throws a `UserError` where a file is missing, is not a WordPiece tokenizer's, lacks
 * [CLS], [SEP] or [UNK], or gives ids that the model has no embedding for.
 */
export async function loadTokenizer(folder: string, embeddings = Infinity): Promise<Tokenizer> {
  const files = await readTokenizerFiles(folder);
  const text = (name: string): string | undefined => {
    const file = files.find((file) => file.name === name);
    return file && new TextDecoder().decode(file.bytes);
  };
  const configText = text("tokenizer_config.json");
  const config = configText === undefined
    ? {}
    : parseObject(configText, join(folder, "tokenizer_config.json"));
  const source = join(
    folder,
    text("tokenizer.json") === undefined ? "vocab.txt" : "tokenizer.json",
  );
  const json = text("tokenizer.json");
  const vocabulary = text("vocab.txt");
  let tokenizer: Json;
  if (json !== undefined) {
    tokenizer = parseObject(json, source);
  } else if (vocabulary !== undefined) {
    tokenizer = fromVocabulary(vocabulary, config);
  } else {
    throw new UserError(
      `${folder} has neither tokenizer.json nor vocab.txt. Put the files of the model's tokenizer there.`,
    );
  }
  respectConfig(tokenizer, config);

  const { model } = tokenizer;
  if (!isObject(model) || !isObject(model.vocab) || (model.type ?? "WordPiece") !== "WordPiece") {
    const type = isObject(model) ? model.type : undefined;
    throw new UserError(
      `${source} is not a WordPiece tokenizer, as BERT has, but ${JSON.stringify(type)}. ` +
        `Any encoder of the BERT architecture works: bert-base, bert-large, MiniLM, bert-tiny.`,
    );
  }
  // A library's type for the file would claim more than we checked; it takes plain objects.
  let wordPiece: WordPieceTokenizer;
  try {
    wordPiece = new WordPieceTokenizer(tokenizer, config);
  } catch (cause) {
    throw new UserError(`Cannot use ${source}: ${messageOf(cause)}.`, { cause });
  }
  const idOf = (name: string): number => {
    const token = specialToken(config, name);
    const id = wordPiece.token_to_id(token);
    if (id === undefined) {
      throw new UserError(
        `${source} has no token ${token}. BERT needs [CLS], [SEP] and [UNK]; ` +
          `tokenizer_config.json may name others as cls_token, sep_token and unk_token.`,
      );
    }
    return id;
  };
  const cls = idOf("cls");
  const sep = idOf("sep");
  idOf("unk");
  let vocabSize = 0;
  for (const id of wordPiece.get_vocab().values()) vocabSize = Math.max(vocabSize, id + 1);
  if (vocabSize > embeddings) {
    throw new UserError(
      `${source} gives token ids up to ${vocabSize - 1}, but the model has ${embeddings} word ` +
        `embeddings: the two are not of the same model.`,
    );
  }
  return {
    vocabSize,
    files,
    encode(text, maxLength) {
      const { ids } = wordPiece.encode(text, { add_special_tokens: false });
      return [cls, ...ids.slice(0, Math.max(0, maxLength - 2)), sep];
    },
  };
}

/**
 * A checkpoint's tokenizer, over `@huggingface/tokenizers`: from `tokenizer.json`, whose model's type
 * tells its kind, or from `vocab.txt`, which older WordPiece ones have.
 */
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { isObject, readJsonObject, readSmallText } from "../files/json.ts";
import { byteLevelBpe } from "./byte_bpe.ts";
import type { TokenizerContent, TokenizerKind } from "./package.ts";
import { checkTokenizerClass } from "./tokenizer_class.ts";
import { vocabularyTokenizer, wordPiece } from "./wordpiece.ts";

export interface Tokenizer {
  /** The highest token id, plus one. */
  vocabSize: number;
  /** The id of a token, such as [MASK]; undefined where there is none. */
  idOf(token: string): number | undefined;
  /**
   * Token ids of a text between the special first and last one ([CLS] … [SEP] of BERT, <s> … </s> of
   * RoBERTa), cut to `maxLength` with both kept.
   */
  encode(text: string, maxLength: number): number[];
  /** The files it was read from, to copy beside an exported model. */
  files: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
}

const jsonFile = "tokenizer.json";
const vocabularyFile = "vocab.txt";
const configFiles = ["special_tokens_map.json", "tokenizer_config.json"];

/** The files that may belong to a tokenizer; only `tokenizer.json` or `vocab.txt` is needed. */
export const tokenizerFileNames = [
  jsonFile,
  vocabularyFile,
  "vocab.json",
  "merges.txt",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
] as const;

/** What to say of a model, `where`, that has these files and no tokenizer that we read. */
export function missingTokenizer(where: string, files: readonly string[]): UserError | undefined {
  if (files.includes(jsonFile) || files.includes(vocabularyFile)) return undefined;
  if (files.includes("vocab.json") && files.includes("merges.txt")) {
    return new UserError(
      `${where} has vocab.json and merges.txt, but no ${jsonFile}, which is needed for a byte-level ` +
        `BPE tokenizer. Make it with Python's transformers: ` +
        `AutoTokenizer.from_pretrained("${where}", use_fast=True).save_pretrained("${where}").`,
    );
  }
  return new UserError(
    `${where} has neither ${jsonFile} nor ${vocabularyFile}. Put the files of the model's ` +
      `tokenizer there.`,
  );
}

/**
 * Loads the tokenizer of a checkpoint folder. `embeddings` is the number of word embeddings of the
 * model that reads its ids. Throws a `UserError` where a file is missing, the tokenizer is neither
 * WordPiece nor byte-level BPE or lacks a special token, or gives ids that the model has no embedding
 * for.
 */
export async function loadTokenizer(folder: Folder, embeddings = Infinity): Promise<Tokenizer> {
  const present = await Promise.all(
    tokenizerFileNames.map(async (name) => await folder.has(name) ? [name] : []),
  );
  const names = present.flat();
  const missing = missingTokenizer(folder.name, names);
  if (missing !== undefined) throw missing;
  await checkTokenizerClass(folder);
  const content = await readContent(folder, names);
  const { source } = content;
  const { tokenizer, first, last } = kindOf(content);
  let vocabSize = 0;
  for (const id of tokenizer.get_vocab().values()) vocabSize = Math.max(vocabSize, id + 1);
  if (vocabSize > embeddings) {
    throw new UserError(
      `${source} gives token ids up to ${vocabSize - 1}, but the model has ${embeddings} word ` +
        `embeddings: the two are not of the same model.`,
    );
  }
  const files = names.map(async (name) => ({ name, bytes: await folder.bytes(name) }));
  return {
    vocabSize,
    idOf: (token) => tokenizer.token_to_id(token),
    files: await Promise.all(files),
    encode(text, maxLength) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
      return [first, ...ids.slice(0, Math.max(0, maxLength - 2)), last];
    },
  };
}

async function readContent(folder: Folder, names: readonly string[]): Promise<TokenizerContent> {
  const config: Record<string, unknown> = {};
  for (const name of configFiles.filter((name) => names.includes(name))) {
    Object.assign(config, await readJsonObject(folder, name));
  }
  if (names.includes(jsonFile)) {
    const json = await readJsonObject(folder, jsonFile);
    return { source: pathIn(folder, jsonFile), json, config };
  }
  const json = vocabularyTokenizer(await readSmallText(folder, vocabularyFile), config);
  return { source: pathIn(folder, vocabularyFile), json, config };
}

function kindOf(content: TokenizerContent): TokenizerKind {
  const model = isObject(content.json.model) ? content.json.model : {};
  // Old files of WordPiece tokenizers name no type.
  const type = model.type ?? "WordPiece";
  if (isObject(model.vocab)) {
    if (type === "WordPiece") return wordPiece(content);
    if (type === "BPE") return byteLevelBpe(content);
  }
  throw new UserError(
    `${content.source} is a tokenizer of the type ${
      JSON.stringify(model.type)
    }; only WordPiece, as ` +
      `BERT has, and byte-level BPE, as RoBERTa has, can be used.`,
  );
}

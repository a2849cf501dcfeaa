/**
 * A checkpoint's tokenizer: from `tokenizer.json`, whose model's type tells its kind, or from
 * `vocab.txt`, which older WordPiece ones have. Gives the ids that Python's tokenizers does.
 */
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { isObject, readJsonObject, readSmallText } from "../files/json.ts";
import { type AddedToken, addedTokens } from "./added_tokens.ts";
import { byteLevelBpe } from "./byte_bpe.ts";
import { shownToken, type TokenizerContent, type TokenizerKind, typeIn } from "./kind.ts";
import { makeSplitter } from "./splitter.ts";
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
  /** What of the files a user should know, a sentence each. */
  notices: string[];
}

const jsonFile = "tokenizer.json";
const vocabularyFile = "vocab.txt";
const configFile = "tokenizer_config.json";
const mapFile = "special_tokens_map.json";
const addedFile = "added_tokens.json";

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
 * WordPiece nor byte-level BPE, has a part that is not computed, lacks a special token, or gives ids
 * that are no ids or that the model has no embedding for.
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
  const kind = kindOf(content);
  const { tokens, notices } = addedTokens(content, kind);
  const added = new Map(tokens.map((token) => [token.content, token.id]));
  const idOf = (token: string) => added.get(token) ?? kind.vocabulary.get(token);
  const needed = (token: string): number => {
    const id = idOf(token);
    if (id === undefined) {
      throw new UserError(`${source} has no token ${shownToken(token)}. ${kind.needs}`);
    }
    return id;
  };
  const [first, last] = [needed(kind.first), needed(kind.last)];
  const vocabSize = sizeOf(kind, tokens, source, embeddings);
  if (isShort(vocabSize, embeddings)) {
    notices.push(
      `${source} has ${vocabSize} tokens and the model ${embeddings} word embeddings: is the file ` +
        `whole? Words that it lacks are read as unknown.`,
    );
  }
  const files = names.map(async (name) => ({ name, bytes: await folder.bytes(name) }));
  const encode = encoder(kind, tokens);
  return {
    vocabSize,
    idOf,
    files: await Promise.all(files),
    notices,
    encode: (text, maxLength) => [first, ...encode(text, Math.max(0, maxLength - 2)), last],
  };
}

/** The highest id that a text can get, plus one; never above the model's embeddings. */
function sizeOf(
  { vocabulary }: TokenizerKind,
  tokens: readonly AddedToken[],
  source: string,
  embeddings: number,
): number {
  let size = 0;
  // No text gives the token of an empty line.
  for (const [token, id] of vocabulary) if (token !== "") size = Math.max(size, id + 1);
  if (size > embeddings) {
    throw new UserError(
      `${source} gives token ids up to ${size - 1}, but the model has ${embeddings} word ` +
        `embeddings: the two are not of the same model.`,
    );
  }
  for (const { id, content } of tokens) {
    if (id >= embeddings) {
      throw new UserError(
        `${source}: the added token ${
          JSON.stringify(content)
        } has the id ${id}, but the model has ` +
          `${embeddings} word embeddings: the two are not of the same model, or its embeddings were ` +
          `not resized when the token was added.`,
      );
    }
    size = Math.max(size, id + 1);
  }
  return size;
}

/** Whether there are fewer tokens than embeddings, and not since these were filled up to some multiple. */
function isShort(vocabSize: number, embeddings: number): boolean {
  if (!Number.isFinite(embeddings) || vocabSize >= embeddings) return false;
  return embeddings % 8 !== 0 || embeddings - vocabSize >= 128;
}

/** From a text to at most `most` ids, without those that come first and last. */
function encoder(
  { normalize, preTokenize, wordIds }: TokenizerKind,
  tokens: readonly AddedToken[],
): (text: string, most: number) => number[] {
  const plain = tokens.filter((token) => !token.normalized);
  const normalized = tokens.filter((token) => token.normalized);
  const splitText = makeSplitter(plain.map((token) => ({ token, text: token.content })));
  const splitNormalized = makeSplitter(
    normalized.map((token) => ({ token, text: normalize(token.content) })),
  );
  function* pieces(text: string): Generator<readonly number[]> {
    // A half of a surrogate pair is no character: U+FFFD, as in any encoding.
    for (const piece of splitText(text.toWellFormed())) {
      if (typeof piece === "number") yield [piece];
      else {
        for (const part of splitNormalized(normalize(piece))) {
          if (typeof part === "number") yield [part];
          else for (const word of preTokenize(part)) yield wordIds(word);
        }
      }
    }
  }
  return (text, most) => {
    const ids: number[] = [];
    for (const piece of pieces(text)) {
      for (const id of piece) {
        if (ids.length >= most) return ids;
        ids.push(id);
      }
    }
    return ids;
  };
}

async function readContent(folder: Folder, names: readonly string[]): Promise<TokenizerContent> {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    names.includes(name) ? await readJsonObject(folder, name) : {};
  const [own, map, added] = [await read(configFile), await read(mapFile), await read(addedFile)];
  // As in transformers: newer configs, which list all added tokens, have the last word.
  const config = isObject(own.added_tokens_decoder) ? { ...map, ...own } : { ...own, ...map };
  if (names.includes(jsonFile)) {
    const json = await readJsonObject(folder, jsonFile);
    return { source: pathIn(folder, jsonFile), json, config, added };
  }
  const json = vocabularyTokenizer(await readSmallText(folder, vocabularyFile), config);
  return { source: pathIn(folder, vocabularyFile), json, config, added };
}

function kindOf(content: TokenizerContent): TokenizerKind {
  const model = isObject(content.json.model) ? content.json.model : {};
  // Old files name no type.
  const type = model.type ?? (Array.isArray(model.merges) ? "BPE" : "WordPiece");
  if (isObject(model.vocab)) {
    if (type === "WordPiece") return wordPiece(content);
    if (type === "BPE") return byteLevelBpe(content);
  }
  const shown = type === "WordPiece" || type === "BPE" ? `${type}, without a vocab` : typeIn(type);
  throw new UserError(
    `${content.source} is a tokenizer of the type ${shown}; only WordPiece, as ` +
      `BERT has, and byte-level BPE, as RoBERTa has, can be used.`,
  );
}

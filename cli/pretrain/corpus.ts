/** The sentences of a pretraining: read, given a vocabulary, cut into tokens. */
import { readTexts, type TextOptions } from "../../models/data/texts.ts";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { toJson } from "../../models/files/json.ts";
import { fileSource } from "../../models/host/files.ts";
import type { Sentence } from "../../models/pretraining/objective.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text/tokenizer.ts";
import { countWords, specialTokens, trainVocabulary } from "../../models/text/wordpiece_trainer.ts";

export interface Corpus {
  /** Each once, in the order of the files, and without those of no token. */
  texts: string[];
  /** Token ids of each, special ones included. */
  sentences: Sentence[];
  /** Rows that were dropped because their text is there already, or because nothing of it is left. */
  dropped: number;
  /** SHA-256, in hex, of the texts. */
  hash: string;
  tokenizer: Tokenizer;
}

/** All texts of some files, each once. Throws a UserError where a file cannot be read, or there are none. */
export async function readAllTexts(
  paths: readonly string[],
  options: TextOptions,
): Promise<{ texts: string[]; dropped: number; notices: UserError[] }> {
  const texts = new Set<string>();
  const notices: UserError[] = [];
  let read = 0;
  for (const path of paths) {
    const source = await fileSource(path);
    try {
      const found = await readTexts(source, options);
      notices.push(...found.notices);
      for (const text of found.texts.map((text) => text.trim())) {
        if (text === "") continue;
        texts.add(text);
        read++;
      }
    } finally {
      source.close?.();
    }
  }
  if (texts.size === 0) throw new UserError(`${paths.join(", ")}: there is no text to train on.`);
  return { texts: [...texts], dropped: read - texts.size, notices };
}

/** A `vocab.txt` of a file, or trained on the texts. Throws a UserError where the file lacks a special token. */
export async function vocabularyOf(
  texts: readonly string[],
  { file, size }: { file?: string; size: number },
): Promise<string> {
  if (file === undefined) return `${trainVocabulary(countWords(texts), size).join("\n")}\n`;
  const source = await fileSource(file);
  try {
    const text = new TextDecoder().decode(await source.slice(0));
    const tokens = text.split(/\r?\n/);
    const missing = specialTokens.find((token) => !tokens.includes(token));
    if (missing === undefined) return text;
    throw new UserError(`${file} has no token ${missing}: it is no vocabulary of a BERT.`);
  } finally {
    source.close?.();
  }
}

const tokenizerConfig = {
  tokenizer_class: "BertTokenizer",
  do_lower_case: true,
  tokenize_chinese_chars: true,
  strip_accents: null,
  model_max_length: 512,
  pad_token: "[PAD]",
  unk_token: "[UNK]",
  cls_token: "[CLS]",
  sep_token: "[SEP]",
  mask_token: "[MASK]",
};

/** Cuts texts into tokens of a vocabulary, at most `maxLength` a sentence. */
export async function cutTexts(
  { texts, dropped }: { texts: readonly string[]; dropped: number },
  vocabulary: string,
  { maxLength, maxPositions }: { maxLength: number; maxPositions: number },
): Promise<Corpus> {
  const config = { ...tokenizerConfig, model_max_length: maxPositions };
  const encoder = new TextEncoder();
  const folder = memoryFolder(
    "the vocabulary",
    new Map([
      ["vocab.txt", encoder.encode(vocabulary)],
      ["tokenizer_config.json", encoder.encode(toJson(config))],
    ]),
  );
  const tokenizer = await loadTokenizer(folder);
  const all = texts.map((text) => ({ text, ids: tokenizer.encode(text, maxLength) }));
  const kept = all.filter(({ ids }) => ids.length > 2);
  const bytes = encoder.encode(kept.map(({ text }) => text).join("\n"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return {
    texts: kept.map(({ text }) => text),
    sentences: kept.map(({ ids }) => ids),
    dropped: dropped + all.length - kept.length,
    hash,
    tokenizer,
  };
}

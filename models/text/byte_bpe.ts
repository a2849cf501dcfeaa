/**
 * Byte-level BPE, the tokenizer of GPT-2 and RoBERTa (Liu et al. 2019,
 * https://arxiv.org/abs/1907.11692): pairs of a text's bytes, each shown as a letter, are merged.
 */
import { BPE, ByteLevelPreTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { frameOf } from "./frame.ts";
import {
  remembered,
  shownToken,
  specialTokens,
  type TokenizerContent,
  type TokenizerKind,
  vocabularyOf,
} from "./kind.ts";
import { makeNormalizer } from "./normalizer.ts";
import { byteLevelWords } from "./pre_tokenizer.ts";

type Json = Record<string, unknown>;

const defaults = {
  bos: "<s>",
  eos: "</s>",
  unk: "<unk>",
  sep: "</s>",
  pad: "<pad>",
  cls: "<s>",
  mask: "<mask>",
};

/**
 * Makes a byte-level BPE tokenizer. Blanks before a text are as its file says, or as
 * `tokenizer_config.json` does. Throws a `UserError` where it is a BPE of another kind, or something
 * in it is not computed.
 */
export function byteLevelBpe(content: TokenizerContent): TokenizerKind {
  const { source, json, config } = content;
  const model = isObject(json.model) ? json.model : {};
  const vocabulary = vocabularyOf(model, source);
  const special = specialTokens(config, defaults);
  const frame = frameOf(json.post_processor, source);
  const letters = byteLetters();
  const merged = mergedPairs(model, vocabulary, source);
  return {
    normalize: makeNormalizer(json.normalizer, source),
    preTokenize: byteLevelWords(json.pre_tokenizer, config, source),
    wordIds: remembered((word) => merged(letters(word))),
    vocabulary,
    special,
    first: frame?.first ?? special.cls,
    last: frame?.last ?? special.sep,
    needs: `RoBERTa needs <s> and </s>; tokenizer_config.json may name others as cls_token and ` +
      `sep_token.`,
  };
}

/** A word's bytes, a letter each. */
function byteLetters(): (word: string) => string {
  const bytes = new ByteLevelPreTokenizer({
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: false,
    use_regex: false,
  });
  return (word) => bytes.pre_tokenize(word).join("");
}

/** From a word's letters to ids. What the vocabulary has no letter for is its unknown token, or nothing. */
function mergedPairs(
  model: Json,
  vocabulary: ReadonlyMap<string, number>,
  source: string,
): (word: string) => readonly number[] {
  const { unk_token, fuse_unk, ignore_merges } = model;
  for (
    const name of ["dropout", "byte_fallback", "continuing_subword_prefix", "end_of_word_suffix"]
  ) {
    if (model[name]) {
      throw new UserError(
        `${source} is a BPE tokenizer with ${name} ${JSON.stringify(model[name])}, which is not ` +
          `computed here; RoBERTa's has none.`,
      );
    }
  }
  const unknown = typeof unk_token === "string" ? vocabulary.get(unk_token) : undefined;
  if (unknown === undefined && unk_token !== null && unk_token !== undefined) {
    throw new UserError(`${source} has no token ${shownToken(unk_token)}, its unk_token.`);
  }
  // The package drops unknown letters only after merging, so it is given words without them.
  const bpe = new BPE({
    type: "BPE",
    vocab: Object.fromEntries(vocabulary),
    merges: mergesOf(model.merges, vocabulary, source),
    ignore_merges: ignore_merges === true,
  });
  const known = (letters: string): number[] =>
    letters === "" ? [] : bpe.encode([letters]).map((token) => vocabulary.get(token)!);
  return (word) => {
    if (ignore_merges === true && vocabulary.has(word)) return [vocabulary.get(word)!];
    const ids: number[][] = [];
    let run = "";
    let fused = false;
    for (const letter of word) {
      const has = vocabulary.has(letter);
      if (has) run += letter;
      else if (unknown !== undefined) {
        ids.push(known(run));
        run = "";
        if (!(fused && fuse_unk === true)) ids.push([unknown]);
      }
      fused = !has;
    }
    return [...ids, known(run)].flat();
  };
}

/** Pairs to merge, the first ones first; old files have them as texts. */
function mergesOf(
  merges: unknown,
  vocabulary: ReadonlyMap<string, number>,
  source: string,
): [string, string][] {
  const list: unknown[] = Array.isArray(merges) ? merges : [];
  return list.map((merge) => {
    const pair: unknown[] = typeof merge === "string"
      ? merge.split(" ")
      : Array.isArray(merge)
      ? merge
      : [];
    const [left, right] = pair;
    if (pair.length === 2 && typeof left === "string" && typeof right === "string") {
      if ([left, right, left + right].every((token) => vocabulary.has(token))) return [left, right];
    }
    throw new UserError(
      `${source}: the merge ${shownToken(merge)} is not of two tokens of the vocabulary that ` +
        `make a third.`,
    );
  });
}

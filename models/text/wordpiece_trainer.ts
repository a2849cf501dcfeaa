/**
 * Training a WordPiece vocabulary: pieces are merged pair by pair, the most frequent pair first, as `tokenizers`'
 * WordPieceTrainer does (byte-pair merges, Sennrich et al. 2016, arXiv:1508.07909, whose pieces within a word begin
 * with ##).
 */
import { UserError } from "../errors.ts";
import { bertWords, clean, lowercase, spaceIdeographs, stripAccents } from "./unicode.ts";

/** In the order of their ids, as in BERT's own vocabularies. */
export const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

const prefix = "##";
/** A pair or a character that occurs less often is no piece. */
const leastCount = 2;

/** How often each word occurs, cut and normalised as an uncased BERT's tokenizer does. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of bertWords(lowercase(stripAccents(spaceIdeographs(clean(text)))))) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

/**
 * A vocabulary of at most `size` tokens: special ones, characters, then merged pieces in the order of their merges; fewer
 * where no pair occurs twice. Of the characters the most frequent ones are kept, some for each hundred tokens, and words
 * with another count nowhere. Throws a UserError where the size has no room for the characters.
 */
export function trainVocabulary(counts: ReadonlyMap<string, number>, size: number): string[] {
  const most = Math.min(1000, Math.max(40, Math.floor(size / 32)));
  const alphabet = frequentCharacters(counts, most);
  const words = [...counts].map(([word, count]) => ({ letters: [...word], count }))
    .filter(({ letters }) => letters.every((letter) => alphabet.has(letter)));
  const forms = new Set<string>();
  for (const { letters } of words) letters.forEach((letter, at) => forms.add(formOf(letter, at)));
  const tokens = [...specialTokens, ...[...forms].sort(byPrefix)];
  if (tokens.length > size) {
    throw new UserError(
      `A vocabulary of ${size} tokens is too small: special tokens and single characters are ` +
        `${tokens.length} already.`,
    );
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merger = new Merger(
    words.map(({ letters, count }) => ({
      pieces: letters.map((letter, at) => ids.get(formOf(letter, at))!),
      count,
    })),
  );
  while (tokens.length < size) {
    const pair = merger.best();
    if (!pair) break;
    const merged = tokens[pair[0]] + tokens[pair[1]].slice(prefix.length);
    const known = ids.get(merged);
    if (known === undefined) ids.set(merged, tokens.push(merged) - 1);
    merger.merge(pair, ids.get(merged)!);
  }
  return tokens;
}

const formOf = (letter: string, at: number) => at === 0 ? letter : prefix + letter;

/** Those that begin words before those within. */
function byPrefix(a: string, b: string): number {
  const within = (form: string) => form.startsWith(prefix) && form.length > prefix.length ? 1 : 0;
  return within(a) - within(b) || (a < b ? -1 : 1);
}

function frequentCharacters(counts: ReadonlyMap<string, number>, most: number): Set<string> {
  const characters = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const letter of word) characters.set(letter, (characters.get(letter) ?? 0) + count);
  }
  const frequent = [...characters].filter(([, count]) => count >= leastCount)
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  return new Set(frequent.slice(0, most).map(([letter]) => letter));
}

type Pair = readonly [number, number];

interface Word {
  pieces: number[];
  count: number;
}

/** Ids are below this: two of them make one number. */
const idLimit = 2 ** 24;

/** Words in pieces, and how often each pair of pieces occurs in them. */
class Merger {
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  /** The words in which a pair has occurred. */
  readonly #places = new Map<number, Set<Word>>();
  readonly #queue: { pair: number; count: number }[] = [];

  constructor(words: readonly Word[]) {
    this.#words = words;
    for (const word of this.#words) this.#add(word, 1);
    for (const [pair, count] of this.#counts) this.#push({ pair, count });
  }

  /** The most frequent pair, the one of lower ids on a tie; undefined where none occurs often enough. */
  best(): Pair | undefined {
    for (let top = this.#pop(); top !== undefined; top = this.#pop()) {
      const count = this.#counts.get(top.pair) ?? 0;
      if (count < leastCount) continue;
      if (count === top.count) return [Math.floor(top.pair / idLimit), top.pair % idLimit];
      if (count < top.count) this.#push({ pair: top.pair, count }); // a larger one is queued already
    }
  }

  /** Makes one piece of a pair, wherever it occurs. */
  merge([left, right]: Pair, merged: number): void {
    const pair = left * idLimit + right;
    for (const word of this.#places.get(pair) ?? []) {
      const before = word.pieces;
      const pieces: number[] = [];
      for (let i = 0; i < before.length; i++) {
        const found = before[i] === left && before[i + 1] === right;
        pieces.push(found ? merged : before[i]);
        if (found) i++;
      }
      if (pieces.length === before.length) continue;
      this.#add(word, -1);
      word.pieces = pieces;
      for (const changed of this.#add(word, 1)) {
        this.#push({ pair: changed, count: this.#counts.get(changed)! });
      }
    }
    this.#places.delete(pair);
    this.#counts.delete(pair);
  }

  /** Counts a word's pairs in or out; returns them. */
  #add(word: Word, sign: 1 | -1): number[] {
    const { pieces, count } = word;
    const pairs: number[] = [];
    for (let i = 0; i + 1 < pieces.length; i++) {
      const pair = pieces[i] * idLimit + pieces[i + 1];
      pairs.push(pair);
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + sign * count);
      if (sign > 0) {
        const places = this.#places.get(pair);
        if (places) places.add(word);
        else this.#places.set(pair, new Set([word]));
      }
    }
    return pairs;
  }

  // A binary heap; a pair may lie in it several times, with counts that it has no more.

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#queue[a], this.#queue[b]];
    return x.count > y.count || (x.count === y.count && x.pair < y.pair);
  }

  #swap(a: number, b: number): void {
    [this.#queue[a], this.#queue[b]] = [this.#queue[b], this.#queue[a]];
  }

  #push(entry: { pair: number; count: number }): void {
    let at = this.#queue.push(entry) - 1;
    for (let up = (at - 1) >> 1; at > 0 && this.#before(at, up); up = (at - 1) >> 1) {
      this.#swap(at, up);
      at = up;
    }
  }

  #pop(): { pair: number; count: number } | undefined {
    const last = this.#queue.length - 1;
    if (last < 0) return undefined;
    this.#swap(0, last);
    const top = this.#queue.pop();
    for (let at = 0;;) {
      const left = 2 * at + 1;
      if (left >= last) break;
      const child = left + 1 < last && this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(child, at)) break;
      this.#swap(at, child);
      at = child;
    }
    return top;
  }
}

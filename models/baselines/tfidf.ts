/** Texts as weighted counts of words, or of pieces of words: scikit-learn's TfidfVectorizer, with the settings below. */

/** What is counted. */
export type Terms = "words" | "characters";

/** Words of two letters or more, and pairs of neighbours: `token_pattern=r"(?u)\b\w\w+\b"`, `ngram_range=(1, 2)`. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
  const pairs = words.slice(1).map((word, index) => `${words[index]} ${word}`);
  return [...words, ...pairs];
}

/** Pieces of 2 to 5 characters within a word and the spaces around it: `analyzer="char_wb"`. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (const word of text.toLowerCase().split(/\s+/).filter((part) => part !== "")) {
    const characters = [...` ${word} `];
    for (let size = 2; size <= 5; size++) {
      for (let first = 0; first + size <= characters.length; first++) {
        pieces.push(characters.slice(first, first + size).join(""));
      }
      if (size >= characters.length) break; // a short word counts once, whole
    }
  }
  return pieces;
}

/** A text's terms that are not 0, by their columns; the vector has the length 1. */
export interface SparseRow {
  columns: Uint32Array;
  values: Float32Array;
}

export class Tfidf {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #weights: Float64Array;
  readonly #termsOf: (text: string) => string[];

  /**
   * Learns terms from texts: those that most texts have, at most `most` (ties by the alphabet), each with the weight
   * ln((1 + texts) / (1 + texts that have it)) + 1.
   */
  constructor(texts: readonly string[], terms: Terms, most: number) {
    this.#termsOf = terms === "words" ? wordsOf : piecesOf;
    const counts = new Map<string, number>();
    for (const text of texts) {
      for (const term of new Set(this.#termsOf(text))) {
        counts.set(term, (counts.get(term) ?? 0) + 1);
      }
    }
    const kept = [...counts]
      .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
      .slice(0, most);
    this.#columns = new Map(kept.map(([term], column) => [term, column]));
    this.#weights = Float64Array.from(
      kept,
      ([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1,
    );
  }

  /** Number of terms. */
  get width(): number {
    return this.#weights.length;
  }

  /** A text's vector; terms that were not learnt do not count. */
  row(text: string): SparseRow {
    const counts = new Map<number, number>();
    for (const term of this.#termsOf(text)) {
      const column = this.#columns.get(term);
      if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
    }
    const columns = Uint32Array.from(counts.keys());
    const values = Float64Array.from(counts, ([column, count]) => count * this.#weights[column]);
    const length = Math.hypot(...values) || 1;
    return { columns, values: Float32Array.from(values, (value) => value / length) };
  }
}

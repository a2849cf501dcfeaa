/** The shapes that `--shapes` names. */

/** BERT's operations on so many packed rows, or a matrix product C [rows, columns] with an inner size. */
export type Shape =
  | { kind: "bert"; tokens: number; hidden: number; vocabulary: number }
  | { kind: "product"; rows: number; columns: number; inner: number };

/** Rows of a batch of 16 sentences of 24 tokens. */
const tokens = 384;

const models: Record<string, Shape> = {
  mini: { kind: "bert", tokens, hidden: 128, vocabulary: 6000 },
  base: { kind: "bert", tokens, hidden: 768, vocabulary: 30522 },
  large: { kind: "bert", tokens, hidden: 1024, vocabulary: 30522 },
};

/** `base,512x768,1024x1024x1024`. Throws a sentence that names the part that is none of these. */
export function parseShapes(text: string): Shape[] {
  return text.split(",").map((part) => {
    const known = models[part.trim()];
    if (known) return known;
    const sizes = part.trim().split(/[x×]/).map(Number);
    if (sizes.every((size) => Number.isInteger(size) && size > 0)) {
      const [first, second, third] = sizes;
      if (sizes.length === 3) {
        return { kind: "product", rows: first, columns: second, inner: third };
      }
      if (sizes.length === 2 && second % 64 === 0) {
        return { kind: "bert", tokens: first, hidden: second, vocabulary: 30522 };
      }
    }
    throw new Error(
      `"${part}" is none of ${Object.keys(models).join(", ")}, tokens and hidden size such as ` +
        `384x768 (a multiple of 64), or a product such as 1024x1024x1024.`,
    );
  });
}

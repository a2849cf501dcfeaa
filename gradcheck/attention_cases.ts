/** Attention's cases: packed sentences of many lengths, head sizes and tilings. */
import { attention } from "../engine/ops/mod.ts";
import { upload } from "../engine/tensor.ts";
import * as reference from "./reference.ts";
import { dropoutSite, type OpCase } from "./op_case.ts";
import { attentionFactor } from "./dropout_factors.ts";

/** Attention over packed sentences, with dropout of a probability. */
export function attentionCase(shape: reference.AttentionShape, probability = 0): OpCase {
  const { lengths, heads, headSize, rows } = shape;
  const width = heads * headSize;
  // A filling row has an empty range, wherever that lies.
  const sentences = Uint32Array.from({ length: rows * 2 }, (_, i) => i % 4 < 2 ? 0 : rows);
  let first = 0;
  for (const length of lengths) {
    for (let row = first; row < first + length; row++) {
      sentences.set([first, first + length], row * 2);
    }
    first += length;
  }
  const factor = attentionFactor(dropoutSite(probability), heads);
  return {
    shapes: [[3, rows, width]],
    run: ([projections]) =>
      attention(projections, {
        heads,
        dropout: probability,
        sentences: upload(projections.device, [rows, 2], sentences),
      }),
    reference([projections], dy) {
      const doutput = dy.length > 0 ? dy : new Array(rows * width).fill(0);
      const [query, key, value] = [0, 1, 2].map((z) =>
        projections.slice(z * rows * width, (z + 1) * rows * width)
      );
      const { output, gradients } = reference.attention(query, key, value, shape, doutput, factor);
      return { y: output, gradients: [gradients.flat()] };
    },
  };
}

/** Head sizes that take few kernels; a width of 64 can be copied into textures, others cannot. */
export const attentionCases = [
  attentionCase({ lengths: [1], heads: 1, headSize: 16, rows: 4 }),
  attentionCase({ lengths: [1, 17, 33, 5], heads: 3, headSize: 16, rows: 64 }),
  attentionCase({ lengths: [9, 2, 30], heads: 2, headSize: 32, rows: 67 }, 0.1),
  attentionCase({ lengths: [70, 3], heads: 1, headSize: 64, rows: 80 }, 0.5),
  // Longer than every tile and than a workgroup's tokens, from a row that is no multiple of 4.
  attentionCase({ lengths: [1, 6, 150, 2], heads: 1, headSize: 64, rows: 192 }, 0.1),
  attentionCase(
    { lengths: [1, 2, 1, 9, 1, 1, 8, 3, 20, 1], heads: 2, headSize: 32, rows: 47 },
    0.3,
  ),
  attentionCase({ lengths: [3, 41], heads: 1, headSize: 32, rows: 45 }, 0.1), // no texture
  attentionCase({ lengths: [5, 150, 1], heads: 2, headSize: 12, rows: 192 }, 0.2), // no power of two
  attentionCase({ lengths: [5, 6], heads: 5, headSize: 4, rows: 16 }),
  attentionCase({ lengths: [3, 41], heads: 3, headSize: 26, rows: 45 }, 0.1), // padded
  attentionCase({ lengths: [5, 6], heads: 5, headSize: 2, rows: 16 }),
  attentionCase({ lengths: [1, 17, 9], heads: 2, headSize: 6, rows: 30 }, 0.3),
  attentionCase({ lengths: [4, 3], heads: 1, headSize: 130, rows: 8 }), // too large to be handed round
];

/** Makes the cases of operations that pick rows, of a table or of sentences. */
import { rowIndex } from "../engine/ops/embedding.ts";
import * as ops from "../engine/ops/mod.ts";
import { activationDtype, upload } from "../engine/tensor.ts";
import type { OpCase } from "./op_case.ts";
import * as reference from "./reference.ts";
import * as sentences from "./sentence_reference.ts";
import { randomValues, tensorOf } from "./values.ts";

/** Rows of a parameter, in the dtype of activations. */
export function embedding(tableRows: number, columns: number, ids: number[]): OpCase {
  return {
    shapes: [[tableRows, columns]],
    activations: [],
    run: ([table]) => {
      const { device } = table;
      const dtype = activationDtype(device, columns);
      return ops.embedding(table, rowIndex(device, Uint32Array.from(ids)), dtype);
    },
    reference: ([table], dy) => reference.embedding(table, ids, columns, dy),
  };
}

/** Rows of activations, as the classifier takes them: in f32. */
export const rowsOf = (tableRows: number, columns: number, ids: number[]): OpCase => ({
  ...embedding(tableRows, columns, ids),
  activations: [0],
  run: ([x]) => ops.embedding(x, rowIndex(x.device, Uint32Array.from(ids)), "f32"),
});

/** Ids that repeat, leave rows out, and touch the first row, the last row and every 64th. */
export const repeated = (rows: number) => [
  ...Array.from({ length: 40 }, (_, i) => (i * i * 7 + 3) % rows),
  ...[0, rows - 1, rows - 1, 0, 0, 63, 64, 127, 128].map((id) => id % rows),
];

/** Sentences of these lengths, and rows of none after them. */
export function meanPool(lengths: number[], rows: number, columns: number): OpCase {
  const firsts = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, each) => sum + each, 0));
  const bounds = lengths.flatMap((length, i) =>
    new Array(length).fill([firsts[i], firsts[i] + length]).flat()
  );
  return {
    shapes: [[rows, columns]],
    run: ([x]) =>
      ops.meanPool(x, {
        firstRows: upload(x.device, [lengths.length], Uint32Array.from(firsts)),
        bounds: upload(
          x.device,
          [rows, 2],
          Uint32Array.from({ length: rows * 2 }, (_, i) => bounds[i] ?? 0),
        ),
      }),
    reference: ([x], dy) => sentences.meanPool(x, lengths, columns, dy),
  };
}

export function cosineLoss(rows: number, columns: number): OpCase {
  const targets = randomValues(rows * columns, 9);
  return {
    shapes: [[rows, columns]],
    run: ([x]) => ops.cosineLoss(x, tensorOf(x.device, [rows, columns], targets)),
    reference: ([x], [dloss = 0]) => sentences.cosineLoss(x, targets, columns, dloss),
  };
}

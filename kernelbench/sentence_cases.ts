/** The kernels of sentences' vectors: pooling, and the losses. */
import { cosineLoss, crossEntropy, meanPool } from "../engine/ops/mod.ts";
import type { Case } from "./cases.ts";

/** Sentences of a batch, and classes, as of the original's data. */
export const sentences = 16;
export const classes = 13;
const word = 4;

/** The mean of each sentence's rows, all sentences of one length. */
export function meanPoolCase(tokens: number, hidden: number): Case {
  const length = Math.floor(tokens / sentences);
  const rows = length * sentences;
  const values = rows * hidden;
  const cost = { flops: values, bytes: (values + sentences * hidden) * word };
  const shape = `${sentences}×${length}×${hidden}`;
  return {
    rows: [
      { kernel: "mean_pool.forward", shape, ...cost },
      { kernel: "mean_pool.backward", shape, ...cost },
    ],
    run(make) {
      const x = make.input([rows, hidden]);
      const firstRows = make.indices(
        [sentences],
        new Uint32Array(sentences).map((_, sentence) => sentence * length),
      );
      const bounds = make.indices(
        [rows, 2],
        new Uint32Array(2 * rows).map((_, i) => (Math.floor(i / 2 / length) + i % 2) * length),
      );
      make.backward(() => meanPool(x, { firstRows, bounds }));
    },
  };
}

export function cosineLossCase(hidden: number): Case {
  const shape = `${sentences}×${hidden}`;
  const values = sentences * hidden;
  return {
    rows: [
      { kernel: "cosine_loss.forward", shape, flops: 6 * values, bytes: 2 * values * word },
      { kernel: "cosine_loss.mean", shape, flops: sentences, bytes: sentences * word },
      { kernel: "cosine_loss.backward", shape, flops: 11 * values, bytes: 3 * values * word },
    ],
    run(make) {
      const x = make.input([sentences, hidden]);
      const targets = make.tensor([sentences, hidden]);
      make.backward(() => cosineLoss(x, targets));
    },
  };
}

export function crossEntropyCase(): Case {
  const shape = `${sentences}×${classes}`;
  const values = sentences * classes;
  return {
    rows: [
      { kernel: "cross_entropy.forward", shape, flops: 4 * values, bytes: values * word },
      { kernel: "cross_entropy.mean", shape, flops: sentences, bytes: sentences * word },
      { kernel: "cross_entropy.backward", shape, flops: 6 * values, bytes: 2 * values * word },
    ],
    run(make) {
      const logits = make.input([sentences, classes]);
      const labels = make.indices(
        [sentences],
        new Uint32Array(sentences).map((_, i) => i % classes),
      );
      make.backward(() => crossEntropy(logits, labels));
    },
  };
}

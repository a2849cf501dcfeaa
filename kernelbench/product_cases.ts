/** Matrix products as BERT's layers launch them: plain, the classifier's, LoRA's. */
import { matmul } from "../engine/matmul.ts";
import { linear, loraRowNorms } from "../engine/ops/mod.ts";
import type { Transpose } from "../kernels/mod.ts";
import type { Case } from "./cases.ts";

const rank = 8;
/** Bytes of an f32. */
const word = 4;

/** C [rows, columns] with an inner size, as a linear layer launches it: bias forward, += for weights. */
export function product(transpose: Transpose, rows: number, columns: number, inner: number): Case {
  const flops = 2 * rows * columns * inner;
  const accumulate = transpose === "TN";
  const values = rows * inner + inner * columns + rows * columns * (accumulate ? 2 : 1);
  return {
    rows: [{
      kernel: `matmul.${transpose}.main`,
      shape: `${rows}×${columns}×${inner}`,
      flops,
      bytes: values * word,
    }],
    run(make) {
      const a = make.tensor(transpose === "TN" ? [inner, rows] : [rows, inner]);
      const b = make.tensor(transpose === "NT" ? [columns, inner] : [inner, columns]);
      const bias = transpose === "NT" ? make.tensor([columns]) : undefined;
      matmul(transpose, a, b, make.tensor([rows, columns]), { accumulate, bias });
    },
  };
}

/** The classifier's product, whose columns are no multiple of 4. */
export function classifier(sentences: number, classes: number, hidden: number): Case {
  return {
    rows: [{
      kernel: "matmul_strided.main",
      or: "matmul_strided.split",
      shape: `${sentences}×${classes}×${hidden}`,
      flops: 2 * sentences * classes * hidden,
      bytes: (sentences * hidden + hidden * classes + sentences * classes) * word,
    }],
    run(make) {
      const [weight, bias] = [make.weight([classes, hidden]), make.weight([classes])];
      linear(make.tensor([sentences, hidden]), { weight, bias });
    },
  };
}

/** A LoRA layer, forward and backward: its narrow products, and those of the frozen weight. */
export function lora(tokens: number, hidden: number): Case {
  const shape = `${tokens}×${hidden}, rank ${rank}`;
  const activations = tokens * hidden;
  const low = tokens * rank;
  const narrow = { shape, flops: 2 * activations * rank, bytes: (activations + low) * word };
  const full = 2 * activations * hidden;
  const weights = hidden * hidden;
  return {
    rows: [
      { kernel: "lora_a.project", ...narrow },
      {
        kernel: "matmul.NT.main",
        note: "+ LoRA",
        shape,
        flops: full + narrow.flops,
        bytes: (2 * activations + weights + low) * word,
      },
      {
        kernel: "matmul.NN.main",
        shape,
        flops: full,
        bytes: (2 * activations + weights) * word,
      },
      { kernel: "lora_b.output_gradient", ...narrow },
      { kernel: "lora_b.gradient", ...narrow },
      { kernel: "lora_a.gradient", ...narrow },
      { kernel: "lora_a.input_gradient", ...narrow, bytes: (2 * activations + low) * word },
    ],
    run(make) {
      const x = make.input([tokens, hidden]);
      const [weight, bias] = [make.tensor([hidden, hidden]), make.tensor([hidden])];
      const [a, b] = [make.weight([rank, hidden]), make.weight([hidden, rank])];
      const weights = { weight, bias, lora: { a, b, scale: 2, dropout: 0.1 } };
      make.backward(() => linear(x, weights));
    },
  };
}

/** The norms of W + s·BA that DoRA divides by. */
export function rowNorms(hidden: number): Case {
  const weights = hidden * hidden;
  return {
    rows: [{
      kernel: "lora_row_norms.main",
      shape: `${hidden}×${hidden}, rank ${rank}`,
      flops: 2 * weights * (rank + 1),
      bytes: (weights + 2 * hidden * rank) * word,
    }],
    run(make) {
      const [a, b] = [make.tensor([rank, hidden]), make.tensor([hidden, rank])];
      loraRowNorms(make.tensor([hidden, hidden]), { a, b, scale: 2 });
    },
  };
}

/** Softmax and cross-entropy in one: engine/ops/cross_entropy.ts. */
import { at, type Formula, part } from "./formula.ts";

const launched = (...marks: string[]) =>
  at("engine/ops/cross_entropy.ts", "export function crossEntropy(", ...marks);
const kernel = (entry: string, ...marks: string[]) =>
  at("kernels/cross_entropy.wgsl", `fn ${entry}(`, ...marks);

export const crossEntropyFormula: Formula = {
  name: "Cross-entropy",
  about: "Softmax and its loss together, row by row: probabilities are never written. Blocks of " +
    "WEIGHTED are for classes that do not count alike.",
  lines: [
    [
      "L = ",
      part(
        "1/n Σ",
        "the mean over the rows, in a launch of one invocation.",
        launched("launch(kernels.mean"),
        kernel("mean", "sum += losses[row]", "sum / f32(params.rows)"),
      ),
      " ( ",
      part(
        "m",
        "the row's largest score: without it exp would overflow above 88.",
        launched("launch(kernels.forward"),
        kernel("highestAndSum", "highest = max("),
      ),
      " + ",
      part(
        "log Σ exp(x − m)",
        "the logarithm of softmax's denominator.",
        launched("launch(kernels.forward"),
        kernel("highestAndSum", "sum += exp("),
        kernel("forward", "log(row.y)"),
      ),
      " − ",
      part(
        "x[label]",
        "the score that ought to be the largest.",
        launched("labels: labels.binding"),
        kernel("forward", "labels[id.x]"),
      ),
      " )",
    ],
    [
      "dx = ",
      part(
        "dL/n",
        "what comes from above: 1, or a part of it under gradient accumulation.",
        launched("dloss: dloss.binding"),
        kernel("backward", "dloss[0]"),
      ),
      " · ( ",
      part(
        "softmax(x)",
        "made again from the scores: cheaper than kept.",
        launched("launch(kernels.backward"),
        kernel("backward", "- row.x) / row.y"),
      ),
      " − ",
      part(
        "[j = label]",
        "1 for the label's column, else 0.",
        launched("launch(kernels.backward"),
        kernel("backward", "j == labels[id.x]"),
      ),
      " )",
    ],
  ],
};

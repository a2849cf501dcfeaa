/** AdamW (Loshchilov and Hutter 2019): engine/optimizer.ts. */
import { at, type Formula, part } from "./formula.ts";

const launched = (...marks: string[]) => at("engine/optimizer.ts", "#launch(): void {", ...marks);
const update = (...marks: string[]) =>
  at("engine/optimizer.ts", "update(learningRate: number): void {", ...marks);
const kernel = (...marks: string[]) => at("kernels/adamw.wgsl", "fn main(", ...marks);

export const adamwFormula: Formula = {
  name: "AdamW",
  about:
    "The update of what trains, and of nothing else: LoRA's two moments are as small as A and B.",
  lines: [
    [
      "g ← g · ",
      part(
        "min(1, c/‖g‖)",
        "gradients longer than c together are shortened to it; the norm stays on the GPU.",
        at(
          "engine/optimizer.ts",
          "#clipByNorm(): void {",
          "kernels.partial",
          "kernels.finish",
        ),
        at("kernels/gradient_norm.wgsl", "fn finish(", "params.maxNorm / (norm"),
        kernel("let factor =", "let g ="),
      ),
    ],
    [
      "m ← ",
      part(
        "β₁m + (1 − β₁)g",
        "the first moment.",
        launched("beta1, beta2, eps"),
        kernel("let m ="),
      ),
      ",  v ← ",
      part(
        "β₂v + (1 − β₂)g²",
        "the second moment.",
        launched("beta1, beta2, eps"),
        kernel("let v ="),
      ),
    ],
    [
      "θ ← ",
      part(
        "θ(1 − ηλ)",
        "decay, apart from the gradient: none for biases and norms.",
        launched("decay ? weightDecay : 0"),
        kernel("let decay =", "* decay"),
      ),
      " − ",
      part(
        "η/(1 − β₁ᵗ)",
        "the rate, with what m lacks in its first steps.",
        update("1 - beta1 ** t"),
        kernel("let rate ="),
      ),
      " · m / ( ",
      part(
        "√v/√(1 − β₂ᵗ)",
        "the gradient's usual size, with what v lacks in its first steps.",
        update("Math.sqrt(1 - beta2 ** t)"),
        kernel("sqrt(v) / correction"),
      ),
      " + ",
      part("ε", "against dividing by 0.", launched("beta1, beta2, eps"), kernel("params.eps")),
      " )",
    ],
  ],
};

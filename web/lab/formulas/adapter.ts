/** A bottleneck adapter, forward and backward (Houlsby et al. 2019): models/peft/adapter.ts. */
import { at, type Formula, layer, part } from "./formula.ts";

const bottleneck = (...marks: string[]) =>
  at("models/peft/adapter.ts", "const bottleneck = ", ...marks);
const relu = at("engine/ops/relu.ts", "export function relu(", "kernels.backward");

export const adapterFormula: Formula = {
  name: "Adapter",
  about:
    "Two linear layers with a nonlinearity between them, in a sub-layer's end. h is what the " +
    "sub-layer made, r its residual.",
  lines: [
    [
      "y = ",
      part(
        "U",
        "up, from the bottleneck: a linear layer.",
        bottleneck("const up ="),
        layer.multiply,
      ),
      " ",
      part(
        "relu",
        "max(z, 0); SiLU in Houlsby's placement.",
        at("models/peft/adapter.ts", "export function adapterWrapping(", "silu : relu"),
        at("kernels/relu.wgsl", "fn forward(", "max("),
      ),
      "( ",
      part(
        "D h",
        "down, to the bottleneck: a linear layer.",
        bottleneck("const down =", "down(h)"),
        layer.multiply,
      ),
      " ) + ",
      part(
        "r",
        "the residual, added by the kernel of U before it writes.",
        bottleneck("{ residual }"),
        layer.epilogue,
      ),
    ],
    [
      "dr = ",
      part("dy", "handed on as it is: no kernel.", layer.residual),
    ],
    [
      "dz = ",
      part(
        "dy U",
        "back through up, to the bottleneck.",
        layer.inputGradient,
        layer.multiply,
      ),
      " ⊙ ",
      part(
        "[z > 0]",
        "relu's derivative.",
        relu,
        at("kernels/relu.wgsl", "fn backward(", "select("),
      ),
    ],
    [
      "dU += ",
      part(
        "dyᵀ relu(z)",
        "a product over all tokens; D's is the same of dz and h.",
        layer.weightGradient,
        layer.multiply,
      ),
      ",  db += ",
      part("Σ dy", "the sum of each column.", layer.biasGradient, layer.columnSum),
    ],
    [
      "dh = ",
      part("dz D", "back through down, to the sub-layer.", layer.inputGradient, layer.multiply),
    ],
  ],
};

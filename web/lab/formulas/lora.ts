/** LoRA, forward and backward (Hu et al. 2021): engine/ops/lora.ts. */
import { at, type Formula, layer, part } from "./formula.ts";

const launched = (...marks: string[]) =>
  at("engine/ops/lora.ts", "export function lowRank(", ...marks);
const kernelA = (entry: string, ...marks: string[]) =>
  at("kernels/lora_a.wgsl", `fn ${entry}(`, ...marks);

export const loraForward: Formula = {
  name: "LoRA",
  about:
    "A linear layer and the low-rank product beside it. B A is never made: the kernel of W's " +
    "product adds u Bᵀ before it writes y.",
  lines: [
    [
      "y = ",
      part(
        "x Wᵀ",
        "the frozen weight's product, as GPUs get it: tiles in workgroup memory, four rows at once.",
        layer.forward,
        layer.multiply,
      ),
      " + ",
      part("b", "the bias: sums start from it.", layer.forward, layer.bias),
      " + ",
      part(
        "u Bᵀ",
        "a second product into the same sums; its inner size is the rank.",
        layer.low,
        layer.secondProduct,
      ),
    ],
    [
      "u = ",
      part(
        "s",
        "the scale α/r.",
        launched("scale, ...sites"),
        kernelA("project", "params.scale * shares"),
      ),
      " · ",
      part(
        "dropout(x)",
        "dropout is drawn anew wherever x is read, from a counter: no mask is kept.",
        launched("dropoutParams(x, dropout)"),
        kernelA("wide", "factors(layer, at)"),
      ),
      " ",
      part(
        "Aᵀ",
        "from all columns down to the rank: a workgroup takes a token's row.",
        launched("u: u.binding, random", "launch(kernelsA.project"),
        at("kernels/lora_interface.wgsl", "fn makeNarrow(", "dot(value, factor("),
      ),
    ],
  ],
};

export const loraBackward: Formula = {
  name: "LoRA's gradients",
  about:
    "dy comes from the layer above. What W's own gradient would cost is spared; the way back " +
    "to x is not.",
  lines: [
    [
      "du = ",
      part(
        "dy B",
        "down to the rank again, from the other side.",
        launched("loraB: b.binding, du: du.binding", "launch(kernelsB.outputGradient"),
        at("kernels/lora_b.wgsl", "fn output_gradient(", "makeNarrow(", "shares[0][lane]"),
      ),
    ],
    [
      "dB += ",
      part(
        "dyᵀ u",
        "the gradient of B: not 0 at step 0, as u is not.",
        launched("u: u.binding, dloraB", "launch(kernelsB.gradient"),
        at("kernels/lora_interface.wgsl", "fn addGradient(", "sum$r += low("),
      ),
    ],
    [
      "dA += ",
      part(
        "s · duᵀ dropout(x)",
        "the gradient of A: 0 where B is 0, since du is.",
        launched("dloraA: gradientBuffer(a)", "launch(kernelsA.gradient"),
        kernelA("gradient", "params.scale"),
        at("kernels/lora_interface.wgsl", "fn addGradient(", "wide(", "sum$r += low("),
      ),
    ],
    [
      "dx = ",
      part(
        "dy W",
        "the way back through the frozen weight.",
        layer.inputGradient,
        layer.multiply,
      ),
      " + ",
      part(
        "s · dropout′(du A)",
        "the way back through A, added to what dy W has written.",
        launched("dx: dx.binding, random", "launch(kernelsA.inputGradient"),
        kernelA("input_gradient", "part$t +=", "sum$t +=", "params.scale * sum$t"),
      ),
    ],
    [
      "dW: ",
      part("none", "W is frozen: its product is not launched.", layer.weightGradient),
    ],
  ],
};

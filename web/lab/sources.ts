/** LoRA's formulas, and the lines of this project that compute each: TypeScript that launches, WGSL that is launched. */
import operation from "../../engine/ops/lora.ts" with { type: "text" };
import kernelsOfA from "../../kernels/lora_a.wgsl" with { type: "text" };
import kernelsOfB from "../../kernels/lora_b.wgsl" with { type: "text" };

export interface Formula {
  formula: string;
  /** What it is, in a few words. */
  what: string;
  /** The launch in `engine/ops/lora.ts`. */
  launch: string;
  /** The file of the kernel and its entry point. */
  file: "lora_a.wgsl" | "lora_b.wgsl";
  entry: string;
}

export const formulas: readonly Formula[] = [
  {
    formula: "u = s · x Aᵀ",
    what: "forward, down to the rank",
    launch: "kernelsA.project",
    file: "lora_a.wgsl",
    entry: "project",
  },
  {
    formula: "du = dy B",
    what: "backward, down to the rank",
    launch: "kernelsB.outputGradient",
    file: "lora_b.wgsl",
    entry: "output_gradient",
  },
  {
    formula: "dB += dyᵀ u",
    what: "the gradient of B",
    launch: "kernelsB.gradient,",
    file: "lora_b.wgsl",
    entry: "gradient",
  },
  {
    formula: "dA += s · duᵀ x",
    what: "the gradient of A: 0 where B is",
    launch: "kernelsA.gradient,",
    file: "lora_a.wgsl",
    entry: "gradient",
  },
  {
    formula: "dx += s · du A",
    what: "on to the layer below",
    launch: "kernelsA.inputGradient,",
    file: "lora_a.wgsl",
    entry: "input_gradient",
  },
];

/** Takes from lines what they all begin with. */
function outdented(lines: readonly string[]): string {
  const indents = lines.map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents);
  return lines.map((line) => line.slice(least)).join("\n");
}

/** The launch with the line that binds its tensors, and the number of its first line. */
export function launchOf({ launch }: Formula): { text: string; line: number } {
  const lines = operation.split("\n");
  const at = lines.findIndex((line) => line.includes(`launch(${launch}`));
  const from = lines.findLastIndex((line, index) => index < at && / = \{ /.test(line));
  return { text: outdented(lines.slice(from, at + 1)), line: from + 1 };
}

/** The entry point, and the number of its first line. */
export function kernelOf({ file, entry }: Formula): { text: string; line: number } {
  const lines = (file === "lora_a.wgsl" ? kernelsOfA : kernelsOfB).split("\n");
  const from = lines.findIndex((line) => line.startsWith(`fn ${entry}(`));
  const end = lines.indexOf("}", from);
  return { text: lines.slice(from, end + 1).join("\n"), line: from + 1 };
}

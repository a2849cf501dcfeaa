/** LoRA's kernels' texts, and how they are cut. */
import { expand } from "./expand.ts";
import { cached, kernel, withDropout } from "./kernel.ts";
import sourceA from "./lora_a.wgsl" with { type: "text" };
import sourceB from "./lora_b.wgsl" with { type: "text" };
import interfaceSource from "./lora_interface.wgsl" with { type: "text" };

/** How the kernels are cut: where ranks are handed round, for a subgroup size (else 0). */
const sizesFor = (subgroup: number) => ({
  /** Ranks that an invocation makes. */
  ranks: subgroup || 4,
  /** Tokens of a workgroup in project and output_gradient. */
  tokens: subgroup || 1,
  /** Vectors of a workgroup along A's or B's longer side. */
  gradientVectors: subgroup || 16,
  inputGradientVectors: subgroup || 64,
});

/** LoRA's kernels: those that read A, and those that read B. */
export const lora = cached((subgroup: number) => {
  const sizes = sizesFor(subgroup);
  const [a, b] = [sourceA, sourceB].map((source) =>
    expand(`${source}\n${interfaceSource}`, {
      RANKS: sizes.ranks,
      LANES: sizes.inputGradientVectors,
      BROADCAST: Number(subgroup > 0),
    })
  );
  return {
    project: kernel("lora_a", withDropout(a), "project"),
    inputGradient: kernel("lora_a", withDropout(a), "input_gradient"),
    gradientA: kernel("lora_a", withDropout(a), "gradient"),
    outputGradient: kernel("lora_b", b, "output_gradient"),
    gradientB: kernel("lora_b", b, "gradient"),
    ...sizes,
  };
});

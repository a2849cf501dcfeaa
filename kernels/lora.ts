/** LoRA's kernels: their texts, and how they are cut, for adapters that share sums in a workgroup or a subgroup. */
import { expand } from "./expand.ts";
import { cached, kernel, withDropout } from "./kernel.ts";
import sourceA from "./lora_a.wgsl" with { type: "text" };
import subgroupA from "./lora_a_subgroup.wgsl" with { type: "text" };
import sourceB from "./lora_b.wgsl" with { type: "text" };
import subgroupB from "./lora_b_subgroup.wgsl" with { type: "text" };
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

/** A file's declarations with its own entry points, or with those of subgroups in their place. */
const textOf = (source: string, ofSubgroups: string, subgroup: number) => {
  const [declarations] = source.split(/^(?=@compute)/m);
  const text = subgroup > 0 ? declarations + ofSubgroups : source;
  return expand(`${interfaceSource}\n${text}`, { RANKS: sizesFor(subgroup).ranks });
};

/** LoRA's kernels that read A, and how both files' are cut. */
export const loraA = cached((subgroup: number) => {
  const source = withDropout(textOf(sourceA, subgroupA, subgroup));
  return {
    project: kernel("lora_a", source, "project"),
    inputGradient: kernel("lora_a", source, "input_gradient"),
    gradient: kernel("lora_a", source, "gradient"),
    ...sizesFor(subgroup),
  };
});

/** Those that read B. */
export const loraB = cached((subgroup: number) => {
  const source = textOf(sourceB, subgroupB, subgroup);
  return {
    outputGradient: kernel("lora_b", source, "output_gradient"),
    gradient: kernel("lora_b", source, "gradient"),
  };
});

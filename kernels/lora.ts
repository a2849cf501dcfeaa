/** LoRA's kernels: their texts, and how they are cut, for adapters that share sums in a workgroup or a subgroup. */
import { expand } from "./expand.ts";
import { cached, kernel, withDropout } from "./kernel.ts";
import sourceA from "./lora_a.wgsl" with { type: "text" };
import subgroupA from "./lora_a_subgroup.wgsl" with { type: "text" };
import sourceB from "./lora_b.wgsl" with { type: "text" };
import subgroupB from "./lora_b_subgroup.wgsl" with { type: "text" };
import interfaceSource from "./lora_interface.wgsl" with { type: "text" };
import { type Format, valuesText } from "./values.ts";

/** What LoRA's kernels are made for. */
export interface LoraVariant {
  /** Subgroup size by which ranks are handed round; 0 to use workgroup memory. */
  subgroup: number;
  /** Of the wide matrices: x and dx, or dy. u and du are f32. */
  format: Format;
}

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
const textOf = (
  source: string,
  ofSubgroups: string,
  { subgroup, format }: LoraVariant,
) => {
  const [declarations] = source.split(/^(?=@compute)/m);
  const text = subgroup > 0 ? declarations + ofSubgroups : source;
  const whole = `${valuesText(format)}\n${interfaceSource}\n${text}`;
  return expand(whole, { RANKS: sizesFor(subgroup).ranks });
};

/** LoRA's kernels that read A, and how both files' are cut. */
export const loraA = cached((variant: LoraVariant) => {
  const source = withDropout(textOf(sourceA, subgroupA, variant));
  return {
    project: kernel("lora_a", source, "project"),
    inputGradient: kernel("lora_a", source, "input_gradient"),
    gradient: kernel("lora_a", source, "gradient"),
    ...sizesFor(variant.subgroup),
  };
});

/** Those that read B. */
export const loraB = cached((variant: LoraVariant) => {
  const source = textOf(sourceB, subgroupB, variant);
  return {
    outputGradient: kernel("lora_b", source, "output_gradient"),
    gradient: kernel("lora_b", source, "gradient"),
  };
});

/**
 * What WGSL's compilers differ in. Tint (Dawn, Chrome) wants subgroups named before they are used, and doubts that whole
 * subgroups call their functions; naga (wgpu: Deno, Firefox) does not know the name, and asks nothing.
 */
import type { Extension, Kernel } from "../kernels/mod.ts";

/** The extensions that a device's compiler wants to be named; asks it, once for a device. */
export async function namedExtensions(gpu: GPUDevice): Promise<Extension[]> {
  if (!gpu.features.has("subgroups" as GPUFeatureName)) return ["f16"];
  gpu.pushErrorScope("validation");
  gpu.createShaderModule({ code: "enable subgroups;\n@compute @workgroup_size(1) fn main() {}" });
  return await gpu.popErrorScope() === null ? ["f16", "subgroups"] : ["f16"];
}

/**
 * Bounds of loops in our kernels come from subgroupMin and subgroupMax, or from workgroup ids: a whole subgroup has the
 * same, which WGSL's analysis cannot see, as it takes what a subgroup function gives to differ.
 */
const trusted = "diagnostic(off, subgroup_uniformity);\n";

/** A kernel's text as a compiler takes it that wants these extensions named. */
export function sourceFor(
  { source, extensions = new Set() }: Pick<Kernel, "source" | "extensions">,
  named: readonly Extension[],
): string {
  const enabled = named.filter((name) => extensions.has(name));
  const prologue = enabled.map((name) => `enable ${name};\n`).join("");
  return prologue + (enabled.includes("subgroups") ? trusted : "") + source;
}

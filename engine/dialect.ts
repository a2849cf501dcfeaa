/**
 * What WGSL's compilers differ in. Tint (Dawn, Chrome) wants subgroups named before they are used, and doubts that whole
 * subgroups call their functions; naga (wgpu: Deno, Firefox) does not know the name, and asks nothing.
 */
import type { Extension, Kernel } from "../kernels/mod.ts";

/** Extensions that every compiler which knows them wants to be named. */
const alwaysNamed: readonly Extension[] = [
  "f16",
  "wgpu_cooperative_matrix",
  "chromium_experimental_subgroup_matrix",
];

/** The extensions that a device's compiler wants to be named; asks it, once for a device. */
export async function namedExtensions(gpu: GPUDevice): Promise<readonly Extension[]> {
  if (!gpu.features.has("subgroups" as GPUFeatureName)) return alwaysNamed;
  gpu.pushErrorScope("validation");
  gpu.createShaderModule({ code: "enable subgroups;\n@compute @workgroup_size(1) fn main() {}" });
  return await gpu.popErrorScope() === null ? [...alwaysNamed, "subgroups"] : alwaysNamed;
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

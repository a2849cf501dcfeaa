/** The kernels that GPUs get, which bench/static.sh has a GPU's compiler judge: all are listed, and WebGPU takes them. */
import assert from "node:assert/strict";
import { gpuKernels } from "../../bench/gpu_kernels.ts";
import { createDevice } from "../../engine/device.ts";
import { sourceFor } from "../../engine/dialect.ts";
import { registerPlan } from "../../engine/plans.ts";

const { gpu, info } = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });

/** Texts that no GPU gets by itself: llvmpipe's, and those of matrix units. */
const others = ["attention_subgroup", "lora_a_subgroup", "lora_b_subgroup", "matmul_cooperative"];

/** `forward` of every `fn forward(` after an `@compute`. */
const entryPoints = (text: string) =>
  [...text.matchAll(/@compute[^{]*?\bfn (\w+)/g)].map(([, name]) => name);

Deno.test("every entry point of every kernel file is among a GPU's kernels", async () => {
  const known = new Set(gpuKernels().map(({ kernel }) => kernel.name));
  const folder = new URL("../../kernels/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".wgsl") || others.includes(name.slice(0, -5))) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    const file = name.slice(0, -5).replace(/_(workgroup|registers)$/, "");
    for (const entryPoint of entryPoints(text)) {
      const launched = file === "matmul" ? ["matmul.NT", "matmul.NN", "matmul.TN"] : [file];
      for (const each of launched) {
        assert.ok(known.has(`${each}.${entryPoint}`), `${each}.${entryPoint} is not listed`);
      }
    }
  }
});

Deno.test("a GPU's kernels are texts that WebGPU takes: barriers and subgroups in uniform control flow", async () => {
  const refusal = async (code: string) => {
    gpu.pushErrorScope("validation");
    gpu.createShaderModule({ code });
    return (await gpu.popErrorScope())?.message;
  };
  for (const { group, kernel } of gpuKernels()) {
    assert.equal(await refusal(sourceFor(kernel, info.namedExtensions)), undefined, group);
  }
  assert.ok(await refusal("@compute @workgroup_size(1) fn main() { nothing(); }"));
});

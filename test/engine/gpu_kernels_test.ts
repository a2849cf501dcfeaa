/** The kernels that GPUs get, which bench/static.sh has a GPU's compiler judge: WebGPU takes them. */
import assert from "node:assert/strict";
import { gpuKernels } from "../../bench/gpu_kernels.ts";
import { createDevice } from "../../engine/device.ts";
import { sourceFor } from "../../engine/dialect.ts";
import { registerPlan } from "../../engine/plans.ts";

const { gpu, info } = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
  features: ["shader-f16"],
});

Deno.test("a GPU's kernels are texts that WebGPU takes: barriers and subgroups in uniform control flow", async () => {
  const refusal = async (code: string) => {
    gpu.pushErrorScope("validation");
    gpu.createShaderModule({ code });
    return (await gpu.popErrorScope())?.message;
  };
  for (const { group, kernel } of gpuKernels()) {
    if (kernel.extensions?.has("f16") && !gpu.features.has("shader-f16")) continue;
    assert.equal(await refusal(sourceFor(kernel, info.namedExtensions)), undefined, group);
  }
  assert.ok(await refusal("@compute @workgroup_size(1) fn main() { nothing(); }"));
});

/** Every kind of kernel trains alike: losses beside those of the plainest kernels. */
import assert from "node:assert/strict";
import { createDevice, Device, type KernelChoice } from "../../engine/device.ts";
import { registerPlan, workgroupPlan } from "../../engine/plans.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import { run } from "./small_task.ts";

const adapter = await createDevice();
const plain = new Device(adapter.gpu, adapter.info, {
  matmul: registerPlan(1, 1),
  broadcastLanes: 0,
  attentionTextures: false,
  rowLanes: 1,
  activations: "f32",
  nativeF16: false,
});

/** What the adapter gets by itself, operands in textures or not, and a GPU's usual tile. */
const choices: Partial<KernelChoice>[] = [
  {},
  { matmul: { ...registerPlan(2, 2), textures: true } },
  { matmul: workgroupPlan(1, 1, { inner: 8, prefetch: true, workgroup: [4, 4] }) },
];
const methods: Method[] = [
  { method: "full" },
  loraDefaults(4),
  { method: "adapter", size: 8, placement: "shared" },
];

for (const choice of choices) {
  const device = new Device(adapter.gpu, adapter.info, { ...adapter.kernels, ...choice });
  const { matmul } = device.kernels;
  const name = matmul.kind === "registers" && matmul.broadcast ? "broadcast" : matmul.kind;
  Deno.test(`${name}: a training run's losses are the plain kernels' to 1e-4`, async () => {
    for (const method of methods) {
      const config = { hiddenSize: 64, intermediateSize: 128 };
      const settings = { epochs: 1, learningRate: 1e-3 };
      const expected = await run(method, settings, { config, device: plain });
      const { steps } = await run(method, settings, { config, device });
      steps.forEach(({ step, loss }, i) => {
        const difference = Math.abs(loss - expected.steps[i].loss);
        assert.ok(difference <= 1e-4, `${method.method}, step ${step}: off by ${difference}`);
      });
    }
  });
}

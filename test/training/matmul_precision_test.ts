/** Products on matrix units, from operands rounded to f16, train as those of f32 do. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, runName } from "../../models/peft/methods.ts";
import { run } from "./small_task.ts";

const units = await createDevice({ matmulPrecision: "f16" }).catch(() => undefined);

const methods: Method[] = [
  { method: "full" },
  loraDefaults(4),
  { method: "adapter", size: 8, placement: "shared" },
];
/** The same with activations in f16, which hold operands that are rounded already. */
const packed = await createDevice({ matmulPrecision: "f16", computeDtype: "f16" })
  .catch(() => undefined);

for (const [what, device] of [["products", units], ["products and activations", packed]] as const) {
  for (const method of methods) {
    Deno.test(`f16 ${what}: ${runName(method)} has the losses of f32 within 1e-2`, {
      ignore: !device,
    }, async () => {
      const changes = { maxSteps: 10 };
      const [halved, exact] = [
        await run(method, changes, { device }),
        await run(method, changes),
      ];
      assert.equal(halved.steps.length, 10);
      const errors = halved.steps.map(({ loss }, step) =>
        Math.abs(loss / exact.steps[step].loss - 1)
      );
      assert.ok(Math.max(...errors) <= 1e-2, errors.join(" "));
      assert.ok(Math.max(...errors) > 0, "nothing was rounded");
    });
  }
}

/** The mistakes that the page makes on purpose: each is in a kernel that the adapter has, and is caught. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { checkFault, faults } from "../../web/lab/faults.ts";

Deno.test("every fault is caught by its gradients, and leaves the device as it was", async () => {
  const device = await createDevice();
  try {
    for (const fault of faults) {
      const { status, forward, gradient } = await checkFault(device, fault);
      assert.equal(status, "failed", fault.name);
      assert.ok(forward! < 1e-5 && gradient! > 1e-2, `${fault.name}: ${forward}, ${gradient}`);
      const whole = await checkFault(device, { ...fault, lines: [] });
      assert.equal(whole.status, "ok", fault.name);
    }
  } finally {
    device.destroy();
  }
});

/** The mistakes that the page makes on purpose: each is in a kernel that the adapter has, and is caught. */
import assert from "node:assert/strict";
import { createDevice } from "../../engine/device.ts";
import { checkFault, checkWhole, faults } from "../../web/lab/faults.ts";

Deno.test("every fault is caught by its gradients, and leaves the device as it was", async () => {
  for (const kernels of [{}, { broadcastLanes: 0 }]) { // as the adapter chooses, and as a GPU
    const device = await createDevice({ kernels });
    try {
      for (const fault of faults) {
        const { row: { status, forward, gradient }, change } = await checkFault(device, fault);
        assert.equal(status, "failed", fault.name);
        assert.ok(forward! < 1e-5 && gradient! > 1e-2, `${fault.name}: ${forward}, ${gradient}`);
        const [right, wrong] = fault.lines.find(([right]) => change!.right.includes(right))!;
        assert.equal(change!.right.replace(right, wrong), change!.wrong);
        assert.notEqual(change!.before + change!.after, "");
        const whole = await checkWhole(device, fault);
        assert.deepEqual([whole.row.status, whole.change], ["ok", undefined], fault.name);
      }
    } finally {
      device.destroy();
    }
  }
});

Deno.test("a fault whose line no kernel has is no check that passes", async () => {
  const device = await createDevice();
  try {
    const gone = { ...faults[0], lines: [["a line of yesterday", "another"]] as const };
    await assert.rejects(checkFault(device, gone), /No kernel of gelu has the fault's line/);
  } finally {
    device.destroy();
  }
});

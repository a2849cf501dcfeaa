/** A device with the smallest matmul tile, which compiles fast, and steps on it. */
import { createDevice } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";

export const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});

/** Runs a step and returns what `read` reads before its buffers go. */
export async function step<T>(read: () => Promise<T>): Promise<T> {
  device.beginStep(1, 1);
  try {
    return await read();
  } finally {
    device.endStep();
  }
}

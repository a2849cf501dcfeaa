import { createDevice, type Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";

let shared: Promise<Device> | undefined;

/** One device for the tests of a file, with a small matmul tile, which compiles fast. */
export function testDevice(): Promise<Device> {
  return shared ??= createDevice({
    kernels: { matmul: registerPlan(2, 2) },
  });
}

import { createDevice, type Device } from "../../engine/device.ts";

let shared: Promise<Device> | undefined;

/** One device for the tests of a file, with a small matmul tile, which compiles fast. */
export function testDevice(): Promise<Device> {
  return shared ??= createDevice({
    kernels: { matmul: { groups: 1, lanes: 2, columns: 2, broadcast: false } },
  });
}

/** What goes wrong on the GPU: no adapter, an invalid kernel, out of memory, a lost device. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

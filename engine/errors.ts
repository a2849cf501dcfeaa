/** What goes wrong on the GPU: no adapter, an invalid kernel, out of memory, a lost device. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/** A count of bytes for people: `94.1 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

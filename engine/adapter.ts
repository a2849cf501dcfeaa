/** What is asked of an adapter, and read off it, before there is a device. */

/** Whether an adapter is a CPU that plays GPU: browsers hide its description and device, not the rest. */
export function isSoftware(info: Partial<GPUAdapterInfo>): boolean {
  const { description, device, architecture, isFallbackAdapter } = info;
  const names = [description, device, architecture].join(" ");
  return isFallbackAdapter === true ||
    /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(names);
}

/** The limits in which kernels, tensors and textures have to fit, as far as the adapter goes. */
export function ownLimits({ limits }: GPUAdapter): Record<string, number> {
  const names = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxTextureDimension2D",
    "maxComputeWorkgroupStorageSize",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, limits[name]]));
}

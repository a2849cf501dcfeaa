/** What is asked of an adapter, and read off it, before there is a device. */
import type { Extension } from "../kernels/mod.ts";

/** What is known of the adapter; recorded with every result. */
export interface DeviceInfo {
  description: string;
  vendor: string;
  architecture: string;
  /** A CPU that plays GPU: llvmpipe, SwiftShader, WARP. */
  software: boolean;
  /** Invocations of a subgroup; 0 where it is unknown or varies. */
  subgroupSize: number;
  /** The least that a subgroup may have; 0 where the device has no subgroup functions. */
  subgroupMinSize: number;
  /** Extensions of WGSL that the device's compiler wants to be named. */
  namedExtensions: readonly Extension[];
}

/** Whether an adapter is a CPU that plays GPU: browsers hide its description and device, not the rest. */
export function isSoftware(info: Partial<GPUAdapterInfo>): boolean {
  const { description, device, architecture, isFallbackAdapter } = info;
  const names = [description, device, architecture].join(" ");
  return isFallbackAdapter === true ||
    /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(names);
}

/** What is known before there is a device; browsers hide names, and tell a kind at most. */
export function infoOf(gpuInfo: GPUAdapterInfo): DeviceInfo {
  const { description, device, vendor, architecture, subgroupMinSize, subgroupMaxSize } = gpuInfo;
  return {
    description: description || device || [vendor, architecture].filter(Boolean).join(" ") ||
      "unknown adapter",
    vendor,
    architecture,
    software: isSoftware(gpuInfo),
    subgroupSize: subgroupMinSize === subgroupMaxSize ? subgroupMaxSize : 0,
    subgroupMinSize: 0,
    namedExtensions: [],
  };
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

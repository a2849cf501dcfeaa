/**
 * A device whose commands go nowhere, for finding out what a step launches: its kernels, its products, its memory.
 * Nothing is computed and no GPU memory taken, so that a step of any size takes some milliseconds.
 */
import { Device } from "./device.ts";
import type { Product } from "./plans.ts";

/**
 * A device that takes the decisions that another one takes (the same kernels, limits and tuned plans) over a GPU
 * that does nothing. What is read back is zero. `memory.peakBytes` and `launcher.dispatches` count as ever.
 */
export function traceDevice(device: Device): Device {
  const traced = new Device(
    hollowGpu(device.gpu),
    device.info,
    device.kernels,
    device.maxBindingBytes,
  );
  traced.tunedPlans = device.tunedPlans;
  return traced;
}

/** The products that `run` makes on the device that it is given, in their order, of those that take a plan. */
export function traceProducts(device: Device, run: (device: Device) => void): Product[] {
  const traced = traceDevice(device);
  const products: Product[] = [];
  traced.onProduct = (product) => products.push(product);
  run(traced);
  return products;
}

const nothing = () => {};
const resolved = () => Promise.resolve();

/** A GPUDevice as far as the engine uses one; a method that is not here throws when it is called. */
function hollowGpu({ limits, features, adapterInfo }: GPUDevice): GPUDevice {
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: nothing,
    copyBufferToBuffer: nothing,
    copyBufferToTexture: nothing,
    resolveQuerySet: nothing,
    finish: () => ({}),
  };
  return {
    limits,
    features,
    adapterInfo,
    lost: new Promise(nothing),
    queue: { writeBuffer: nothing, submit: nothing, onSubmittedWorkDone: resolved },
    createBuffer: ({ size, usage, label = "" }: GPUBufferDescriptor) => ({
      size,
      usage,
      label,
      mapAsync: resolved,
      getMappedRange: () => new ArrayBuffer(size),
      unmap: nothing,
      destroy: nothing,
    }),
    createTexture: () => ({ createView: () => ({}), destroy: nothing }),
    createQuerySet: () => ({ destroy: nothing }),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({ getBindGroupLayout: () => ({}) }),
    createBindGroup: () => ({}),
    createCommandEncoder: () => encoder,
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    addEventListener: nothing,
    destroy: nothing,
  } as unknown as GPUDevice;
}

/** Launching kernels that run over all values of a tensor, four at a time. */
import type { Kernel } from "../kernels/mod.ts";
import type { Resource } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import type { Tensor } from "./tensor.ts";

/** Threads a workgroup in the elementwise kernels. */
const workgroupSize = 64;
/** WebGPU's limit on workgroups in one dimension; larger tensors are covered by striding. */
const maxWorkgroups = 65535;

/** Workgroups that cover a count of invocations; the kernel strides where there are not enough. */
export function workgroupsFor(invocations: number): [number, number] {
  return [Math.max(1, Math.min(maxWorkgroups, Math.ceil(invocations / workgroupSize))), 1];
}

/** Workgroups of a kernel that takes a row each: row x + y · 65,535. */
export function oneWorkgroupARow(rows: number): [number, number] {
  return [Math.min(rows, maxWorkgroups), Math.ceil(rows / maxWorkgroups)];
}

/**
 * Launches a kernel over tensors of one size. A tensor above the binding limit is covered piece by piece:
 * `params.count` is filled in with a piece's vec4s, `params.first` with the index of its first one.
 */
export function launchElementwise(
  kernel: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  params: Readonly<Record<string, number>> = {},
  shared: Readonly<Record<string, Resource>> = {},
): void {
  const [{ device, binding }] = Object.values(tensors);
  forEachPiece(device, binding.size, (start, size) => {
    const bindings: Record<string, Resource> = { ...shared };
    for (const name in tensors) {
      const { storage, offset } = tensors[name].binding;
      bindings[name] = { storage, offset: offset + start, size };
    }
    const count = size / 16;
    device.launcher.launch(
      kernel,
      bindings,
      { ...params, count, first: start / 16 },
      workgroupsFor(count),
    );
  });
}

/** Cuts a range of bytes into pieces that one binding can cover. */
export function forEachPiece(
  device: Device,
  bytes: number,
  run: (start: number, size: number) => void,
): void {
  const pieceBytes = Math.floor(device.maxBindingBytes / 256) * 256;
  for (let start = 0; start < bytes; start += pieceBytes) {
    run(start, Math.min(pieceBytes, bytes - start));
  }
}

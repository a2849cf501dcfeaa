/** Launching kernels that run over all values of a tensor, four at a time. */
import type { Kernel } from "../kernels/mod.ts";
import type { Resource } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import { bytesPerValue } from "./pack.ts";
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
 * Launches a kernel over tensors of one size, of whatever dtypes. A tensor above the binding limit is covered piece
 * by piece: `params.count` is filled in with a piece's vec4s, `params.first` with the index of its first one.
 */
export function launchElementwise(
  kernel: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  params: Readonly<Record<string, number>> = {},
  shared: Readonly<Record<string, Resource>> = {},
): void {
  const all = Object.values(tensors);
  const [{ device, size }] = all;
  const widest = 4 * Math.max(...all.map(({ dtype }) => bytesPerValue[dtype])); // bytes of a vec4
  // In whole vec4s; a piece of so many bytes starts where a binding may in tensors of half as many, too.
  forEachPiece(device, Math.max(1, Math.ceil(size / 4)) * widest, (start, bytes) => {
    const [first, count] = [start / widest, bytes / widest];
    const bindings: Record<string, Resource> = { ...shared };
    for (const name in tensors) {
      const { dtype, binding: { storage, offset } } = tensors[name];
      const vector = 4 * bytesPerValue[dtype];
      bindings[name] = { storage, offset: offset + first * vector, size: count * vector };
    }
    device.launcher.launch(kernel, bindings, { ...params, count, first }, workgroupsFor(count));
  });
}

/** Twice the strictest alignment of a binding: half a piece is one, too. */
const pieceAlignment = 512;

/** Cuts a range of bytes into pieces that one binding can cover. */
export function forEachPiece(
  device: Device,
  bytes: number,
  run: (start: number, size: number) => void,
): void {
  const pieceBytes = Math.floor(device.maxBindingBytes / pieceAlignment) * pieceAlignment;
  for (let start = 0; start < bytes; start += pieceBytes) {
    run(start, Math.min(pieceBytes, bytes - start));
  }
}

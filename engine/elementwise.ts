/** Launching kernels that run over all values of a tensor, four at a time. */
import type { Kernel } from "../kernels/mod.ts";
import type { Binding, UniformBinding } from "./launcher.ts";
import type { Tensor } from "./tensor.ts";

/** Threads a workgroup in the elementwise kernels. */
export const workgroupSize = 64;
/** WebGPU's limit on workgroups in one dimension; larger tensors are covered by striding. */
const maxWorkgroups = 65535;

/** Workgroups that cover a count of invocations; the kernel strides where there are not enough. */
export function workgroupsFor(invocations: number): [number, number] {
  return [Math.max(1, Math.min(maxWorkgroups, Math.ceil(invocations / workgroupSize))), 1];
}

/**
 * Launches a kernel over tensors of one size; `params.count` is filled in. A tensor above the binding
 * limit is covered piece by piece. `uniforms` are bound whole.
 */
export function launchElementwise(
  kernel: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  params: Readonly<Record<string, number>> = {},
  uniforms: Readonly<Record<string, UniformBinding>> = {},
): void {
  const [first] = Object.values(tensors);
  const { device } = first;
  const bytes = first.binding.size;
  const pieceBytes = Math.floor(device.maxBindingBytes / 256) * 256;
  if (bytes > pieceBytes && Object.keys(uniforms).length > 0) {
    throw new Error(`${kernel.name}: a tensor of ${bytes} bytes is above the binding limit.`);
  }
  for (let start = 0; start < bytes; start += pieceBytes) {
    const size = Math.min(pieceBytes, bytes - start);
    const bindings: Record<string, Binding | UniformBinding> = { ...uniforms };
    for (const name in tensors) {
      const { storage, offset } = tensors[name];
      bindings[name] = { storage, offset: offset + start, size };
    }
    device.launcher.launch(
      kernel,
      bindings,
      { ...params, count: size / 16 },
      workgroupsFor(size / 16),
    );
  }
}

/** The benchmark of `deno task bench`, on the reader's GPU. */
import { Device } from "../../engine/device.ts";
import { casesOf } from "../../kernelbench/cases.ts";
import { benchKernels, type KernelRow, type KernelTimes } from "../../kernelbench/kernel_bench.ts";
import { parseShapes } from "../../kernelbench/shapes.ts";

/** Sizes that kernels are timed at, by the name that `--shapes` has for them. */
const shapeNames = ["mini", "base"] as const;
export type ShapeName = typeof shapeNames[number];

export interface KernelTimesOptions {
  shapes: ShapeName;
  /** Called with every row that is done, and how many there are in all. */
  report?: (row: KernelRow, of: number) => void;
  stopRequested?: () => boolean;
  /** Only kernels with this in their name. */
  filter?: string;
}

/** Times every kernel in an engine of its own, whose memory goes with it. Throws a DeviceError where the GPU fails. */
export async function timeKernels(
  { gpu, info, kernels, maxBindingBytes }: Device,
  { shapes, report, stopRequested, filter }: KernelTimesOptions,
): Promise<KernelTimes> {
  const cases = parseShapes(shapes).flatMap(casesOf);
  const of = cases.reduce((count, { rows }) => count + rows.length, 0);
  return await benchKernels(new Device(gpu, info, kernels, maxBindingBytes), {
    cases,
    filter,
    report: (row) => report?.(row, of),
    stopRequested,
  });
}

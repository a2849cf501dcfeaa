/** Matrix products of any shape, with free strides: what the tiled kernels cannot read, or would compute too serially. */
import { matmulStrided as strided, type Transpose } from "../kernels/mod.ts";
import type { Device } from "./device.ts";
import { oneWorkgroupARow } from "./elementwise.ts";
import { isNarrow } from "./plans.ts";
import type { Tensor } from "./tensor.ts";

export interface MatmulShape {
  rows: number;
  columns: number;
  inner: number;
}

/** Inner sizes below this are not worth sharing: there is a handful of values for an invocation. */
const splitInner = 128;

/** Whether a workgroup should share the sums of a product: it has few columns, and they are long. */
export function isSplit(
  { kernels }: Device,
  transpose: Transpose,
  { columns, inner }: MatmulShape,
): boolean {
  const along = transpose !== "TN"; // A's rows lie along k
  return kernels.broadcastLanes === 0 && along && isNarrow({ columns }) && inner >= splitInner;
}

export interface StridedOptions {
  /** Add to what `c` holds. */
  accumulate?: boolean;
  /** Which of the matrices that lie one after another in a tensor; the first unless given. */
  at?: { a: number; b: number; c: number };
}

/**
 * C = op(A) op(B) (+ bias) (+ C), one value an invocation or, where {@link isSplit}, 8 a workgroup. A bias lies
 * as C does.
 */
export function matmulStrided(
  transpose: Transpose,
  { a, b, c, bias }: { a: Tensor; b: Tensor; c: Tensor; bias?: Tensor },
  shape: MatmulShape,
  { accumulate = false, at = { a: 0, b: 0, c: 0 } }: StridedOptions = {},
): void {
  const { device } = a;
  const { rows, columns, inner } = shape;
  const kernelAndGroups = () => {
    if (!isSplit(device, transpose, shape)) {
      return [strided.main, [Math.ceil(columns / 8), Math.ceil(rows / 8)]] as const;
    }
    return [strided.split, [...oneWorkgroupARow(rows), Math.ceil(columns / 8)]] as const;
  };
  const [kernel, groups] = kernelAndGroups();
  device.launcher.launch(
    kernel,
    { a: a.binding, b: b.binding, c: c.binding, bias: (bias ?? b).binding },
    {
      rows,
      columns,
      inner,
      accumulate: Number(accumulate),
      aRow: transpose === "TN" ? 1 : inner,
      aInner: transpose === "TN" ? rows : 1,
      bInner: transpose === "NT" ? 1 : columns,
      bColumn: transpose === "NT" ? inner : 1,
      hasBias: Number(bias !== undefined),
      aFirst: at.a * rows * inner,
      bFirst: at.b * inner * columns,
      cFirst: at.c * rows * columns,
      biasFirst: at.c * columns,
    },
    groups,
  );
}

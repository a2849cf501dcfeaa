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

/**
 * LoRA's du = dy B and dB += dyᵀ u for a number of outputs that its own kernels cannot read: dy [stack, rows, out],
 * B [layers, out, rank], u and du [layers, rows, rank]; `layers` are the places of those with LoRA in the stack.
 */
export function stridedLoraB(
  { dy, b, u, du, dloraB }: { dy: Tensor; b: Tensor; u: Tensor; du: Tensor; dloraB?: Tensor },
  layers: readonly number[],
): void {
  const [outputs, rows, rank] = [dy.columns, u.rows / layers.length, b.columns];
  layers.forEach((layer, i) => {
    const at = { a: layer, b: i, c: i };
    const product = { rows, columns: rank, inner: outputs };
    matmulStrided("NN", { a: dy, b, c: du }, product, { at });
    if (!dloraB) return;
    const turned = { rows: outputs, columns: rank, inner: rows };
    matmulStrided("TN", { a: dy, b: u, c: dloraB }, turned, { at, accumulate: true });
  });
}

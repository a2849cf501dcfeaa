/** Matrix products: picks the kernel of the matmul family that fits the shapes. */
import {
  matmul as tiled,
  matmulStrided as strided,
  type MatmulTile,
  type Transpose,
  workgroupTile,
} from "../kernels/mod.ts";
import type { Tensor } from "./tensor.ts";

export interface MatmulOptions {
  /** [columns], added to every row. */
  bias?: Tensor;
  /** Add to what `c` holds. */
  accumulate?: boolean;
  /** A second product of the same kind added to the first: LoRA's (s·u) Bᵀ. */
  second?: { a: Tensor; b: Tensor };
}

/** Products of few columns, such as LoRA's, run their invocations down the rows. */
const narrow = 16;
const narrowTile: MatmulTile = {
  groups: 1,
  lanes: 1,
  columns: 2,
  broadcast: false,
  workgroup: [1, 16],
};

/**
 * C = op(A) op(B), in the transposes of kernels/matmul.wgsl: NT is A Bᵀ, NN is A B, TN is Aᵀ B. All
 * tensors have two dimensions. B may be packed in NT and NN, where `columns` and the inner size are
 * multiples of 4. Throws where sizes or dtypes do not fit.
 */
export function matmul(
  transpose: Transpose,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions = {},
): void {
  const { bias, accumulate = false, second } = options;
  const [rows, inner] = transpose === "TN" ? [a.columns, a.rows] : [a.rows, a.columns];
  const [columns, innerB] = transpose === "NT" ? [b.rows, b.columns] : [b.columns, b.rows];
  if (inner !== innerB) {
    throw new Error(
      `Cannot multiply (${transpose}) [${a.shape.join(", ")}] by [${b.shape.join(", ")}]: ` +
        `inner sizes ${inner} and ${innerB} differ.`,
    );
  }
  if (c.rows !== rows || c.columns !== columns) {
    throw new Error(`The product has shape [${rows}, ${columns}], not [${c.shape.join(", ")}].`);
  }
  if (bias && bias.size !== columns) {
    throw new Error(`A bias of ${bias.size} values does not fit ${columns} columns.`);
  }
  const { device } = a;
  const vectors = columns % 4 === 0 && (transpose === "TN" ? rows % 4 === 0 : inner % 4 === 0);
  checkDtypes(transpose, vectors, b, [a, c, bias, second?.a, second?.b]);
  const fused = vectors && transpose !== "TN" && second && second.a.columns % 4 === 0
    ? second
    : undefined;
  if (vectors) {
    const tile = columns <= narrow ? narrowTile : device.kernels.matmul;
    const stage = (matrix: Tensor, operand: "a" | "b") =>
      device.kernels.matmulTextures && device.staging.fits(matrix)
        ? device.staging.copy(matrix, operand)
        : matrix.binding;
    const [a0, b0] = [stage(a, "a"), stage(b, "b")];
    const kernel = tiled({
      ...tile,
      textureA: "texture" in a0,
      textureB: "texture" in b0,
      packB: b.dtype,
      transpose,
      bias: bias !== undefined,
      accumulate,
      second: fused !== undefined,
    });
    const { rows: tileRows, columns: tileColumns } = workgroupTile(tile);
    device.launcher.launch(
      kernel,
      {
        a0,
        b0,
        c: c.binding,
        ...(bias && { bias: bias.binding }),
        ...(fused && { a1: fused.a.binding, b1: fused.b.binding }),
      },
      { rows, columns, inner0: inner, inner1: fused?.a.columns ?? 0 },
      [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows)],
    );
  } else {
    device.launcher.launch(
      strided.main,
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
      },
      [Math.ceil(columns / 8), Math.ceil(rows / 8)],
    );
  }
  if (second && !fused) matmul(transpose, second.a, second.b, c, { accumulate: true });
}

/** Only the tiled kernels unpack, and only a B of NT or NN: a weight that is frozen. */
function checkDtypes(
  transpose: Transpose,
  vectors: boolean,
  b: Tensor,
  others: readonly (Tensor | undefined)[],
): void {
  const packed = others.find((tensor) => tensor && tensor.dtype !== "f32");
  if (packed) {
    const { shape, dtype } = packed;
    throw new Error(
      `Matmul (${transpose}): [${shape.join(", ")}] is ${dtype}; only B may be packed.`,
    );
  }
  if (b.dtype === "f32") return;
  const what = `Matmul (${transpose}): B [${b.shape.join(", ")}] is ${b.dtype}`;
  if (b.requiresGrad) throw new Error(`${what} and wants a gradient; packed values are frozen.`);
  if (transpose === "TN") throw new Error(`${what}; only NT and NN read packed values.`);
  if (!vectors) throw new Error(`${what}; packed, both sizes must be multiples of 4.`);
}

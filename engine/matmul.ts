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
 * tensors have two dimensions. Throws where the inner sizes differ or C has another shape.
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
  const secondInner = second?.a.columns ?? 0;
  if (
    vectors && secondInner % 4 === 0 &&
    !(second && transpose === "TN")
  ) {
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
      transpose,
      bias: bias !== undefined,
      accumulate,
      second: second !== undefined,
    });
    const { rows: tileRows, columns: tileColumns } = workgroupTile(tile);
    device.launcher.launch(
      kernel,
      {
        a0,
        b0,
        c: c.binding,
        ...(bias && { bias: bias.binding }),
        ...(second && { a1: second.a.binding, b1: second.b.binding }),
      },
      { rows, columns, inner0: inner, inner1: secondInner },
      [Math.ceil(columns / tileColumns), Math.ceil(rows / tileRows)],
    );
    return;
  }
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
  if (second) matmul(transpose, second.a, second.b, c, { accumulate: true });
}

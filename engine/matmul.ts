/** Matrix products: checks shapes, picks the kernel of the matmul family, launches it. */
import { matmul as tiledKernel, type Transpose, workgroupTile } from "../kernels/mod.ts";
import { isSplit, matmulStrided } from "./matmul_strided.ts";
import { operandVariant, planFor } from "./plans.ts";
import type { Tensor } from "./tensor.ts";

export interface MatmulOptions {
  /** [stack · columns], added to every row. */
  bias?: Tensor;
  /** Add to what `c` holds. */
  accumulate?: boolean;
  /** Products in one launch, whose tensors lie one after another: see kernels/matmul_interface.wgsl. */
  stack?: number;
  /**
   * A second product added to the first, NT: LoRA's u Bᵀ, u [rows, rank] and B [columns, rank]. In a stack,
   * `layers` says which products have one, ascending; u and B are of these only.
   */
  second?: { u: Tensor; b: Tensor; layers?: readonly number[] };
  /** What is done to the result before it is written; only where {@link tiles} says that it can be. */
  epilogue?: Epilogue;
}

/** dropout(gelu(result)) + residual, each part where it is given. */
export interface Epilogue {
  /** GELU; `kept` gets what it is taken of, for the backward pass. */
  gelu?: { kept?: Tensor };
  /** As `dropoutParams` makes them. */
  dropout?: { site: number; threshold: number; keep: number };
  /** Of the result's shape. */
  residual?: Tensor;
}

/** Numbers below 15 as kernels read them, four bits each; -1 becomes 15, which means none. Throws above 8 of them. */
export function packSlots(slots: readonly number[]): number {
  if (slots.length > 8) {
    throw new Error(`LoRA in a stack of ${slots.length} layers: 8 are the most.`);
  }
  return slots.reduce((bits, slot, i) => bits | ((slot & 15) << (4 * i)), 0) >>> 0;
}

/** Whether the tiled kernels can compute a product: they take four values at a time. */
export function tiles(
  transpose: Transpose,
  { rows, columns, inner }: { rows: number; columns: number; inner: number },
): boolean {
  return columns % 4 === 0 && (transpose === "TN" ? rows : inner) % 4 === 0;
}

/**
 * C = op(A) op(B): NT is A Bᵀ, NN is A B, TN is Aᵀ B. Leading dimensions count as rows. B may be packed in
 * NT and NN, where `columns` and the inner size are multiples of 4. Throws where sizes or dtypes do not fit.
 */
export function matmul(
  transpose: Transpose,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  options: MatmulOptions = {},
): void {
  const { bias, accumulate = false, second, stack = 1, epilogue = {} } = options;
  const { device } = a;
  const shape = shapeOf(transpose, a, b, c, stack);
  const { rows, columns, inner } = shape;
  if (bias && bias.size !== stack * columns) {
    throw new Error(`A bias of ${bias.size} values does not fit ${stack * columns} columns.`);
  }
  const tiled = tiles(transpose, shape);
  checkDtypes(transpose, tiled, { a, b, c }, options);
  if (second && transpose !== "NT") {
    throw new Error(`Matmul (${transpose}): only NT has a second product.`);
  }
  const rank = second?.u.columns ?? 0;
  const fused = tiled && second !== undefined && rank % 4 === 0;
  if ((!tiled || (second && !fused)) && Object.keys(epilogue).length > 0) {
    throw new Error(
      `Matmul (${transpose}): no epilogue for a product of ${rows} × ${columns}, inner ` +
        `size ${inner}${second ? ` and ${rank}` : ""}: take multiples of 4.`,
    );
  }
  const layers = second?.layers ?? [0];
  const allF32 = [a, b, c].every(({ dtype }) => dtype === "f32");
  const plain = stack === 1 && !fused && Object.keys(epilogue).length === 0 && allF32;
  if (tiled && !(plain && isSplit(device, transpose, shape))) {
    const half = a.dtype === "f16" && { dtypeA: a.dtype };
    const product = { ...shape, transpose, dtype: b.dtype, ...half, stack };
    device.onProduct?.(product);
    const plan = planFor(product, device.kernels.matmul, device.tunedPlans);
    const { gelu, dropout, residual } = epilogue;
    const kernel = tiledKernel(plan, {
      transpose,
      bias: bias !== undefined,
      accumulate,
      second: fused,
      gelu: gelu !== undefined,
      keep: gelu?.kept !== undefined,
      dropout: dropout !== undefined && dropout.threshold > 0,
      residual: residual !== undefined,
      ...operandVariant(plan, a, b, c),
    });
    const { rows: tileRows, columns: tileColumns } = workgroupTile(plan);
    device.launcher.launch(
      kernel,
      {
        a0: a.binding,
        b0: b.binding,
        c: c.binding,
        ...(bias && { bias: bias.binding }),
        ...(fused && { a1: second.u.binding, b1: second.b.binding }),
        ...(residual && { residual: residual.binding }),
        ...(gelu?.kept && { kept: gelu.kept.binding }),
        ...(dropout && dropout.threshold > 0 && { random: device.random }),
      },
      {
        rows,
        columns,
        inner0: inner,
        inner1: fused ? rank : 0,
        stack,
        slots: fused ? packSlots(productsOf(stack).map((z) => layers.indexOf(z))) : 0,
        site: 0,
        threshold: 0,
        keep: 1,
        ...dropout,
      },
      [
        Math.ceil(columns / tileColumns),
        Math.ceil(rows / tileRows),
        transpose === "NN" ? 1 : stack,
      ],
    );
  } else {
    for (const z of productsOf(stack)) {
      const at = { NT: { a: 0, b: z, c: z }, NN: { a: z, b: z, c: 0 }, TN: { a: z, b: 0, c: z } };
      matmulStrided(transpose, { a, b, c, bias }, shape, {
        at: at[transpose],
        accumulate: accumulate || (transpose === "NN" && z > 0),
      });
    }
  }
  if (second && !fused) {
    layers.forEach((z, slot) => {
      const at = { a: slot, b: slot, c: z };
      const low = { rows, columns, inner: rank };
      matmulStrided("NT", { a: second.u, b: second.b, c }, low, { at, accumulate: true });
    });
  }
}

const productsOf = (stack: number) => Array.from({ length: stack }, (_, z) => z);

/** Rows and columns of one product of the stack, and its inner size. Throws where the tensors differ. */
function shapeOf(transpose: Transpose, a: Tensor, b: Tensor, c: Tensor, stack: number) {
  const sizes = {
    NT: { rows: a.rows, columns: b.rows / stack, inner: a.columns, innerB: b.columns },
    NN: { rows: a.rows / stack, columns: b.columns, inner: a.columns, innerB: b.rows / stack },
    TN: { rows: a.columns, columns: b.columns, inner: a.rows / stack, innerB: b.rows },
  };
  const { rows, columns, inner, innerB } = sizes[transpose];
  if (inner !== innerB) {
    throw new Error(
      `Cannot multiply (${transpose}) [${a.shape.join(", ")}] by [${b.shape.join(", ")}]: ` +
        `inner sizes ${inner} and ${innerB} differ.`,
    );
  }
  const results = transpose === "NN" ? 1 : stack;
  if (c.rows !== results * rows || c.columns !== columns) {
    throw new Error(
      `The product has shape [${results * rows}, ${columns}], not [${c.shape.join(", ")}].`,
    );
  }
  return { rows, columns, inner };
}

/**
 * What is no f32 goes through the tiled kernels: a B of NT or NN that is frozen, and, f16, what layers take and give,
 * with their gradients. Biases and LoRA's factors are f32, and so is the gradient that TN makes.
 */
function checkDtypes(
  transpose: Transpose,
  tiled: boolean,
  { a, b, c }: { a: Tensor; b: Tensor; c: Tensor },
  { bias, second, epilogue: { residual, gelu } = {} }: MatmulOptions,
): void {
  const refuse = (what: string, { shape, dtype }: Tensor, why: string) => {
    throw new Error(`Matmul (${transpose}): ${what}[${shape.join(", ")}] is ${dtype}${why}`);
  };
  for (const tensor of [a, c]) {
    if (tensor.dtype === "bf16") refuse("", tensor, "; only B may be packed so.");
  }
  for (const tensor of [bias, second?.u, second?.b, ...(transpose === "TN" ? [c] : [])]) {
    if (tensor && tensor.dtype !== "f32") {
      refuse("", tensor, "; only A, B and, but for TN's, C may be packed.");
    }
  }
  for (const tensor of [residual, gelu?.kept]) {
    if (tensor && tensor.dtype !== c.dtype) refuse("", tensor, `, and C ${c.dtype}.`);
  }
  if (!tiled) {
    for (const [name, tensor] of [["A", a], ["B", b], ["C", c]] as const) {
      if (tensor.dtype === "f32") continue;
      refuse(`${name} `, tensor, "; packed, sizes must be multiples of 4.");
    }
  }
  if (b.dtype === "f32") return;
  if (transpose === "TN") {
    if (b.dtype === "bf16") refuse("B ", b, "; only NT and NN read values packed so.");
  } else if (b.requiresGrad) {
    refuse("B ", b, " and wants a gradient; packed values are frozen.");
  }
}

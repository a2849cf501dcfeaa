/** A library at its work, as the comparison sees it: prepared once, then run as often as wanted. */

/** Operations that all libraries have, with the shapes of their operands. */
export type Operation =
  | {
    kind: "matmul";
    transpose: "NT" | "NN" | "TN";
    rows: number;
    columns: number;
    inner: number;
    /** Ours keeps B in 16 bits a value, as a frozen weight; the others have no such thing. */
    packed?: "bf16";
  }
  | { kind: "softmax"; rows: number; columns: number }
  | { kind: "layerNorm"; rows: number; columns: number };

/** One operation, ready to run. */
export interface Runner {
  /** Runs it so many times; resolves when the GPU is done. */
  run(times: number): Promise<void>;
  /** The result of a run, row by row. */
  result(): Promise<Float32Array>;
  dispose(): void;
}

export interface Library {
  /** The key in the JSON. */
  name: "ours" | "jax_js" | "tfjs";
  /** With these operands: a, b of a product; x of the others, with γ and β [columns] for LayerNorm. */
  prepare(operation: Operation, operands: Operand[]): Promise<Runner>;
  close(): void;
}

export interface Operand {
  shape: [number, number] | [number];
  data: Float32Array;
}

export const layerNormEps = 1e-12;

/** The operands' shapes. */
export function operandShapes(operation: Operation): Operand["shape"][] {
  if (operation.kind === "softmax") return [[operation.rows, operation.columns]];
  if (operation.kind === "layerNorm") {
    const { rows, columns } = operation;
    return [[rows, columns], [columns], [columns]];
  }
  const { transpose, rows, columns, inner } = operation;
  return [
    transpose === "TN" ? [inner, rows] : [rows, inner],
    transpose === "NT" ? [columns, inner] : [inner, columns],
  ];
}

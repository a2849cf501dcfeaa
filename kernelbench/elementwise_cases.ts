/** The kernels that take each value by itself, or each column. */
import { columnSum } from "../engine/column_sum.ts";
import { type gelu, scaleColumns } from "../engine/ops/mod.ts";
import type { Case } from "./cases.ts";
import type { Maker } from "./maker.ts";

/** Bytes of an f32. */
const word = 4;

/** Forward and backward of an operation on each value; `cost` in operations a value, and arrays that backward reads. */
export function unary(
  name: string,
  operation: typeof gelu,
  rows: number,
  columns: number,
  cost: { forward: number; backward: number; reads: number },
): Case {
  const shape = `${rows}×${columns}`;
  const values = rows * columns;
  return {
    rows: [
      {
        kernel: `${name}.forward`,
        shape,
        flops: cost.forward * values,
        bytes: 2 * values * word,
      },
      {
        kernel: `${name}.backward`,
        shape,
        flops: cost.backward * values,
        bytes: (cost.reads + 1) * values * word,
      },
    ],
    run(make) {
      const x = make.input([rows, columns]);
      make.backward(() => operation(x));
    },
  };
}

/** A kernel that takes each value by itself, moving so many arrays. */
export function elementwise(
  kernel: string,
  rows: number,
  columns: number,
  moved: number,
  run: (make: Maker, shape: number[]) => void,
  flops = 1,
): Case {
  const values = rows * columns;
  const row = { kernel, shape: `${rows}×${columns}`, flops: flops * values };
  return {
    rows: [{ ...row, bytes: moved * values * word }],
    run: (make) => run(make, [rows, columns]),
  };
}

/** The gradient of a bias. */
export function columnSumCase(tokens: number, hidden: number): Case {
  const values = tokens * hidden;
  const row = { kernel: "column_sum.main", shape: `${tokens}×${hidden}`, flops: values };
  return {
    rows: [{ ...row, bytes: values * word }],
    run: (make) => columnSum(make.tensor([tokens, hidden]), make.tensor([hidden])),
  };
}

/** IA³'s factors on a layer's input. */
export function scaleColumnsCase(tokens: number, hidden: number): Case {
  const shape = `${tokens}×${hidden}`;
  const values = tokens * hidden;
  const forward = { kernel: "scale_columns.main", shape, flops: values, bytes: 2 * values * word };
  return {
    rows: [
      forward,
      { kernel: "scale_columns.gradient", shape, flops: 2 * values, bytes: 2 * values * word },
      forward,
    ],
    run(make) {
      const [x, factor] = [make.input([tokens, hidden]), make.weight([hidden])];
      make.backward(() => scaleColumns(x, factor));
    },
  };
}

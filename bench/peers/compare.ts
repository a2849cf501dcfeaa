/** Runs an operation in all libraries in turn, so that whatever else the machine does hits all alike. */
import type { PeerRow } from "../schema.ts";
import { median } from "../../engine/timing.ts";
import {
  type Library,
  type Operand,
  operandShapes,
  type Operation,
  type Runner,
} from "./library.ts";

/** Seconds that a sample lasts at least: waiting for a queue goes in steps of 10 ms. */
const sampleSeconds = 0.25;
/** Seconds that all samples of a library should last: beyond it takes fewer than were asked for. */
const operationSeconds = 5;
/** ‖difference‖ / ‖result‖ up to which results count as the same; for values rounded to bf16. */
const tolerance = 1e-4;
const packedTolerance = 4e-3;

/** The products and row operations of the comparison. */
export function peerOperations(): Operation[] {
  const products = [[1024, 1024, 1024], [384, 768, 768], [384, 3072, 768], [384, 768, 3072]];
  return [
    ...products.flatMap(([rows, columns, inner]) =>
      (["NT", "NN", "TN"] as const).map((transpose) => ({
        kind: "matmul" as const,
        transpose,
        rows,
        columns,
        inner,
      }))
    ),
    ...(["NT", "NN"] as const).map((transpose) => ({
      kind: "matmul" as const,
      transpose,
      rows: 1024,
      columns: 1024,
      inner: 1024,
      packed: "bf16" as const,
    })),
    { kind: "softmax", rows: 384, columns: 768 },
    { kind: "layerNorm", rows: 384, columns: 768 },
  ];
}

/** `matmul.NT` and `384×768×768`, as the table and the JSON name them. */
export function operationName(operation: Operation): { kernel: string; shape: string } {
  const { rows, columns } = operation;
  if (operation.kind !== "matmul") {
    return {
      kernel: operation.kind === "softmax" ? "softmax" : "layer_norm",
      shape: `${rows}×${columns}`,
    };
  }
  return {
    kernel: `matmul.${operation.transpose}${operation.packed ? `, ${operation.packed}` : ""}`,
    shape: `${rows}×${columns}×${operation.inner}`,
  };
}

/** What a second's runs amount to: arithmetic for products, a copy's traffic for row operations. */
function workOf(operation: Operation): { unit: PeerRow["unit"]; amount: number } {
  const { rows, columns } = operation;
  if (operation.kind === "matmul") {
    return { unit: "GFLOP/s", amount: 2 * rows * columns * operation.inner / 1e9 };
  }
  return { unit: "GB/s", amount: 2 * rows * columns * 4 / 1e9 };
}

/** Medians of every library for an operation. Throws where their results differ. */
export async function compare(
  libraries: readonly Library[],
  operation: Operation,
  samples: number,
): Promise<PeerRow> {
  const name = operationName(operation);
  const operands = makeOperands(operation);
  const entries: {
    library: Library;
    runner: Runner;
    times: number;
    samples: number;
    seconds: number[];
  }[] = [];
  try {
    let expected: Float32Array | undefined;
    for (const library of libraries) {
      const runner = await library.prepare(operation, operands);
      entries.push({ library, runner, times: 1, samples, seconds: [] });
      const result = await runner.result();
      expected ??= result;
      const error = relativeError(result, expected);
      const packed = operation.kind === "matmul" && operation.packed;
      if (!(error <= (packed ? packedTolerance : tolerance))) {
        throw new Error(
          `${name.kernel} ${name.shape}: ${library.name} differs from ${libraries[0].name} ` +
            `by ${error.toExponential(1)} of the result.`,
        );
      }
    }
    for (const entry of entries) {
      await entry.runner.run(1); // compiles what waiting takes
      const once = await timed(entry.runner, 1);
      entry.times = Math.max(1, Math.ceil(sampleSeconds / once));
      entry.samples = Math.max(1, Math.min(samples, Math.floor(operationSeconds / once)));
      if (entry.times > 1) { // the first may have been mostly waiting
        const some = await timed(entry.runner, Math.min(10, entry.times)) /
          Math.min(10, entry.times);
        entry.times = Math.max(1, Math.ceil(sampleSeconds / some));
      }
    }
    for (let sample = 0; sample < samples; sample++) {
      for (const entry of entries.filter((each) => sample < each.samples)) {
        entry.seconds.push(await timed(entry.runner, entry.times) / entry.times);
      }
    }
  } finally {
    entries.forEach(({ runner }) => runner.dispose());
  }
  const { unit, amount } = workOf(operation);
  const rate = (name: Library["name"]) => {
    const entry = entries.find(({ library }) => library.name === name);
    return entry ? amount / median(entry.seconds) : null;
  };
  return {
    ...name,
    unit,
    ours: rate("ours") ?? 0,
    jax_js: rate("jax_js"),
    tfjs: rate("tfjs"),
  };
}

async function timed(runner: Runner, times: number): Promise<number> {
  const start = performance.now();
  await runner.run(times);
  return (performance.now() - start) / 1000;
}

function makeOperands(operation: Operation): Operand[] {
  return operandShapes(operation).map((shape, which) => {
    const size = shape.reduce<number>((product, dimension) => product * dimension, 1);
    const data = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      data[i] = (Math.imul(i + 1 + which, 0x9e3779b1) | 0) / 2 ** 31;
    }
    return { shape, data };
  });
}

/** ‖a - b‖ / ‖b‖; NaN where the sizes differ. */
export function relativeError(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

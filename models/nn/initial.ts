/** How new tensors start. */
import { fnv1a } from "../../engine/hash.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import { sizeOf } from "../../engine/shape.ts";
import type { ParameterSpec } from "./scope.ts";

/** A new tensor's values. They depend on the seed and the tensor's name, not on what else is made. */
export function initialValues(
  { name, shape, init }: Pick<ParameterSpec, "name" | "shape" | "init">,
  seed: number,
): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (init.kind === "zeros") return values;
  if (init.kind === "ones") return values.fill(1);
  if (init.kind === "rowNorms") {
    throw new Error(`"${name}" starts from the values of "${init.of}".`);
  }
  const random = new HostRandom(seed, domains.initialise, fnv1a(name));
  if (init.kind === "normal") return values.map(() => init.std * random.normal());
  const bound = 1 / Math.sqrt(init.fanIn);
  return values.map(() => bound * (2 * random.uniform() - 1));
}

/** The Euclidean norm of each row of a matrix [rows, columns]. */
export function rowNorms(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (const value of values.subarray(row * columns, (row + 1) * columns)) sum += value ** 2;
    return Math.sqrt(sum);
  });
}

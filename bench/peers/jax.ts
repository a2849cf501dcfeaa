/** @jax-js/jax in the comparison: every operation under `jit`. Fetched when it is first asked for. */
import { layerNormEps, type Library, type Operation } from "./library.ts";

/** The parts of jax-js that are used; the package is no dependency of the project. */
interface JaxArray {
  /** The array again: operations consume their operands. */
  ref: JaxArray;
  transpose(): JaxArray;
  add(other: JaxArray): JaxArray;
  mul(other: JaxArray): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): string;
  blockUntilReady(arrays: JaxArray[]): Promise<JaxArray[]>;
  jit(run: (...operands: JaxArray[]) => JaxArray): (...operands: JaxArray[]) => JaxArray;
  numpy: {
    array(data: Float32Array, options: { shape: number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
  };
  nn: {
    softmax(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray;
  };
}

/** Bytes of results that may be under way at once. */
const pendingBytes = 2 ** 28;

function resultBytes({ rows, columns }: Operation): number {
  return rows * columns * 4;
}

export async function openJax(): Promise<Library> {
  const name = "npm:@jax-js/jax@0.1.25"; // no literal in import(): type checks and other tasks need no jax-js
  const jax: Jax = await import(name);
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("jax-js found no WebGPU adapter.");
  jax.defaultDevice("webgpu");
  return {
    name: "jax_js",
    prepare(operation, operands) {
      const arrays = operands.map(({ shape, data }) => jax.numpy.array(data, { shape }));
      const compiled = jax.jit((...refs) => forward(jax, operation, refs));
      const apply = () => compiled(...arrays.map(({ ref }) => ref));
      return Promise.resolve({
        async run(times) {
          // Work on an array that is disposed too early is never done: all are kept until they are ready,
          // some at a time, and the next are under way before the last ones are waited for.
          const most = Math.max(1, Math.floor(pendingBytes / resultBytes(operation)));
          let before: Promise<JaxArray[]> = Promise.resolve([]);
          for (let done = 0; done < times; done += most) {
            const count = Math.min(most, times - done);
            const ready = jax.blockUntilReady(Array.from({ length: count }, apply));
            (await before).forEach((each) => each.dispose());
            before = ready;
          }
          (await before).forEach((each) => each.dispose());
        },
        result: () => apply().data(),
        dispose: () => arrays.forEach((array) => array.dispose()),
      });
    },
    close() {},
  };
}

function forward(jax: Jax, operation: Operation, [a, b, c]: JaxArray[]): JaxArray {
  const { numpy: np } = jax;
  if (operation.kind === "softmax") return jax.nn.softmax(a, -1);
  if (operation.kind === "layerNorm") {
    return jax.nn.standardize(a, -1, { epsilon: layerNormEps }).mul(b).add(c);
  }
  if (operation.transpose === "NT") return np.matmul(a, b.transpose());
  if (operation.transpose === "TN") return np.matmul(a.transpose(), b);
  return np.matmul(a, b);
}

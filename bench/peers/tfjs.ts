/** tfjs-backend-webgpu in the comparison. Fetched when it is first asked for. */
import { layerNormEps, type Library, type Operation } from "./library.ts";

/** The parts of TensorFlow.js that are used; the packages are no dependency of the project. */
interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}

interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  backend(): { device: GPUDevice };
  tidy(run: () => TfTensor): TfTensor;
  tensor(data: Float32Array, shape: number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA: boolean, transposeB: boolean): TfTensor;
  slice(x: TfTensor, begin: number[], size: number[]): TfTensor;
  softmax(x: TfTensor): TfTensor;
  moments(x: TfTensor, axis: number, keepDims: boolean): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: TfTensor,
    scale: TfTensor,
    eps: number,
  ): TfTensor;
}

export async function openTfjs(): Promise<Library> {
  const names = ["core", "backend-webgpu"].map((part) => `npm:@tensorflow/tfjs-${part}@4.22.0`);
  const tf: Tf = await import(names[0]); // no literals: type checks and other tasks need no TensorFlow.js
  await import(names[1]);
  if (!await tf.setBackend("webgpu")) throw new Error("tfjs-backend-webgpu does not start here.");
  await tf.ready();
  return {
    name: "tfjs",
    prepare(operation, operands) {
      // γ and β as rows: batchNorm wants them of the mean's rank.
      const tensors = operands.map(({ shape, data }) =>
        tf.tensor(data, shape.length === 1 ? [1, shape[0]] : shape)
      );
      const apply = () => tf.tidy(() => forward(tf, operation, tensors));
      return Promise.resolve({
        async run(times) {
          for (let i = 1; i < times; i++) apply().dispose();
          // Reading a value back is the public way to wait; it submits what is still recorded.
          const value = tf.tidy(() => tf.slice(forward(tf, operation, tensors), [0, 0], [1, 1]));
          await value.data();
          value.dispose();
        },
        async result() {
          const result = apply();
          const values = await result.data();
          result.dispose();
          return values;
        },
        dispose: () => tensors.forEach((tensor) => tensor.dispose()),
      });
    },
    close: () => tf.backend().device.destroy(),
  };
}

function forward(tf: Tf, operation: Operation, [a, b, c]: TfTensor[]): TfTensor {
  if (operation.kind === "softmax") return tf.softmax(a);
  if (operation.kind === "layerNorm") {
    const { mean, variance } = tf.moments(a, -1, true);
    return tf.batchNorm(a, mean, variance, c, b, layerNormEps);
  }
  return tf.matMul(a, b, operation.transpose === "TN", operation.transpose === "NT");
}

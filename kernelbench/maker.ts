/** Makes the tensors of a benchmark case, and frees them when it is over. */
import type { Device } from "../engine/device.ts";
import { record, withTape } from "../engine/tape.ts";
import { persistent, type Tensor, upload } from "../engine/tensor.ts";

/** Above this many, values stay zero: filling them would take longer than the kernels. */
const filledValues = 1 << 22;

export class Maker {
  readonly device: Device;
  #ends: (() => void)[] = [];
  #inputs: Tensor[] = [];

  constructor(device: Device) {
    this.device = device;
  }

  /** Values of both signs below 1, no gradient. */
  tensor(shape: number[]): Tensor {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    const data = size > filledValues ? undefined : filled(size);
    const tensor = persistent(this.device, shape, data, "benchmark");
    this.later(() => this.device.memory.destroy(tensor.storage));
    return tensor;
  }

  /** The same, and backward passes make its gradient. */
  input(shape: number[]): Tensor {
    const tensor = this.tensor(shape);
    this.#inputs.push(tensor);
    return tensor;
  }

  /** A parameter: with a buffer to which gradients are added, as the optimiser's. */
  weight(shape: number[]): Tensor {
    const tensor = this.tensor(shape);
    tensor.requiresGrad = true;
    tensor.gradient = this.tensor(shape);
    return tensor;
  }

  /** u32 in the step arena. */
  indices(shape: number[], data: Uint32Array): Tensor {
    return upload(this.device, shape, data);
  }

  /** Runs forward and backward with a gradient of random values. */
  backward(forward: () => Tensor): void {
    const { output, backward } = withTape(() => {
      // As if an operation before had made them: a leaf's gradient would be added up at the end.
      const leaf = this.weight([4]);
      for (const input of this.#inputs) record([leaf], input, () => []);
      return forward();
    });
    backward(this.tensor([...output.shape]));
  }

  later(end: () => void): void {
    this.#ends.push(end);
  }

  destroy(): void {
    this.device.endStep();
    this.#ends.forEach((end) => end());
    this.#ends = [];
    this.#inputs = [];
    this.device.trim();
  }
}

/** Values in (-1, 1), by a multiplicative hash of their index. */
function filled(size: number): Float32Array {
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = (Math.imul(i + 1, 0x9e3779b1) | 0) / 2 ** 31;
  return values;
}

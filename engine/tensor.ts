/** Tensors: a shape over a piece of a GPU buffer, row-major; f32, or of 16 bits a value where a dtype says so. */
import type { Format } from "../kernels/mod.ts";
import type { Binding } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import type { MemoryUse } from "./errors.ts";
import type { Storage } from "./memory.ts";
import { bytesPerValue, type Dtype, unpack } from "./pack.ts";
import type { ComputeDtype } from "./precision.ts";
import { sizeOf } from "./shape.ts";

/** WebGPU's strictest alignment for the offset of a binding, in bytes. */
export const offsetAlignment = 256;

export class Tensor {
  readonly device: Device;
  readonly shape: readonly number[];
  storage: Storage;
  /** Bytes into the buffer. */
  offset: number;
  /** How the values lie in memory: f16 of activations and their gradients, bf16 of frozen weights only. */
  readonly dtype: Dtype;
  /** Number of values. */
  readonly size: number;
  /** Whether a gradient is wanted: for trainable parameters, and for what is computed from them. */
  requiresGrad = false;
  /** For leaves and parameters: the gradient that backward passes add to. */
  gradient?: Tensor;

  constructor(
    device: Device,
    shape: readonly number[],
    storage: Storage,
    offset = 0,
    dtype: Dtype = "f32",
  ) {
    this.device = device;
    this.shape = shape;
    this.size = sizeOf(shape);
    this.storage = storage;
    this.offset = offset;
    this.dtype = dtype;
  }

  /** Size of the last dimension. */
  get columns(): number {
    return this.shape[this.shape.length - 1];
  }

  /** Number of rows: the product of all dimensions but the last. */
  get rows(): number {
    return this.size / this.columns;
  }

  /**
   * As a kernel binds it; the end is rounded up to four whole values, which every buffer has room for. Throws
   * where the tensor does not start where a binding may.
   */
  get binding(): Binding {
    if (this.offset % offsetAlignment !== 0) {
      throw new Error(
        `A tensor [${this.shape.join(", ")}] at byte ${this.offset}, no multiple of ` +
          `${offsetAlignment}, cannot be bound: bind the stack that it is of.`,
      );
    }
    return {
      storage: this.storage,
      offset: this.offset,
      size: Math.max(16, Math.ceil(this.size / 4) * 4 * bytesPerValue[this.dtype]),
      rowBytes: this.columns * bytesPerValue[this.dtype],
    };
  }

  /** Reads the values back. Waits for the GPU. */
  async read(): Promise<Float32Array> {
    const { device, storage, offset, size, dtype } = this;
    const words = Math.ceil(size * bytesPerValue[dtype] / 4);
    const bytes = await device.read(storage, offset, words * 4);
    return dtype === "f32"
      ? new Float32Array(bytes)
      : unpack(new Uint16Array(bytes, 0, size), dtype);
  }
}

/**
 * One of the tensors that lie in another along its first dimension: of [3, rows, columns] a [rows, columns].
 * Throws where it does not start where a binding may.
 */
export function part({ device, shape, storage, offset, dtype }: Tensor, index: number): Tensor {
  const [, ...inner] = shape;
  const start = offset + index * sizeOf(inner) * bytesPerValue[dtype];
  if (start % offsetAlignment !== 0) {
    throw new Error(
      `Part ${index} of [${shape.join(", ")}] starts at byte ${start}, no multiple of ` +
        `${offsetAlignment}: pack batches in multiples of 64 rows.`,
    );
  }
  return new Tensor(device, inner, storage, start, dtype);
}

/** How a kernel reads and writes a tensor's values on its device. */
export const formatOf = ({ dtype, device }: Tensor): Format =>
  dtype === "f16" && device.kernels.nativeF16 ? "native f16" : dtype;

/**
 * The dtype of activations with so many columns: the device's, where kernels can take four values at a time, of
 * which no two share a word.
 */
export const activationDtype = ({ kernels }: Device, columns: number): ComputeDtype =>
  columns % 4 === 0 ? kernels.activations : "f32";

/** A tensor of the step arena, not initialised. It is gone when the step ends. */
export function empty(device: Device, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
  const values = Math.ceil(sizeOf(shape) / 4) * 4;
  return new Tensor(device, shape, device.memory.acquire(values * bytesPerValue[dtype]), 0, dtype);
}

/** A tensor of the step arena of another one's shape and dtype, not initialised. */
export const emptyLike = ({ device, shape, dtype }: Tensor): Tensor => empty(device, shape, dtype);

/** A tensor of zeros in the step arena. */
export function zeros(device: Device, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
  const tensor = empty(device, shape, dtype);
  clear(tensor);
  return tensor;
}

/** A tensor of the step arena with these values: f32, or u32 for indices. */
export function upload(
  device: Device,
  shape: readonly number[],
  data: Float32Array | Uint32Array,
): Tensor {
  checkLength(shape, data);
  const tensor = empty(device, shape);
  device.write(tensor.storage, 0, data);
  return tensor;
}

/** A tensor to be uploaded with others. */
export interface UploadPart {
  shape: readonly number[];
  data: Uint32Array;
}

/** Several u32 tensors of the step arena, by one write into one buffer: a write costs 20 µs and more. */
export function uploadTogether(
  device: Device,
  parts: readonly UploadPart[],
): Tensor[] {
  const words = offsetAlignment / 4;
  const offsets: number[] = [];
  let total = 0;
  for (const { shape, data } of parts) {
    checkLength(shape, data);
    offsets.push(total);
    total += Math.ceil(data.length / words) * words;
  }
  const all = new Uint32Array(total);
  parts.forEach(({ data }, i) => all.set(data, offsets[i]));
  const storage = device.memory.acquire(all.byteLength);
  device.write(storage, 0, all);
  return parts.map(({ shape }, i) => new Tensor(device, shape, storage, offsets[i] * 4));
}

function checkLength(shape: readonly number[], data: ArrayLike<number>): void {
  if (data.length !== sizeOf(shape)) {
    throw new Error(`${data.length} values do not fill the shape [${shape.join(", ")}].`);
  }
}

/** A tensor that lives until destroyed, with these values or zeros. */
export function persistent(
  device: Device,
  shape: readonly number[],
  data?: Float32Array,
  name?: string,
  use?: MemoryUse,
): Tensor {
  if (data) checkLength(shape, data);
  const size = sizeOf(shape);
  const tensor = new Tensor(device, shape, device.memory.allocate(size * 4, name, use));
  if (data) device.write(tensor.storage, 0, data);
  return tensor;
}

/** Sets a tensor to zero. */
export function clear(tensor: Tensor): void {
  const { device, storage, offset, size, dtype } = tensor;
  const bytes = Math.ceil(size * bytesPerValue[dtype] / 4) * 4;
  device.launcher.record((encoder) => encoder.clearBuffer(storage.buffer, offset, bytes));
}

/** Values for cases: seeded, on the device and as numbers, and how far two lists of them are apart. */
import type { Device } from "../engine/device.ts";
import { bytesPerValue, type Dtype, pack, type PackedDtype, unpack } from "../engine/pack.ts";
import { domains, HostRandom } from "../engine/random.ts";
import { Tensor, upload } from "../engine/tensor.ts";
import type { Values } from "./reference.ts";

/** Values of magnitude 0.1 to 1.5 with random signs, exact in f32. */
export function randomValues(count: number, seed: number): Values {
  const random = new HostRandom(seed, domains.sample, 99);
  return Array.from({ length: count }, () => {
    const magnitude = 0.1 + 1.4 * random.uniform();
    return Math.fround(random.uniform() < 0.5 ? -magnitude : magnitude);
  });
}

/** Values as a dtype holds them. */
export const rounded = (values: Values, dtype: Dtype): Values =>
  dtype === "f32" ? values : [...unpack(pack(Float32Array.from(values), dtype), dtype)];

/** A tensor of the step arena with these values that wants a gradient, or not. */
export function tensorOf(
  device: Device,
  shape: readonly number[],
  values: Values,
  requiresGrad = false,
  dtype: Dtype = "f32",
): Tensor {
  const tensor = dtype === "f32"
    ? upload(device, shape, Float32Array.from(values))
    : packedTensor(device, shape, values, dtype);
  tensor.requiresGrad = requiresGrad;
  return tensor;
}

/** The same, rounded to 16 bits a value. */
export function packedTensor(
  device: Device,
  shape: readonly number[],
  values: Values,
  dtype: PackedDtype,
): Tensor {
  const whole = new Float32Array(Math.ceil(values.length / 4) * 4); // what is written comes in words
  whole.set(values);
  const storage = device.memory.acquire(whole.length * bytesPerValue[dtype]);
  device.write(storage, 0, pack(whole, dtype));
  return new Tensor(device, shape, storage, 0, dtype);
}

/** Cuts values into so many parts of equal length. */
export const split = (x: Values, count: number): Values[] =>
  Array.from(
    { length: count },
    (_, i) => x.slice(i * x.length / count, (i + 1) * x.length / count),
  );

/** The Euclidean norm. */
export const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/**
 * ‖actual − expected‖ / (‖expected‖ + floor); 0 where both are equal, Infinity where a value is no number or
 * values are missing.
 */
export function relativeError(actual: ArrayLike<number>, expected: Values, floor = 0): number {
  if (actual.length !== expected.length) return Infinity;
  const distance = norm(expected.map((value, i) => actual[i] - value));
  if (distance === 0) return 0;
  return Number.isFinite(distance) ? distance / (norm(expected) + floor) : Infinity;
}

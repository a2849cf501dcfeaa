/** One matrix product, timed on the GPU and checked against the host's. */
import type { Device } from "../../engine/device.ts";
import { matmul } from "../../engine/matmul.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import { persistent } from "../../engine/tensor.ts";

export interface ProductFacts {
  /** Rows, columns and inner size. */
  size: number;
  /** The greatest difference between the GPU's values and those of the host, which sums in float64. */
  difference: number;
  gpu_gflops: number;
  host_gflops: number;
}

/** Rows that the host computes, spread over the product: all of them would take it seconds. */
const hostRows = 64;
/** Of all samples together, and the least of one, as waiting for the queue goes in steps of 10 ms on Deno. */
const seconds = { all: 1.5, sample: 0.1 };

/** C = A Bᵀ of square matrices with values from -1 to 1. Throws what the GPU reports. */
export async function timeProduct(device: Device): Promise<ProductFacts> {
  const size = device.info.software ? 512 : 1024;
  const [a, b] = [1, 2].map((seed) => {
    const random = new HostRandom(seed, domains.sample);
    return Float32Array.from({ length: size * size }, () => 2 * random.uniform() - 1);
  });
  const tensors = [a, b, undefined].map((data) =>
    persistent(device, [size, size], data, "product")
  );
  const [tensorA, tensorB, tensorC] = tensors;
  try {
    const fastest = await fastestRun(device, () => matmul("NT", tensorA, tensorB, tensorC));
    const c = new Float32Array(await device.read(tensorC.storage, 0, size * size * 4));
    const host = compareOnHost(a, b, c, size);
    return {
      size,
      difference: host.difference,
      gpu_gflops: 2 * size ** 3 / fastest / 1e9,
      host_gflops: 2 * hostRows * size ** 2 / host.seconds / 1e9,
    };
  } finally {
    for (const { storage } of tensors) device.memory.destroy(storage);
  }
}

/** Seconds by the wall clock of one run in the fastest sample, whose runs grow in number until it is long enough. */
async function fastestRun(device: Device, run: () => void): Promise<number> {
  const sample = async (runs: number) => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) run();
    await device.finish();
    return (performance.now() - start) / 1000;
  };
  await sample(1); // compiles
  const end = performance.now() + seconds.all * 1000;
  let fastest = Infinity;
  for (let runs = 1; performance.now() < end;) {
    const taken = await sample(runs);
    fastest = Math.min(fastest, taken / runs);
    if (taken < seconds.sample) runs *= Math.min(10, Math.ceil(seconds.sample / taken));
  }
  return fastest;
}

/** The greatest difference from C in some rows, NaN where C has one, and the seconds that these rows took. */
export function compareOnHost(a: Float32Array, b: Float32Array, c: Float32Array, size: number) {
  const step = Math.max(1, Math.floor(size / hostRows));
  let difference = 0;
  const start = performance.now();
  for (let row = 0; row < size; row += step) {
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += a[row * size + k] * b[column * size + k];
      difference = Math.max(difference, Math.abs(sum - c[row * size + column])); // NaN stays
    }
  }
  return { difference, seconds: (performance.now() - start) / 1000 };
}

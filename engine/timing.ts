/**
 * Seconds that the GPU takes for a run of launches: by timestamps where the adapter has them, else by the
 * wall clock over many runs, since waiting for the queue goes in steps of 10 ms on Deno.
 */
import type { Device } from "./device.ts";

export interface Timer {
  method: "timestamp-query" | "wall clock";
  /** Seconds of `repeats` runs; `run` only records. Waits for the GPU. */
  seconds(run: () => void, repeats: number): Promise<number>;
  /** Frees what it holds on the GPU. */
  destroy(): void;
}

/** A measured time: the median of several samples. */
export interface Timing {
  /** Of one run. */
  seconds: number;
  /** Of one run in the shortest sample. */
  fastest: number;
  /** (longest - shortest) / median of the samples. */
  spread: number;
  samples: number;
  /** Runs in a sample. */
  repeats: number;
}

/** Seconds that a sample should last, and how many runs it may have. */
const targets = {
  "timestamp-query": { seconds: 0.002, most: 100 }, // above 128 launches a submission ends
  "wall clock": { seconds: 0.2, most: 20_000 },
};

/** The timer that the device's features allow; whoever asks for it destroys it. */
export async function createTimer(device: Device): Promise<Timer> {
  if (!device.gpu.features.has("timestamp-query")) {
    return {
      method: "wall clock",
      seconds: (run, repeats) => wallSeconds(device, run, repeats),
      destroy() {},
    };
  }
  const stamps = new Stamps(device, 2);
  let period: number;
  try {
    period = await stamps.period();
  } catch (error) {
    stamps.destroy();
    throw error;
  }
  return {
    method: "timestamp-query",
    async seconds(run, repeats) {
      stamps.write(0);
      for (let i = 0; i < repeats; i++) run();
      stamps.write(1);
      const [start, end] = await stamps.read();
      return Number(end - start) * period;
    },
    destroy: () => stamps.destroy(),
  };
}

/** Times a run: once to warm up (pipelines, bind groups), once to see how long it is, then the samples. */
export async function measure(
  timer: Timer,
  run: () => void,
  { samples = 5 }: { samples?: number } = {},
): Promise<Timing> {
  const target = targets[timer.method];
  await timer.seconds(run, 1);
  let repeats = 1;
  for (let once = await timer.seconds(run, 1); repeats < target.most;) {
    const wanted = Math.ceil(target.seconds / Math.max(once, 1e-9));
    if (wanted <= repeats) break;
    const next = Math.min(target.most, Math.max(wanted, repeats + 1));
    // A single run lies below what the wall clock resolves: grow step by step.
    repeats = timer.method === "wall clock" ? Math.min(next, repeats * 10) : next;
    once = await timer.seconds(run, repeats) / repeats;
  }
  const seconds: number[] = [];
  for (let i = 0; i < samples; i++) seconds.push(await timer.seconds(run, repeats) / repeats);
  const middle = median(seconds);
  const spread = (Math.max(...seconds) - Math.min(...seconds)) / middle;
  return { seconds: middle, fastest: Math.min(...seconds), spread, samples, repeats };
}

/** The middle value; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("There is no median of no values.");
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

async function wallSeconds(device: Device, run: () => void, repeats: number): Promise<number> {
  await device.finish();
  const start = performance.now();
  for (let i = 0; i < repeats; i++) run();
  await device.finish();
  return (performance.now() - start) / 1000;
}

/** Timestamps in the queue; the adapter must have the feature `timestamp-query`. */
export class Stamps {
  readonly #device: Device;
  readonly #count: number;
  readonly #set: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #staging: GPUBuffer;

  /** Room for so many, 2 to 4096. */
  constructor(device: Device, count: number) {
    const { gpu } = device;
    this.#device = device;
    this.#count = count;
    this.#set = gpu.createQuerySet({ type: "timestamp", count });
    this.#resolved = gpu.createBuffer({ size: 8 * count, usage: 0x200 | 0x04 }); // QUERY_RESOLVE | COPY_SRC
    this.#staging = gpu.createBuffer({ size: 8 * count, usage: 0x01 | 0x08 }); // MAP_READ | COPY_DST
  }

  /** An empty pass that notes the time at which all before it is done. */
  write(index: number): void {
    this.#device.launcher.record((encoder) =>
      encoder.beginComputePass({
        timestampWrites: { querySet: this.#set, endOfPassWriteIndex: index },
      }).end()
    );
  }

  /** All times, in ticks. Waits for the GPU. */
  async read(): Promise<BigUint64Array> {
    const { launcher } = this.#device;
    launcher.record((encoder) => {
      encoder.resolveQuerySet(this.#set, 0, this.#count, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 8 * this.#count);
    });
    launcher.submit();
    await this.#staging.mapAsync(1);
    const stamps = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    this.#device.check();
    return stamps;
  }

  destroy(): void {
    this.#set.destroy();
    this.#resolved.destroy();
    this.#staging.destroy();
  }

  /**
   * Seconds a tick. The standard says nanoseconds, but wgpu hands out the adapter's own ticks: compares
   * them with the host's clock over a third of a second.
   */
  async period(): Promise<number> {
    const { launcher } = this.#device;
    await this.#device.finish();
    this.write(0);
    launcher.submit();
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 333));
    this.write(1);
    launcher.submit();
    const seconds = (performance.now() - start) / 1000;
    const [first, last] = await this.read();
    const nanoseconds = (seconds / Number(last - first)) * 1e9;
    return Math.abs(nanoseconds - 1) < 0.03 ? 1e-9 : nanoseconds * 1e-9;
  }
}

/**
 * Seconds that the GPU takes for a run of launches: by timestamps where the adapter has them, else by the
 * wall clock over many runs, since waiting for the queue goes in steps of 10 ms on Deno.
 */
import type { Device } from "./device.ts";

export interface Timer {
  method: "timestamp-query" | "wall clock";
  /** Seconds that a sample should last, and the most runs that it may have. */
  sample: { seconds: number; most: number };
  /** Whether a single run may be too short for it to see. */
  coarse: boolean;
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

/** What a sample should be by the wall clock, by exact timestamps, and by rounded ones, which take more than a submission. */
const samples = {
  clock: { seconds: 0.2, most: 20_000 },
  exact: { seconds: 0.002, most: 100 }, // above 128 launches a submission ends
  rounded: { steps: 50, most: 2_000 },
};

/** Timestamps that are rounded to less than this, in seconds, count as exact. */
const exactBelow = 1e-6;

/** The timer that the device's features allow; whoever asks for it destroys it. */
export async function createTimer(device: Device): Promise<Timer> {
  if (!device.gpu.features.has("timestamp-query")) {
    return {
      method: "wall clock",
      sample: samples.clock,
      coarse: true,
      seconds: (run, repeats) => wallSeconds(device, run, repeats),
      destroy() {},
    };
  }
  const { period, resolution } = await calibrate(device);
  const stamps = new Stamps(device, 2);
  const coarse = resolution >= exactBelow;
  return {
    method: "timestamp-query",
    sample: coarse
      ? { seconds: samples.rounded.steps * resolution, most: samples.rounded.most }
      : samples.exact,
    coarse,
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
  const { sample: target, coarse } = timer;
  /** So many runs that a sample has its length, by what one run took. */
  const longer = (repeats: number, once: number) => {
    const wanted = Math.ceil(target.seconds / Math.max(once, 1e-9));
    // A single run may lie below what the timer resolves: grow step by step.
    return Math.min(target.most, Math.max(wanted, repeats + 1), coarse ? repeats * 10 : Infinity);
  };
  await timer.seconds(run, 1);
  let repeats = 1;
  for (let once = await timer.seconds(run, 1); repeats < target.most;) {
    if (target.seconds / Math.max(once, 1e-9) <= repeats) break;
    repeats = longer(repeats, once);
    once = await timer.seconds(run, repeats) / repeats;
  }
  let seconds: number[];
  let middle: number;
  for (;;) {
    seconds = [];
    for (let i = 0; i < samples; i++) seconds.push(await timer.seconds(run, repeats) / repeats);
    middle = median(seconds);
    // A run that something else has held up makes samples that are too short.
    if (repeats >= target.most || middle * repeats >= target.seconds / 2) break;
    repeats = longer(repeats, middle);
  }
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
}

/** Timestamps that a calibration takes, and milliseconds from one to the next. */
const calibration = { stamps: 8, wait: 48 };

/**
 * Seconds a tick, and the seconds to which timestamps are rounded. The standard says that ticks are nanoseconds, but
 * wgpu hands out the adapter's own: compares them with the host's clock over a third of a second. Browsers round
 * timestamps: all of them are multiples of one step.
 */
export async function calibrate(device: Device): Promise<{ period: number; resolution: number }> {
  const stamps = new Stamps(device, calibration.stamps);
  try {
    await device.finish();
    let [start, end] = [0, 0];
    for (let index = 0; index < calibration.stamps; index++) {
      if (index > 0) await new Promise((resolve) => setTimeout(resolve, calibration.wait));
      stamps.write(index);
      device.launcher.submit();
      end = performance.now();
      if (index === 0) start = end;
    }
    const ticks = [...await stamps.read()];
    const nanoseconds = ((end - start) / Number(ticks.at(-1)! - ticks[0])) * 1e6;
    const period = Math.abs(nanoseconds - 1) < 0.03 ? 1e-9 : nanoseconds * 1e-9;
    return { period, resolution: Number(stepOf(ticks)) * period };
  } finally {
    stamps.destroy();
  }
}

/** The largest step of which all differences of ascending ticks are multiples. */
export function stepOf(ticks: readonly bigint[]): bigint {
  const divisor = (a: bigint, b: bigint): bigint => b === 0n ? a : divisor(b, a % b);
  return ticks.slice(1).reduce((step, tick, i) => divisor(tick - ticks[i], step), 0n);
}

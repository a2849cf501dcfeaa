/** Where a step's time goes: a timestamp after every launch. */
import type { Device } from "./device.ts";
import { calibrate, Stamps } from "./timing.ts";

/** A kernel's part of a step, the copies that it needs included. */
export interface KernelShare {
  kernel: string;
  launches: number;
  milliseconds: number;
}

/** WebGPU's limit on the timestamps of a query set. */
const mostStamps = 4096;

/**
 * Times every launch of `run`, which must record the same launches each time; the longest first. Passes
 * are cut between launches, which a step's own time does not have. Times are means of `samples` runs: a browser rounds
 * each stamp to 0.1 ms, which evens out over many. Throws where the adapter has no timestamps.
 */
export async function profile(
  device: Device,
  run: () => void,
  samples = 1,
): Promise<KernelShare[]> {
  if (!device.gpu.features.has("timestamp-query")) {
    throw new Error(`The adapter "${device.info.description}" has no timestamps: no profile.`);
  }
  const before = device.launcher.dispatches;
  run();
  const count = device.launcher.dispatches - before;
  if (count >= mostStamps) throw new Error(`A step of ${count} launches is too long to profile.`);
  const { period } = await calibrate(device);
  const stamps = new Stamps(device, count + 1);
  const names: string[] = [];
  const { launcher } = device;
  const { launch, repeat } = launcher;
  launcher.repeat = (_owner, _key, makeLaunches) => makeLaunches(); // each is to be seen
  launcher.launch = (...launched) => {
    launch.apply(launcher, launched);
    names.push(launched[0].name.replace(/\.main$/, ""));
    stamps.write(names.length);
  };
  try {
    const shares = new Map<string, KernelShare>();
    for (let sample = 0; sample < samples; sample++) {
      names.length = 0;
      stamps.write(0);
      run();
      const ticks = await stamps.read();
      names.forEach((kernel, i) => {
        const share = shares.get(kernel) ?? { kernel, launches: 0, milliseconds: 0 };
        if (sample === 0) share.launches++;
        share.milliseconds += Number(ticks[i + 1] - ticks[i]) * period * 1000 / samples;
        shares.set(kernel, share);
      });
    }
    return [...shares.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  } finally {
    Object.assign(launcher, { launch, repeat });
    stamps.destroy();
  }
}

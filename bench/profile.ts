/** Where a step's time goes: a timestamp after every launch. */
import type { Device } from "../engine/device.ts";
import { Stamps } from "../engine/timing.ts";
import { type Column, renderTable } from "../cli/shared/table.ts";
import { formatShare, formatTime } from "./kernel_table.ts";

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
 * are cut between launches, which a step's own time does not have. Throws where the adapter has no timestamps.
 */
export async function profile(device: Device, run: () => void): Promise<KernelShare[]> {
  if (!device.gpu.features.has("timestamp-query")) {
    throw new Error(`The adapter "${device.info.description}" has no timestamps: no profile.`);
  }
  const before = device.launcher.dispatches;
  run();
  const count = device.launcher.dispatches - before;
  if (count >= mostStamps) throw new Error(`A step of ${count} launches is too long to profile.`);
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
    const period = await stamps.period();
    stamps.write(0);
    run();
    const ticks = await stamps.read();
    const shares = new Map<string, KernelShare>();
    names.forEach((kernel, i) => {
      const share = shares.get(kernel) ?? { kernel, launches: 0, milliseconds: 0 };
      share.launches++;
      share.milliseconds += Number(ticks[i + 1] - ticks[i]) * period * 1000;
      shares.set(kernel, share);
    });
    return [...shares.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  } finally {
    Object.assign(launcher, { launch, repeat });
    stamps.destroy();
  }
}

/** The part of a profile that matrix products take, from 0 to 1. */
export function matmulShare(shares: readonly KernelShare[]): number {
  const sum = (some: readonly KernelShare[]) =>
    some.reduce((total, { milliseconds }) => total + milliseconds, 0);
  return sum(shares.filter(({ kernel }) => kernel.startsWith("matmul"))) / sum(shares);
}

const columns: Column[] = [
  { title: "Kernel" },
  { title: "Launches", right: true },
  { title: "Time", right: true },
  { title: "%", right: true },
];

/** Lines of at most 80 columns. */
export function profileTable(shares: readonly KernelShare[]): string[] {
  const total = shares.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return renderTable(
    columns,
    shares.map(({ kernel, launches, milliseconds }) => [
      kernel,
      String(launches),
      formatTime(milliseconds / 1000),
      formatShare(100 * milliseconds / total),
    ]),
  );
}

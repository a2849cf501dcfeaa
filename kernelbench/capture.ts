/** Records what an operation launches, so that each kernel can be launched again alone and timed. */
import type { Device } from "../engine/device.ts";

/** One launch, with the copies that it makes of what its kernel reads from textures. */
export interface Launch {
  kernel: string;
  /** Records the launch again. The operation's buffers must still be there. */
  again(): void;
}

/** Runs an operation and returns its launches in their order. */
export function capture(device: Device, run: () => void): Launch[] {
  const { launcher } = device;
  const launches: Launch[] = [];
  const launch = launcher.launch.bind(launcher);
  launcher.launch = (...launched) => {
    launches.push({ kernel: launched[0].name, again: () => launch(...launched) });
    launch(...launched);
  };
  try {
    run();
  } finally {
    launcher.launch = launch;
  }
  return launches;
}

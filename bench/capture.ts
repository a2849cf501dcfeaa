/** Records what an operation launches, so that each kernel can be launched again alone and timed. */
import type { Device } from "../engine/device.ts";
import type { Launcher } from "../engine/launcher.ts";

/** One launch, with the copies that the engine recorded before it (operands put into textures). */
export interface Launch {
  kernel: string;
  /** Records the launch again. The operation's buffers must still be there. */
  again(): void;
}

/** Runs an operation and returns its launches in their order; copies after the last are not kept. */
export function capture(device: Device, run: () => void): Launch[] {
  const { launcher } = device;
  const launches: Launch[] = [];
  let before: Parameters<Launcher["record"]>[] = [];
  const launch = launcher.launch.bind(launcher);
  const record = launcher.record.bind(launcher);
  launcher.launch = (...launched) => {
    const copies = before;
    before = [];
    launches.push({
      kernel: launched[0].name,
      again() {
        copies.forEach((copy) => record(...copy));
        launch(...launched);
      },
    });
    launch(...launched);
  };
  launcher.record = (...recorded) => {
    before.push(recorded);
    record(...recorded);
  };
  try {
    run();
  } finally {
    launcher.launch = launch;
    launcher.record = record;
  }
  return launches;
}

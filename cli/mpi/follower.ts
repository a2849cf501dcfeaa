/** The other ranks: each does what the first one tells, and says nothing but its errors. */
import { hubSettings } from "../shared/hub.ts";
import { giveUp } from "../shared/permissions.ts";
import type { Output } from "../shared/terminal.ts";
import { findContinued } from "../train/continued.ts";
import { load, type Loaded } from "../train/load.ts";
import type { DeviceHandle, TrainingTools } from "../train/tools.ts";
import type { Communicator } from "./communicator.ts";
import { type Message, receive } from "./messages.ts";
import { createDevices, loadAll } from "./prepare.ts";
import { followTraining } from "./training.ts";

/** Notices are the first rank's to print. */
const silent: Output = { write: () => {}, columns: () => 80, terminal: false, color: false };

interface Prepared<Device extends DeviceHandle> {
  tools: TrainingTools<Device>;
  device: Device;
  loaded: Loaded;
}

async function prepare<Device extends DeviceHandle>(
  ranks: Communicator,
  given: TrainingTools<Device>,
  { flags, plan, device: options }: Extract<Message, { kind: "begin" }>,
): Promise<Prepared<Device>> {
  const { device } = await createDevices(ranks, given, options);
  let tools = given;
  try {
    const { loaded } = await loadAll(ranks, async () => {
      const hub = hubSettings(silent); // of this host's environment, which may be wrong here alone
      const continued = await findContinued(flags, () => hub);
      if (continued) tools = continued.tools(given);
      return await load({ flags, plan, hub, err: silent }, tools);
    });
    giveUp("net");
    return { tools, device, loaded };
  } catch (error) {
    device.destroy();
    throw error;
  }
}

/** Follows the first rank to its end; returns the exit code that it ends with. */
export async function follow<Device extends DeviceHandle>(
  ranks: Communicator,
  tools: TrainingTools<Device>,
  stopRequested: () => boolean,
): Promise<number> {
  let prepared: Prepared<Device> | undefined;
  try {
    for (;;) {
      const message = receive(ranks);
      if (message.kind === "end") return message.exitCode;
      if (message.kind === "begin") {
        // What failed, failed on all, and is the first one's to tell.
        prepared = await prepare(ranks, tools, message).catch(() => undefined);
      } else {
        const { goesOn, training } = message;
        const options = { ...prepared!, goesOn, stopRequested };
        await followTraining(ranks, prepared!.tools, training, options);
      }
    }
  } finally {
    prepared?.device.destroy();
  }
}

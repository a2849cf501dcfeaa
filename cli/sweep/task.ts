/** One task of a sweep: claimed, trained or gone on with, and saved beside the others. */
import type { Output } from "../shared/terminal.ts";
import { renderNotice } from "../shared/terminal.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { trainExperiment } from "../train/experiment.ts";
import type { Session } from "../train/session.ts";
import type { DeviceHandle, TrainingTools } from "../train/tools.ts";
import { readWork } from "../train/work.ts";
import { claimTask, type Patience } from "./claim.ts";
import { mendTask, stateOf, tasksFolder, workOf } from "./folder.ts";
import type { PlannedTask } from "./tasks.ts";

/** The exit code where another process has the task: of EX_TEMPFAIL, come again. */
export const busyCode = 75;

export interface TaskOptions {
  folder: string;
  hub: HubSettings;
  /** The command that goes on with the sweep. */
  goOn: string;
  host: string;
  session: Session;
  out: Output;
  err: Output;
  patience?: Patience;
  /** Called when model and data are here, and no network is needed any more. */
  onLoaded?(): void;
}

/** How a task ended. */
export type Ended = "trained" | "was done" | { holder: string };

/**
 * Trains a task, or what is left of it. Throws a UserError for what the user can put right, and a StoppedError where the
 * session was to stop.
 */
export async function runTask<Device extends DeviceHandle>(
  { run, arguments: command, flags, plan }: PlannedTask,
  options: TaskOptions,
  loadTools: () => Promise<TrainingTools<Device>>,
): Promise<Ended> {
  const { folder, session, err, host, patience, goOn } = options;
  if ((await stateOf(folder, run)).done) return "was done";
  const claimed = await claimTask(tasksFolder(folder), run, {
    host,
    patience,
    onWait: (holder) =>
      err.write(renderNotice(err, `Waiting to see whether ${holder} trains ${run}.`)),
    onLost: () => session.stop ??= { signal: "taken over by another process", exitCode: busyCode },
  });
  if ("holder" in claimed) return claimed;
  const work = workOf(folder, run);
  session.folder = folder;
  session.claim = { ...claimed.claim, work };
  await mendTask(folder, run);
  if ((await stateOf(folder, run)).done) {
    await Deno.remove(work, { recursive: true }); // what a process left that was killed after it had saved the run
    session.claim = undefined;
    claimed.claim.release();
    return "was done";
  }
  const before = await readWork(work);
  const resumed = before && { folder, work: before };
  const task = { folder, work, goOn };
  const { out, hub, onLoaded } = options;
  const training = { flags, plan, hub, command, resumed, out, err, session, task, onLoaded };
  await trainExperiment(training, await loadTools(), (_folder, _work, train) => train());
  return "trained";
}

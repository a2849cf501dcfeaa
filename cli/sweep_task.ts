/**
 * `deno task sweep:task`: trains one task of a sweep, as its launchers do, or lists all, and ends with an exit code: 0 done,
 * 1 failed, 2 wrong use, 75 another process trains it, 130 interrupted (SIGTERM 143, SIGHUP 129,
 * SIGUSR2 140).
 */
import { UserError } from "../models/errors.ts";
import { runCommand } from "./shared/command.ts";
import { hubSettings } from "./shared/hub.ts";
import { giveUp } from "./shared/permissions.ts";
import { jsonText, paint, renderNotice, standardOutput } from "./shared/terminal.ts";
import { finishSweep } from "./sweep/finish.ts";
import { parseSweepFlags, sweepCommand, type SweepFlags } from "./sweep/flags.ts";
import { openSweep } from "./sweep/folder.ts";
import { listTasks } from "./sweep/listing.ts";
import { type Sweep, sweepOf } from "./sweep/place.ts";
import { busyCode, runTask } from "./sweep/task.ts";
import { isAdapter } from "./train/continued.ts";
import { endOnSignals, newSession } from "./train/session.ts";
import type { DeviceHandle, TrainingTools } from "./train/tools.ts";
import { StoppedError } from "./train/watch.ts";

const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

function warn(warnings: readonly string[]): void {
  for (const warning of new Set(warnings)) {
    stderr.write(`${paint(stderr, "yellow", "Warning:")} ${warning}\n`);
  }
}

async function trainTask<Device extends DeviceHandle>(
  { tasks, folder }: Sweep,
  number: number,
  loadTools: () => Promise<TrainingTools<Device>>,
): Promise<number> {
  const task = tasks[number];
  warn(task.plan.warnings);
  await openSweep(folder, tasks);
  const session = newSession();
  endOnSignals(session, stderr);
  try {
    const ended = await runTask(task, {
      folder,
      hub: hubSettings(stderr),
      goOn: `the same ${sweepCommand} again`,
      host: Deno.hostname(),
      session,
      out: stdout,
      err: stderr,
      onLoaded: () => giveUp("net"),
    }, loadTools);
    if (typeof ended !== "string") {
      stderr.write(renderNotice(stderr, `${task.run} is being trained by ${ended.holder}.`));
      return busyCode;
    }
    if (ended === "was done") stdout.write(`${task.run} is done.\n`);
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    const { stop, where } = error;
    stderr.write(
      `Stopped (${stop.signal}): ${where}. Go on with the same ${sweepCommand} again.\n`,
    );
    return stop.exitCode;
  }
  if (await finishSweep(folder, tasks, stderr)) {
    stdout.write(`All ${tasks.length} tasks are done: ${folder}\n`);
  }
  return 0;
}

/** Loaded only for training, so that lists need no engine. */
async function loadTrainingTools() {
  return (await import("./train/training_tools.ts")).trainingTools;
}

async function run<Device extends DeviceHandle>(
  args: readonly string[],
  flags: SweepFlags,
  loadTools: () => Promise<TrainingTools<Device>>,
): Promise<number> {
  const sweep = sweepOf(args, flags);
  const { modelName } = flags;
  if (modelName !== undefined && await isAdapter(modelName)) {
    throw new UserError(
      `${modelName} is an adapter's folder, with which deno task train goes on under its own method: ` +
        `a sweep takes a model.`,
      { exitCode: 2 },
    );
  }
  if (flags.dryRun) {
    warn(sweep.tasks.flatMap(({ plan }) => plan.warnings));
    stdout.write(`${jsonText(await listTasks(sweep.folder, sweep.tasks, stderr))}\n`);
    return 0;
  }
  if (flags.task === undefined) {
    throw new UserError(`Say which task with --task N, or train all with ${sweepCommand}.`, {
      exitCode: 2,
    });
  }
  return await trainTask(sweep, flags.task, loadTools);
}

/** Runs the command; returns its exit code. */
export function main<Device extends DeviceHandle>(
  args: readonly string[],
  loadTools: () => Promise<TrainingTools<Device>>,
): Promise<number> {
  const parsed = parseSweepFlags(args);
  return runCommand(parsed, sweepCommand, (flags) => run(args, flags, loadTools), {
    stdout,
    stderr,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args, loadTrainingTools));

/** Which sweep a command line names: its tasks, and the folder that they share. */
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { type SweepFlags, taskArguments } from "./flags.ts";
import { defaultName, type PlannedTask, tasksOf } from "./tasks.ts";

export interface Sweep {
  tasks: PlannedTask[];
  outputDir: string;
  experiment: string;
  folder: string;
  /** What every task is given, but for its number and where results go. */
  shared: string[];
}

/** Throws a UserError (wrong use) on flags that contradict each other. */
export function sweepOf(args: readonly string[], flags: SweepFlags): Sweep {
  const tasks = tasksOf(args, flags);
  if (flags.task !== undefined && flags.task >= tasks.length) {
    throw new UserError(
      `--task ${flags.task} is none of the ${tasks.length} tasks, which are numbered from 0.`,
      { exitCode: 2 },
    );
  }
  const outputDir = flags.outputDir ?? "results";
  const experiment = flags.experiment ?? defaultName(tasks, flags);
  const folder = join(outputDir, experiment);
  return { tasks, outputDir, experiment, folder, shared: taskArguments(args) };
}

/** The arguments of a task's command, in whose sight results go to a folder. */
export const argumentsIn = ({ experiment, shared }: Sweep, outputDir: string): string[] => [
  ...["--output_dir", outputDir, "--experiment", experiment],
  ...shared,
];

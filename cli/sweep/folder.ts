/** A sweep's folder: `sweep.json` with its tasks, the runs that are finished, and `tasks/` with what is not. */
import { join } from "node:path";
import * as v from "valibot";
import { UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { mend } from "../shared/folders.ts";
import { issueOf } from "../shared/issues.ts";
import { checkpointSteps } from "../train/checkpoints.ts";
import { isSweep, sweepFile } from "../train/sweep_folder.ts";
import { logsName } from "../train/tensorboard/logs.ts";
import { checkpointsOf } from "../train/work.ts";
import type { Task } from "./tasks.ts";

const schema = v.object({
  tasks: v.array(v.object({ run: v.string(), arguments: v.array(v.string()) })),
});

/** Where claims lie, and beside them a folder for each task's unfinished work. */
export const tasksFolder = (folder: string) => join(folder, "tasks");

/** Where a task keeps what is unfinished. */
export const workOf = (folder: string, run: string) => join(tasksFolder(folder), run);

/** The tasks of a sweep's folder. Throws a UserError where its file is damaged. */
export async function readTasks(folder: string): Promise<Task[]> {
  const read = v.safeParse(schema, await readJsonObject(hostFolder(folder), sweepFile));
  if (read.success) return read.output.tasks;
  throw new UserError(`${join(folder, sweepFile)}: ${issueOf(read.issues)}.`);
}

/**
 * Makes a sweep's folder, or finds that it is there. Throws a UserError (wrong use) where it holds another experiment, or a
 * sweep of other flags.
 */
export async function openSweep(folder: string, tasks: readonly Task[]): Promise<void> {
  const listed = tasks.map(({ run, arguments: line }) => ({ run, arguments: line }));
  if (!(await isSweep(folder))) {
    if (
      await exists(join(folder, "checkpoints")) || await exists(join(folder, "comparison.json"))
    ) {
      throw new UserError(
        `${folder} is the folder of an experiment that is no sweep: take another --experiment.`,
        { exitCode: 2 },
      );
    }
    await writeFileWhole(join(folder, sweepFile), toJson({ tasks: listed }));
  }
  const there = await readTasks(folder);
  if (toJson(there) === toJson(listed)) return;
  const at = listed.findIndex((task, index) => toJson(task) !== toJson(there[index] ?? {}));
  const describe = (task: Task | undefined) =>
    task === undefined ? "none" : `${task.run} (${task.arguments.join(" ")})`;
  throw new UserError(
    `${folder} holds a sweep of other flags, with ${there.length} tasks where these ask for ` +
      `${listed.length}: task ${Math.max(at, 0)} is ${
        describe(there[Math.max(at, 0)])
      }, and would be ` +
      `${describe(listed[Math.max(at, 0)])}. Give the same flags, or another --experiment.`,
    { exitCode: 2 },
  );
}

/** How far a task has come. */
export interface State {
  done: boolean;
  /** The step of its newest checkpoint, where it is not done. */
  step?: number;
}

export async function stateOf(folder: string, run: string): Promise<State> {
  if (await exists(join(folder, run, "run.json"))) return { done: true };
  const [step] = await checkpointSteps(checkpointsOf(workOf(folder, run), run));
  return { done: false, ...(step !== undefined && { step }) };
}

/** Puts in order what a process left that was killed in a task, which is claimed. */
export async function mendTask(folder: string, run: string): Promise<void> {
  const work = workOf(folder, run);
  await Deno.mkdir(work, { recursive: true });
  await mend(folder, run);
  await mend(join(folder, logsName), run);
  await mend(work);
  await mend(checkpointsOf(work, run));
}

/** Names of the tasks that are done, in their order. */
export async function doneOf(folder: string, tasks: readonly Task[]): Promise<string[]> {
  const states = await Promise.all(tasks.map(({ run }) => stateOf(folder, run)));
  return tasks.filter((_, index) => states[index].done).map(({ run }) => run);
}

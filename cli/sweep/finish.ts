/** The comparison of a sweep: of all its runs by the task that ends last, and of those that are done when a report is asked for. */
import { mend } from "../shared/folders.ts";
import type { Output } from "../shared/terminal.ts";
import type { Comparison } from "../train/comparing/comparison.ts";
import { writeComparison, writePage } from "../train/comparing/comparison_files.ts";
import { isSweep } from "../train/sweep_folder.ts";
import { doneOf, readTasks, tasksFolder } from "./folder.ts";
import type { Task } from "./tasks.ts";

/**
 * Writes comparison and report where every task is done: two that end at the same time write the same. Returns the
 * comparison, or undefined where tasks are left.
 */
export async function finishSweep(
  folder: string,
  tasks: readonly Task[],
  err: Output,
): Promise<Comparison | undefined> {
  if ((await doneOf(folder, tasks)).length < tasks.length) return undefined;
  await mend(folder, "base");
  const comparison = await writeComparison(folder, tasks[0].run);
  await writePage(folder, err);
  await Deno.remove(tasksFolder(folder)).catch(() => {}); // it is not empty while another task ends
  return comparison;
}

/** Compares what is done of a sweep; undefined where the folder is of none. */
export async function compareDone(
  folder: string,
): Promise<{ done: string[]; tasks: Task[]; comparison?: Comparison } | undefined> {
  if (!(await isSweep(folder))) return undefined;
  const tasks = await readTasks(folder);
  const done = await doneOf(folder, tasks);
  if (done.length === 0) return { done, tasks };
  return { done, tasks, comparison: await writeComparison(folder, done[0]) };
}

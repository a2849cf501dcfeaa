/** What each task of a sweep would train, from the model's config alone, and how far it has come. */
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import { resolveConfig } from "../../models/host/resolve.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { hubSettings } from "../shared/hub.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import { classesOf } from "../train/dry_run.ts";
import { configLabel, fitToModel, methodLabel } from "../train/plan.ts";
import { stateOf } from "./folder.ts";
import type { ListedTask, Listing } from "./listing_table.ts";
import type { PlannedTask } from "./tasks.ts";

function listed(
  { run, flags, plan }: PlannedTask,
  config: EncoderConfig,
  model: string,
  classes: number,
): Omit<ListedTask, "task" | "done" | "step"> {
  const [{ method, tuned, hyperparameters }] = fitToModel(plan, flags, config, model).runs;
  const counts = countParameters(config, method, classes);
  return {
    run,
    method: `${methodLabel(method)}${tuned ? " tuned" : ""}`,
    config: configLabel(method),
    trainable_params: counts.trainable,
    total_params: counts.total,
    param_percent: counts.percent,
    learning_rate: tuned ? null : hyperparameters.learningRate,
  };
}

/** Counts all tasks' parameters. Throws a UserError for an unknown model or data set. */
export async function listTasks(
  folder: string,
  tasks: readonly PlannedTask[],
  err: Output,
): Promise<Listing> {
  const hub = hubSettings(err);
  const [{ flags }] = tasks;
  const { name, config } = await resolveConfig(flags.modelName, hub);
  const classes = await classesOf(flags, hub);
  for (const notice of classes.notices) err.write(renderNotice(err, notice));
  const states = await Promise.all(tasks.map(({ run }) => stateOf(folder, run)));
  return {
    experiment: folder,
    model: name,
    classes: classes.count,
    classes_from: classes.from,
    tasks: tasks.map((task, index) => ({
      task: index,
      ...listed(task, config, name, classes.count),
      ...states[index],
    })),
  };
}

/** The list of a sweep's tasks, for people and programs. */
import { countOf, formatCount, formatPercent, formatRate } from "../shared/format.ts";
import { renderTable } from "../shared/table.ts";

/** A task as it is listed, and as `--dry_run --json` tells of it. */
export interface ListedTask {
  task: number;
  run: string;
  method: string;
  config: string;
  trainable_params: number;
  total_params: number;
  param_percent: number;
  /** Null where training searches for it. */
  learning_rate: number | null;
  done: boolean;
  /** Of its newest checkpoint, where it is not done and has one. */
  step?: number;
}

export interface Listing {
  experiment: string;
  model: string;
  classes: number;
  classes_from: string;
  tasks: ListedTask[];
}

const stateText = ({ done, step }: ListedTask) =>
  done ? "done" : step === undefined ? "" : `at step ${step}`;

/** The list as a table, under a line on model and data. */
export function listingTable(
  { model, classes, classes_from, tasks }: Listing,
  width: number,
): string[] {
  const columns = [
    { title: "Task", right: true },
    { title: "Run", shrinks: true },
    { title: "Trainable Params", right: true },
    { title: "Param %", right: true },
    { title: "Learning Rate", right: true },
    { title: "State" },
  ];
  const rows = tasks.map((task) => [
    `${task.task}`,
    task.run,
    formatCount(task.trainable_params),
    formatPercent(task.param_percent),
    task.learning_rate === null ? "tune" : formatRate(task.learning_rate),
    stateText(task),
  ]);
  return [
    `${model}, ${countOf(classes, "class", "classes")} (${classes_from})`,
    "",
    ...renderTable(columns, rows, width),
  ];
}

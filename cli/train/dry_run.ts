/**
 * `--dry_run`: what each run would train, from the model's config alone. Nothing on the GPU, and no
 * network but for the config.json of a hub model that is named and not cached.
 */
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { exists } from "../../models/host/files.ts";
import { hubNameOf } from "../../models/host/locate.ts";
import { resolveConfig } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { dataRequest, labelNotices } from "./data_request.ts";
import type { Flags } from "./flags.ts";
import { countOf, formatCount, formatPercent, formatRate } from "../shared/format.ts";
import {
  configLabel,
  fitToModel,
  methodLabel,
  type Plan,
  type PlannedRun,
  rateNote,
} from "./plan.ts";
import { hyperparameterReport } from "../../models/training/hyperparameter_report.ts";
import { hubSettings } from "../shared/hub.ts";
import { standardOutput } from "../shared/terminal.ts";
import { renderTable } from "../shared/table.ts";
import { wrap } from "../shared/terminal.ts";

/** The number of classes of the default data set, and of the brief. */
const assumedClasses = 13;

interface Classes {
  count: number;
  from: string;
  /** The data set's. */
  notices: string[];
}

/** The data set's own number of classes where it lies on this machine, else 13. */
export async function classesOf(flags: Flags, hub: HubSettings): Promise<Classes> {
  const { dataset, useSample } = flags;
  if (!useSample && (dataset === undefined || !(await exists(dataset)))) {
    if (dataset !== undefined) hubNameOf(dataset);
    return { count: assumedClasses, from: "assumed: the data set is not read", notices: [] };
  }
  const read = await loadDataset(dataRequest(flags, hub));
  const notices = [...read.notices, ...labelNotices(read, flags.labelCase)];
  return { count: read.labels.length, from: read.name, notices };
}

export interface DryRun {
  model: string;
  classes: Classes;
  /** On the learning rate, where the model has its own. */
  rateNote?: string;
  runs: (PlannedRun & { trainable: number; total: number; percent: number })[];
}

/** Counts every run's parameters, of a model that is known already or of the one that the flags name. Throws a UserError for an unknown model or data set. */
export async function dryRun(
  plan: Plan,
  flags: Flags,
  model?: { name: string; config: EncoderConfig },
): Promise<DryRun> {
  const hub = hubSettings(standardOutput("stderr"));
  const { name, config } = model ?? await resolveConfig(flags.modelName, hub);
  const classes = await classesOf(flags, hub);
  const { runs } = fitToModel(plan, flags, config, name);
  return {
    model: name,
    classes,
    rateNote: rateNote(plan, flags, name),
    runs: runs.map((run) => ({ ...run, ...countParameters(config, run.method, classes.count) })),
  };
}

/** The document of `--dry_run --json`. */
export function dryRunReport({ model, classes, runs }: DryRun) {
  return {
    model,
    classes: classes.count,
    classes_from: classes.from,
    runs: runs.map((run) => ({
      run: run.name,
      method: run.method.method,
      config: configLabel(run.method),
      trainable_params: run.trainable,
      total_params: run.total,
      param_percent: run.percent,
      hyperparameters: {
        ...hyperparameterReport(run.hyperparameters),
        ...(run.tuned && { learning_rate: null }), // training searches for it
      },
    })),
  };
}

/** The table of `--dry_run`. */
export function dryRunTable({ model, classes, rateNote, runs }: DryRun, width: number): string[] {
  // A method's repetitions under other seeds have the same parameters.
  const groups = Map.groupBy(runs, ({ group }) => group);
  const rows = [...groups.values()].map(([run]) => [
    `${methodLabel(run.method)}${run.tuned ? " tuned" : ""}`,
    configLabel(run.method),
    formatCount(run.trainable),
    formatCount(run.total),
    formatPercent(run.percent),
    run.tuned ? "tune" : formatRate(run.hyperparameters.learningRate),
  ]);
  const columns = [
    { title: "Method" },
    { title: "Config", shrinks: true },
    { title: "Trainable Params", right: true },
    { title: "Total Params", right: true },
    { title: "Param %", right: true },
    { title: "Learning Rate", right: true },
  ];
  return [
    `${model}, ${countOf(classes.count, "class", "classes")} (${classes.from})`,
    "",
    ...renderTable(columns, rows, width),
    ...(rateNote === undefined ? [] : ["", ...wrap(rateNote, Math.min(width, 79))]),
  ];
}

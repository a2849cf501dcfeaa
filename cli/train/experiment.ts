/** An experiment: the planned runs one after another, each saved when it is whole, then compared. */
import { join } from "node:path";
import type { Dataset } from "../../models/data/load.ts";
import { messageOf, UserError } from "../../models/errors.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { checkClassWeights } from "../../models/training/class_weights.ts";
import { type Comparison, writeComparison } from "./comparison.ts";
import type { Flags } from "./flags.ts";
import {
  checkExperiment,
  ensureFolder,
  newExperiment,
  removeIfEmpty,
  type Unfinished,
} from "../shared/folders.ts";
import { formatAdapter, formatBytes, formatCount } from "../shared/format.ts";
import { type Shared, trainRun } from "./one_run.ts";
import { fitToModel, type Plan, type PlannedRun } from "./plan.ts";
import type { RunReport } from "./run_report.ts";
import { type Output, paint, renderNotice, wrap } from "../shared/terminal.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { productsOf, tuneForAdapter } from "./tuning.ts";

/** What exists only as long as the experiment runs; an interruption removes it. */
export interface Session {
  unfinished: Unfinished;
  /** The experiment's folder, once it is known; it stays if it holds a finished run. */
  folder?: string;
}

export interface ExperimentOptions {
  flags: Flags;
  plan: Plan;
  hub: HubSettings;
  /** The command's arguments, for `run.json`. */
  command: readonly string[];
  /** Progress goes here. */
  out: Output;
  /** Notices go here. */
  err: Output;
  session: Session;
}

export interface Experiment {
  folder: string;
  runs: RunReport[];
  comparison: Comparison;
}

function describeData(dataset: Dataset): string {
  const { examples, emptyRows, duplicates, conflicts, labels } = dataset;
  const dropped: string[] = [];
  if (emptyRows > 0) dropped.push(`${formatCount(emptyRows)} empty`);
  if (duplicates > 0) dropped.push(`${formatCount(duplicates)} duplicate`);
  return `${dataset.name}: ${formatCount(examples.length)} examples of ${labels.length} classes` +
    (dropped.length > 0 ? ` (${dropped.join(" and ")} rows dropped)` : "") +
    (conflicts > 0 ? `; ${formatCount(conflicts)} texts have more than one label` : "");
}

function printFacts(facts: [string, string][], out: Output): void {
  const width = Math.max(30, Math.min(out.columns(), 100) - 10);
  for (const [label, text] of facts) {
    const [first, ...rest] = wrap(text, width);
    out.write(`${paint(out, "dim", label.padEnd(8))} ${first}\n`);
    for (const line of rest) out.write(`${" ".repeat(9)}${line}\n`);
  }
}

/** Adds to a failure what is saved and what is not. */
function withStanding(
  error: unknown,
  failed: PlannedRun,
  folder: string,
  done: RunReport[],
  runs: PlannedRun[],
): unknown {
  if (done.length === 0) return error;
  const rest = runs.slice(done.length).map((run) => run.name).join(", ");
  return new UserError(
    `${failed.name}: ${messageOf(error)} Finished and saved in ${folder}: ` +
      `${done.map((run) => run.run).join(", ")}. Not trained: ${rest}.`,
    { cause: error, exitCode: error instanceof UserError ? error.exitCode : 1 },
  );
}

/**
 * Runs an experiment. What can be checked is checked before anything is trained; a run's folder
 * appears when the run is whole, and finished runs stay whatever comes after. Throws a UserError for
 * what the user can put right.
 */
export async function runExperiment<Device extends DeviceHandle>(
  options: ExperimentOptions,
  tools: TrainingTools<Device>,
): Promise<Experiment> {
  const { flags, hub, out, err, session } = options;
  const outputDir = flags.outputDir ?? "results";
  const named = flags.experiment === undefined ? undefined : join(outputDir, flags.experiment);
  if (named !== undefined) {
    await checkExperiment(named, options.plan.runs.map((run) => run.name), flags.overwrite);
  }
  await ensureFolder(named ?? outputDir);
  session.folder = named;
  const { matmulPrecision } = options.plan.runs[0].hyperparameters;
  const device = await tools.createDevice({ matmulPrecision });
  try {
    const model = await tools.resolveModel(flags.modelName, hub);
    const { runs } = fitToModel(options.plan, flags, model.config, model.name);
    const { dataset: data, textColumn, labelColumn, useSample, maxSamples } = flags;
    const dataset = await tools.loadDataset({
      dataset: data,
      textColumn,
      labelColumn,
      useSample,
      hub,
    });
    const { seed, classWeights } = runs[0].hyperparameters;
    if (classWeights !== undefined) checkClassWeights(classWeights, dataset.labels);
    const notices = [...model.notices, ...dataset.notices];
    for (const notice of notices) err.write(renderNotice(err, notice));
    const split = tools.stratifiedSplit(dataset, { seed, maxSamples });
    const tokenizer = await tools.loadTokenizer(model.folder, model.config.vocabSize);

    const sizes = { config: model.config, classes: dataset.labels.length };
    const tuning = flags.noTune ? { plans: {}, refused: [] } : await tuneForAdapter(
      device,
      productsOf(device, runs, sizes, split, tokenizer, tools),
      tools,
      err,
    );
    const folder = named ?? await newExperiment(outputDir, model.name, dataset.name);
    session.folder = folder;
    printFacts([
      ["Model", `${model.name}${model.random ? " (weights start at random)" : ""}`],
      ["Data", describeData(dataset)],
      [
        "Split",
        `${formatCount(split.train.length)} train, ${formatCount(split.validation.length)} ` +
        `validation, ${formatCount(split.test.length)} test (seed ${seed})`,
      ],
      ["GPU", formatAdapter(device.info)],
      ...(tuning.fact ? [["Tuned", tuning.fact] as [string, string]] : []),
      ["Results", folder],
    ], out);

    const shared: Shared<Device> = {
      model,
      dataset,
      split,
      maxSamples,
      gradientCheckpointing: flags.gradientCheckpointing,
      adapter: device.info,
      kernels: { fixed: device.kernels.matmul, tuned: tuning.plans, refused: tuning.refused },
      notices,
      warnings: options.plan.warnings,
      weightNotes: [],
      command: options.command,
      device,
      tokenizer,
      folder,
      unfinished: session.unfinished,
      out,
    };
    const reports: RunReport[] = [];
    for (const [index, planned] of runs.entries()) {
      out.write("\n");
      try {
        const report = await trainRun(planned, `${index + 1} of ${runs.length}`, shared, tools);
        if (index === 0) printFacts(report.weight_notes.map((note) => ["Note", note]), out);
        out.write(`  saved ${planned.name}, ${formatBytes(report.exported_bytes)}\n`);
        reports.push(report);
        // After every run, so that an interrupted experiment has the comparison of what it finished.
        await writeComparison(folder, planned.name);
      } catch (error) {
        throw withStanding(error, planned, folder, reports, runs);
      }
    }
    const comparison = await writeComparison(folder, runs[0].name);
    return { folder, runs: reports, comparison };
  } finally {
    device.destroy();
    if (session.folder !== undefined) removeIfEmpty(session.folder);
  }
}

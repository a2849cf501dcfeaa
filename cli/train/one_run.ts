/** One run: trained while it is watched, then saved whole. */
import { join } from "node:path";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import type { StepEvent, TrainingEvent, TrainingResult } from "../../models/training/events.ts";
import { type Unfinished, writeFolderWhole } from "../shared/folders.ts";
import type { PlannedRun } from "./plan.ts";
import { createProgress } from "./progress.ts";
import { type RunContext, type RunReport, runReport, stepLine } from "./run_report.ts";
import type { Output } from "../shared/terminal.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";

/** What the runs of an experiment share. */
export interface Shared<Device extends DeviceHandle> extends RunContext {
  device: Device;
  tokenizer: Tokenizer;
  /** The experiment's folder. */
  folder: string;
  unfinished: Unfinished;
  out: Output;
}

interface Watched {
  result: TrainingResult;
  steps: StepEvent[];
  warnings: string[];
}

/** Shows a run's events as they come, and keeps what the files need. */
async function watch(
  events: AsyncGenerator<TrainingEvent>,
  planned: PlannedRun,
  position: string,
  out: Output,
): Promise<Watched> {
  const bySteps = planned.hyperparameters.evalSteps !== undefined;
  const progress = createProgress(out, { position, bySteps });
  const steps: StepEvent[] = [];
  const warnings: string[] = [];
  try {
    for await (const event of events) {
      progress.show(event);
      if (event.type === "start") warnings.push(...event.warnings);
      if (event.type === "step") steps.push(event);
      if (event.type === "done") return { result: event.result, steps, warnings };
    }
  } finally {
    progress.clear();
  }
  throw new Error(`The training of ${planned.name} ended without a result.`);
}

/**
 * A base model that starts at random exists nowhere else: it is saved once, as `base` beside the runs, so
 * that PEFT and AdapterHub can load what was trained over it. Returns its folder.
 */
async function saveRandomBase<Device extends DeviceHandle>(
  { folder, model, dataset, tokenizer, unfinished }: Shared<Device>,
  tools: TrainingTools<Device>,
): Promise<string> {
  const base = join(folder, "base");
  if (!(await exists(join(base, "config.json")))) {
    await writeFolderWhole(base, unfinished, async (temporary) => {
      const files = await tools.exportRandomBase({
        config: model.config,
        labels: dataset.labels,
        baseModel: { name: model.name, folder: hostFolder(model.folder) },
        tokenizerFiles: tokenizer.files,
      });
      await writeFiles(temporary, files);
    });
  }
  return base;
}

/**
 * Trains one run and writes its folder: the trained weights in the format that other programs read,
 * `steps.jsonl`, and last `run.json`, whose content is returned. `position` is such as `2 of 7`.
 */
export async function trainRun<Device extends DeviceHandle>(
  planned: PlannedRun,
  position: string,
  shared: Shared<Device>,
  tools: TrainingTools<Device>,
): Promise<RunReport> {
  const { method, hyperparameters } = planned;
  const { model, dataset, split, device, tokenizer } = shared;
  const started = new Date();
  const weights = await tools.openWeights(model, dataset.labels.length);
  let watched: Watched;
  try {
    const events = tools.train({
      run: planned.name,
      config: model.config,
      method,
      labels: dataset.labels,
      weights,
      encode: (text) => tokenizer.encode(text, hyperparameters.maxLength),
      split,
      hyperparameters,
      gradientCheckpointing: shared.gradientCheckpointing,
      device,
    });
    watched = await watch(events, planned, position, shared.out);
  } finally {
    weights.close();
  }
  const { result, steps } = watched;
  const context: RunContext = {
    ...shared,
    weightNotes: weights.notes,
    warnings: [...shared.warnings, ...watched.warnings],
  };
  const folder = join(shared.folder, planned.name);
  const needsBase = model.random && !definitionOf(method).trainsAll;
  const base = needsBase ? await saveRandomBase(shared, tools) : model.name;
  return await writeFolderWhole(folder, shared.unfinished, async (temporary) => {
    const files = await tools.exportRun({
      method,
      config: model.config,
      labels: dataset.labels,
      baseModel: { name: base, folder: hostFolder(model.folder) },
      weights: result.weights,
      tokenizerFiles: tokenizer.files,
    });
    const exported = await writeFiles(temporary, files);
    await writeFileWhole(join(temporary, "steps.jsonl"), steps.map(stepLine).join(""));
    const times = { started, finished: new Date() };
    const report = runReport(context, hyperparameters, result, exported, times);
    await writeFileWhole(join(temporary, "run.json"), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  });
}

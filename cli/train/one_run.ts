/** One run: trained while it is watched, then saved whole. */
import { join } from "node:path";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { messageOf } from "../../models/errors.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import { writeFolderWhole } from "../shared/folders.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import type { Place } from "./place.ts";
import { checkpointSteps, isDiskFull, newestCheckpoint, writeMakingRoom } from "./checkpoints.ts";
import { confusionFile, confusionText, standsWithin } from "../trained/confusion.ts";
import type { PlannedRun } from "./plan.ts";
import { predictionLines } from "./predictions.ts";
import { type RunContext, type RunReport, runReport } from "./run_report.ts";
import type { Session } from "./session.ts";
import { startTraining } from "./start.ts";
import { writeLogs } from "./tensorboard/logs.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { tunedRate } from "./tuned_rate.ts";
import { watch, type Watched } from "./watch.ts";
import { checkpointsOf } from "./work.ts";

/** What the runs of an experiment share. */
export interface Shared<Device extends DeviceHandle>
  extends Omit<RunContext, "resumedAtSteps" | "group" | "trials"> {
  device: Device;
  tokenizer: Tokenizer;
  /** The experiment's folder. */
  folder: string;
  /** Where its unfinished work is kept. */
  work: string;
  session: Session;
  /** Optimiser steps between checkpoints besides those after each epoch, and how many of a run's are kept. */
  checkpoints: { steps: number | undefined; keep: number };
  out: Output;
  err: Output;
}

/**
 * The built-in model is on no hub: it is saved once, as `base` beside the runs, so that PEFT and AdapterHub, also on other
 * machines, can load what was trained over it. Returns its folder.
 */
async function saveBuiltIn<Device extends DeviceHandle>(
  { folder, model, session }: Shared<Device>,
  tools: TrainingTools<Device>,
): Promise<string> {
  const base = join(folder, "base");
  const isThere = () => exists(join(base, "config.json"));
  if (await isThere()) return base;
  try {
    await writeFolderWhole(base, session.unfinished, async (temporary) => {
      await writeFiles(temporary, await tools.builtInFiles(model.folder));
    });
  } catch (error) {
    if (!(await isThere())) throw error; // else another task of a sweep was faster
  }
  return base;
}

/**
 * Writes a run's folder. Where the disk is full, and what was trained is in no checkpoint, it is tried until there is
 * room or the session is to stop: nothing that was trained is lost because a file could not be written.
 */
async function writeRun(
  folder: string,
  { checkpoints, steps }: { checkpoints: string; steps: number },
  { session, err }: Pick<Shared<DeviceHandle>, "session" | "err">,
  fill: (temporary: string) => Promise<RunReport>,
): Promise<RunReport> {
  for (let seconds = 1;; seconds = Math.min(2 * seconds, 30)) {
    try {
      const write = () => writeFolderWhole(folder, session.unfinished, fill);
      return await writeMakingRoom(checkpoints, write);
    } catch (error) {
      const [kept] = await checkpointSteps(checkpoints);
      if (!isDiskFull(error) || kept === steps || session.stop) throw error;
      if (seconds === 1) {
        const what =
          "Its training is kept in memory, and writing is tried again until there is room.";
        err.write(renderNotice(err, `${messageOf(error)} ${what} Free some, or stop with Ctrl-C.`));
      }
      for (let waited = 0; waited < 4 * seconds && !session.stop; waited++) await delay(250);
    }
  }
}

const delay = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/**
 * Trains one run, or the rest of one that was stopped, and writes its folder: the trained weights in the format that other
 * programs read, `steps.jsonl`, `predictions.jsonl`, and last `run.json`, whose content is returned. Throws a
 * StoppedError where the session was to stop.
 */
export async function trainRun<Device extends DeviceHandle>(
  planned: PlannedRun,
  place: Place,
  shared: Shared<Device>,
  tools: TrainingTools<Device>,
): Promise<RunReport> {
  const { method } = planned;
  const { model, dataset, tokenizer, session, out, err } = shared;
  const { unfinished } = session;
  const checkpoints = checkpointsOf(shared.work, planned.name);
  const stopped = await newestCheckpoint(checkpoints, (text) => err.write(renderNotice(err, text)));
  const search = planned.tuned ? await tunedRate(planned, place, shared, tools) : undefined;
  const hyperparameters = {
    ...planned.hyperparameters,
    ...(search && { learningRate: search.learningRate }),
  };
  const weights = await tools.openWeights(model, dataset.labels);
  let watched: Watched;
  try {
    const training = {
      run: planned.name,
      method,
      hyperparameters,
      weights,
      checkpointSteps: shared.checkpoints.steps,
      from: stopped?.state,
    };
    const events = startTraining(training, shared, tools);
    const { keep } = shared.checkpoints;
    watched = await watch(events, {
      experiment: shared.folder,
      planned,
      place,
      stopped,
      checkpoints: { folder: checkpoints, keep, unfinished },
      session,
      out,
      err,
    });
  } finally {
    weights.close();
  }
  const { result, steps, history } = watched;
  const context: RunContext = {
    ...shared,
    warnings: [...shared.warnings, ...history.warnings],
    resumedAtSteps: history.resumed_at_steps,
    group: planned.group,
    trials: search?.trials,
  };
  const needsBase = model.builtIn && !definitionOf(method).trainsAll;
  const base = needsBase ? await saveBuiltIn(shared, tools) : model.name;
  const folder = join(shared.folder, planned.name);
  const made = { checkpoints, steps: steps.length };
  const report = await writeRun(folder, made, shared, async (temporary) => {
    const files = await tools.exportRun({
      method,
      config: model.config,
      labels: dataset.labels,
      baseModel: { name: base, folder: hostFolder(model.folder) },
      weights: result.weights,
      tokenizerFiles: tokenizer.files,
    });
    const exported = await writeFiles(temporary, files);
    await writeFileWhole(join(temporary, "steps.jsonl"), steps.join(""));
    const predicted = predictionLines(shared.split.test, result.predictions, dataset.labels);
    await writeFileWhole(join(temporary, "predictions.jsonl"), predicted);
    if (!standsWithin(result.test)) {
      await writeFileWhole(join(temporary, confusionFile), confusionText(result.test));
    }
    const times = { started: new Date(history.started), finished: new Date() };
    const document = runReport(context, hyperparameters, result, exported, times);
    await writeFileWhole(join(temporary, "run.json"), `${JSON.stringify(document, null, 2)}\n`);
    return document;
  });
  try {
    await writeLogs(shared.folder, report, steps, unfinished);
  } catch (error) {
    err.write(renderNotice(err, `${planned.name} is saved, but not its logs. ${messageOf(error)}`));
  }
  return report;
}
